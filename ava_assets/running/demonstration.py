"""The demonstration: the whole way once, on real servers, real sensor ticks and real runs."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import polars as pl
from dagster import EventLogRecord
from rich.console import Console
from rich.table import Table

from ava_assets.running import services
from ava_assets.running.release import make_release
from ava_assets.running.waiting import RunWatcher
from ava_core import decisions
from ava_core.annotation.gateway import CvatGateway
from ava_core.base.errors import ExportError, InputError
from ava_core.base.schemas import USABLE
from ava_core.base.settings import Settings, load_settings
from ava_core.base.storage import Storage
from ava_core.base.text import plural, value_text
from ava_core.batch import open_batch
from ava_core.dataset.formats.ava.checks import validate_dataset
from ava_core.demo.annotators import SimulatedAnnotator, demo_annotators, simulate
from ava_core.demo.corrections import corrections
from ava_core.demo.scenes import make_batch_zip
from ava_core.demo.score import score_labels, score_walkers
from ava_core.demo.truth import ClipTruth, SceneTruth, invented_truth, truth_in_clips
from ava_core.ontology import load_ontology
from ava_core.operations.overview import batch_counts
from ava_core.store import annotators, batches, open_store, tasks
from ava_core.video.intake.inbox import add_to_inbox

BATCH = "demo"
ACTOR = "demo"
ANNOTATORS = 3
POLL_SECONDS = 2


def demonstration_settings(home: Path | None, seed: int) -> Settings:
    """The settings of a demonstration with state of its own; raises `InputError` where `home` is not empty."""
    general = load_settings()
    folder = home or general.home_dir / "demo" / time.strftime("%Y%m%d-%H%M%S")
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty.", "Give a new or empty folder with --home.")
    own = {"home": folder.absolute(), "seed": seed, "cvat_port": services.free_port()}
    # Nothing of a running platform is touched: state, servers and people are the demonstration's own.
    alone = {
        "cvat_url": "", "database_url": "", "storage_url": "", "inbox": None, "cvat_token": None,
        "dagster_postgres_url": None,
    }  # fmt: skip
    kept = {name: getattr(general, name) for name in general.model_fields_set}
    crowd = {"cvat_poll_seconds": POLL_SECONDS, "annotators_per_clip": ANNOTATORS, "overlap": 1.0}
    return load_settings(**(kept | crowd | alone | own))


class Demonstration:
    """The whole way, a method a stage."""

    def __init__(self, settings: Settings, video: Path | None) -> None:
        self.settings, self.video = settings, video
        self.console = Console(highlight=False, soft_wrap=True)
        self.store = open_store(settings)
        self.storage = Storage(settings.resolved_storage_url)
        self.ontology = load_ontology(settings.ontology)
        self.seconds: dict[str, float] = {}

    def run(self) -> None:
        """From raw videos to a validated dataset; prints what came of it."""
        self.console.print(f"Everything is in {self.settings.home_dir}")
        with self.timed("render scenes"):
            source, scenes = self.source()
        started = [
            services.annotation_server(self.settings),
            services.code_server(self.settings),
            services.dagster_daemon(self.settings),
        ]
        with services.running(started):
            self.watcher = RunWatcher(self.settings, started)
            with self.timed("sign annotators up"):
                crowd = self.sign_up()
            with self.timed("video to tasks"):
                add_to_inbox(self.settings, self.store, source, name=BATCH)
                self.watcher.wait_for("cvat_tasks", BATCH)
            truth = self.truth(scenes)
            with self.timed("annotate"):
                self.annotate(crowd, truth)
            with self.timed("read back, agreement"):
                self.wait_until_read()
            with self.timed("approve, consensus, dataset"):
                self.approve(truth)
            with self.timed("release"):
                dataset = make_release(self.settings)
        self.show(truth, dataset)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Say that a stage begins, and keep its wall time."""
        self.console.print(f"  {stage} …")
        began = time.monotonic()
        yield
        self.seconds[stage] = time.monotonic() - began

    def source(self) -> tuple[Path, SceneTruth | None]:
        """The batch's input, and its truth where it is known."""
        if self.video is not None:
            return self.video, None
        return make_batch_zip(self.settings.home_dir / "rendered", self.settings.seed)

    def sign_up(self) -> list[SimulatedAnnotator]:
        """Make the annotators' accounts, and take them into the organisation."""
        crowd = demo_annotators([secrets.token_urlsafe(12) for _ in range(ANNOTATORS)])
        with CvatGateway(self.settings) as gateway:
            gateway.ensure_organisation()
            for one in crowd:
                number = gateway.register_annotator(one.username, one.password, f"{one.username}@example.org")
                annotators.put(self.store, one.username, cvat_user_id=number)
        return crowd

    def truth(self, scenes: SceneTruth | None) -> ClipTruth:
        """What happens in the clips; made up for a video of one's own, and then noted with the batch."""
        clips, tracks = self.table("clips"), self.table("tracks")
        if scenes is not None:
            return truth_in_clips(scenes, clips, self.table("source_videos"), self.ontology)
        truth = invented_truth(clips, tracks, self.ontology, self.settings.seed)
        batches.set_note(self.store, BATCH, truth.note)
        return truth

    def annotate(self, crowd: list[SimulatedAnnotator], truth: ClipTruth) -> None:
        """All annotators at once, each through the API alone."""
        url, organisation = self.settings.resolved_cvat_url, self.settings.cvat_organisation
        with ThreadPoolExecutor(len(crowd)) as pool:
            work = pool.map(
                lambda one: simulate(one, url, organisation, truth, self.ontology, self.settings.seed), crowd
            )
            for done in work:
                self.console.print(
                    f"    {done.annotator}: {done.jobs} jobs; tracks added {done.added}, deleted {done.deleted}; "
                    f"boxes drawn {done.drawn}"
                )

    def wait_until_read(self) -> None:
        """Wait until the sensor has seen all completed jobs, and agreement was measured over them."""
        total = tasks.job_counts(self.store, BATCH).jobs

        def complete(record: EventLogRecord) -> bool:
            metadata = record.asset_materialization.metadata if record.asset_materialization else {}
            return "jobs" in metadata and metadata["jobs"].value == total

        self.watcher.wait_for("agreement", BATCH, until=complete)

    def approve(self, truth: ClipTruth) -> None:
        """Approve every clip by the function that the console calls; consensus and dataset follow."""
        now = time.time()
        comment = truth.note or "demonstration"
        done = sorted({job.clip_id for job in tasks.completed_jobs(self.store, BATCH)})
        if not done:
            raise ExportError(
                "No people were found in the video, so there is nothing to annotate.", "Try another video."
            )
        decisions.approve(self.store, BATCH, done, ACTOR, comment)
        self.watcher.wait_for("ava_csv", BATCH, after=now)

    def show(self, truth: ClipTruth, dataset: Path) -> None:
        """The table of what came of it; the last line is the dataset's path."""
        print_table(self.console, "Rows at each stage", batch_counts(open_batch(self.settings, BATCH)))
        quarantined = self.table("source_videos").filter(~USABLE)
        for name, reason in quarantined.select("original_name", "reason").rows():
            self.console.print(f"  excluded: {name}: {reason}", markup=False)
        walkers = score_walkers(truth, self.table("dense_proposals"))
        planted = "walkers made up from tracks" if truth.invented else "walkers planted"
        print_table(
            self.console,
            "Walkers, from pixels",
            {
                planted: walkers.planted,
                "found": walkers.found,
                "box recall": round(walkers.recall, 3),
                "box precision": round(walkers.precision, 3),
            },
        )
        edits = corrections(truth, self.table("dense_proposals"))
        print_table(self.console, "Edits an annotator needs", asdict(edits) | {"all": edits.total})
        scores = score_labels(
            truth,
            self.table("raw_annotations", "raw_boxes"),
            self.table("raw_annotations", "raw_labels"),
            self.table("consensus_labels", "consensus_boxes"),
            self.table("consensus_labels", "consensus_labels"),
            self.ontology,
        )
        self.print_scores(scores)
        print_table(
            self.console, "Wall time, seconds", {name: round(s, 1) for name, s in self.seconds.items()}
        )
        steps = {name: round(s, 1) for name, s in self.watcher.step_seconds(BATCH).items() if s >= 0.05}
        print_table(self.console, "  of which Dagster's steps", steps)
        for line in truth.note.splitlines():
            self.console.print(f"note: {line}", markup=False)
        findings = validate_dataset(dataset)
        for finding in findings:
            self.console.print(str(finding), markup=False)
        self.console.print(f"validation: {plural(len(findings), 'finding')}")
        self.console.print(f"dataset: {dataset}", markup=False)

    def print_scores(self, scores: pl.DataFrame) -> None:
        """Accuracy of the consensus beside each annotator's."""
        shown = Table(title="Accuracy against the truth", title_justify="left", box=None)
        for name in scores.columns:
            shown.add_column(name, justify="left" if name == "who" else "right")
        for row in scores.rows():
            shown.add_row(*(f"{value:.3f}" if isinstance(value, float) else str(value) for value in row))
        self.console.print(shown)

    def table(self, asset: str, name: str = "") -> pl.DataFrame:
        """A table of the batch."""
        return self.storage.read_table(self.storage.table_path(BATCH, asset, name))


def print_table(console: Console, title: str, values: Mapping[str, object]) -> None:
    """A name and its value a line."""
    shown = Table(title=title, title_justify="left", box=None, show_header=False)
    shown.add_column()
    shown.add_column(justify="right")
    for name, value in values.items():
        shown.add_row(f"  {name}", value_text(value))
    console.print(shown)
