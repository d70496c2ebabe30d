"""`ava demo`: the whole way once, on real servers, real sensor ticks and real runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ava_core.errors import InputError
from ava_core.settings import Settings, load_settings

if TYPE_CHECKING:
    from ava_assets.waiting import RunWatcher
    from ava_core.ontology import Ontology
    from ava_core.store import Store

BATCH = "demo"
ACTOR = "demo"


def demo(
    video: Annotated[
        Path | None, typer.Option(help="A video, folder or zip of your own instead of the rendered scenes.")
    ] = None,
    home: Annotated[
        Path | None, typer.Option(help="Empty folder for all state. Default: a new one below AVA_HOME/demo.")
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Seeds the scenes, the annotators' errors and the assignment.")
    ] = 0,
) -> None:
    """Raw videos in, an AVA dataset out: clips, tracks, tasks, three simulated annotators, consensus, release.

    Renders two street scenes with known truth, or takes `--video`. The annotators sign in with accounts of
    their own and work through the annotation API alone; for a video of your own what they "see" is made up
    from the seed, and the dataset says so. The last line is `dataset: <path>`.
    """
    console = Console(highlight=False, soft_wrap=True)
    settings = _settings(home, seed)
    if video is not None and not video.exists():
        raise InputError(f"{video} does not exist.", "Give a video, a folder of videos or a zip.")
    _Demo(settings, video, console).run()


def _settings(home: Path | None, seed: int) -> Settings:
    from ava_assets.services import free_port

    folder = home or load_settings().home_dir / "demo" / time.strftime("%Y%m%d-%H%M%S")
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty.", "Give an empty or a new folder with --home.")
    return load_settings(
        home=folder.absolute(), seed=seed, cvat_port=free_port(), cvat_url="", database_url="", storage_url="",
        inbox=None, cvat_poll_seconds=2,
    )  # fmt: skip


class _Demo:
    """The demo's way, a method a stage; keeps the wall time of each."""

    def __init__(self, settings: Settings, video: Path | None, console: Console) -> None:
        self.settings = settings
        self.video = video
        self.console = console
        self.seconds: dict[str, float] = {}

    def run(self) -> None:
        from ava_assets import services
        from ava_assets.waiting import RunWatcher
        from ava_core.ontology import load_ontology
        from ava_core.storage import Storage
        from ava_core.store import open_store

        settings = self.settings
        self.console.print(f"Everything lies in {settings.home_dir}")
        self.store: Store = open_store(settings)
        self.storage = Storage(settings.resolved_storage_url)
        self.ontology: Ontology = load_ontology(settings.ontology)
        with self.timed("render the scenes"):
            source, truth = self.source()
        started = [services.annotation_server(settings), services.dagster_daemon(settings)]
        with services.running(started):
            self.watcher: RunWatcher = RunWatcher(settings, started)
            with self.timed("start; sign annotators up"):
                self.sign_up()
            self.to_tasks(source)
            with self.timed("annotate (simulated)"):
                truth = self.annotate(truth)
            self.to_dataset()
        self.show(truth)
