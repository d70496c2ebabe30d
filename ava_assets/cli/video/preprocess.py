"""`ava preprocess` and `ava preview`: video work that needs no server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ava_assets.cli.video.batch import options_from
from ava_core.base.errors import InputError
from ava_core.base.progress import ProgressReport, ProgressSink
from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext


def preprocess(
    source: Annotated[Path, typer.Argument(help="A zip, a video or a folder of videos.")],
    out: Annotated[Path, typer.Option(help="Output folder. An interrupted run resumes in it.")],
    name: Annotated[str, typer.Option(help="Batch name. Default: the file name.")] = "",
    option: Annotated[
        list[str] | None,
        typer.Option(help="A setting, as name=value; may be repeated. Example: detector=rfdetr"),
    ] = None,
) -> None:
    """Do everything up to the boxes that annotators correct, on a machine that runs no servers.

    Copy the folder to the platform's machine, and `ava batch add FOLDER` goes on from there with the same result
    as if all had run in one place. It holds `dense_proposals.pkl`, `frames.zip` and `tracking_jsons.zip` for older
    tools.

    Example: `ava preprocess day1.zip --out day1 --option detector=motion`
    """
    from ava_core.video.outcome import outcome_of
    from ava_core.video.preprocess import preprocess as run

    settings = load_settings().with_options(options_from(option))
    with _progress() as sink:
        manifest = run(source, out, settings, name=name, sink=sink)
    counts = ", ".join(f"{count} {asset.replace('_', ' ')}" for asset, count in manifest.counts.items())
    console = Console(soft_wrap=True)
    if outcome := outcome_of(BatchContext(manifest.batch, settings, storage=Storage(out))):
        console.print("\n".join([outcome.sentence, *outcome.complaints]), markup=False, highlight=False)
    console.print(f"Batch [bold]{manifest.batch}[/]: {counts}. Add it with `ava batch add {out}`.")


def preview(
    target: Annotated[str, typer.Argument(help="A batch, or a folder written by `ava preprocess`.")],
    out: Annotated[Path, typer.Option(help="Folder for the pictures and videos.")] = Path("preview"),
    clip: Annotated[list[str] | None, typer.Option(help="Only this clip; may be repeated.")] = None,
) -> None:
    """Write a contact sheet per video and, for every clip, a video with its tracks drawn over it.

    Example: `ava preview day1 --clip day1_cam3_000 --out look`
    """
    import polars as pl

    from ava_core.video.intake.handover import manifest_of
    from ava_core.video.preview import write_previews

    made = manifest_of(Path(target))
    storage = Storage(target if made else load_settings().resolved_storage_url)
    batch = made.batch if made else target
    clips, tracks = (storage.read_table(storage.table_path(batch, asset)) for asset in ("clips", "tracks"))
    if clip:
        unknown = sorted(set(clip) - set(clips["clip_id"]))
        if unknown:
            raise InputError(
                f"Batch {batch} has no clip {unknown[0]}.", f"Its first clip is {min(clips['clip_id'])}."
            )
        clips = clips.filter(pl.col("clip_id").is_in(clip))
    with _progress() as sink:
        files = write_previews(clips, tracks, storage, out, sink)
    Console().print(f"{len(files)} files in {out}.")


@contextmanager
def _progress() -> Iterator[ProgressSink]:
    """A line that is rewritten on a terminal; lines one after another in a log."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda report: console.print(str(report))
        return
    with console.status("starting") as status:
        last = ""

        def show(report: ProgressReport) -> None:
            nonlocal last
            if last and last != report.what:
                console.print(f"{last}: done")
            last = report.what
            status.update(str(report))

        yield show
