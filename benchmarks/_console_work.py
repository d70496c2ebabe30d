"""What people have done in the planted home: sizes, names, and the work of an ordinary and of a big batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import polars as pl

from ava_core.annotation.prefill import prefill_tracks
from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS, CVAT_JOBS, TRACKS, conform
from ava_core.ontology import Ontology
from tests.support.planted_work import RANDOM, Planted, good_annotators, plant

Tables = dict[tuple[str, str], pl.DataFrame]
"""By asset and table; "" is the table that is named after the asset."""

ONTOLOGY = "street"
SECONDS, PEOPLE = 15, 4
WIDTH, HEIGHT = 1280, 720
CREW = 4
"""Annotators of each clip."""
BIG_CREW = 12
"""Annotators of the big batch, of whom each clip has `CREW`; one of them answers at random."""
POOL = 40
"""Annotators of all ordinary batches together."""
SOURCE_CLIPS = 24
GOLD_CLIPS = 3
"""Of every batch in which clips were judged."""
AUDITED = 59
"""Answers in the sample of a blind audit of the big batch, of which none is answered yet."""
TRACK_STEP = CLIP_FPS // 10
"""Frames between two rows of a track: the detector looks ten times a second."""
PLANTED_CLIPS = 32
"""Clips of the big batch that differ; the others repeat them."""
EPOCH = datetime.now(UTC).replace(microsecond=0) - timedelta(days=100)
BATCH_MARK, CREW_MARK = "batch_@@@", "annotator#"
"""What stands for a batch's name, and before the number for an annotator's, in a table that is to be copied.

Marks are as long as the names of ordinary batches and of their annotators: see `_copied`.
"""
PASSWORD = "a-long-benchmark-password"


@dataclass(frozen=True)
class Size:
    """How much is planted. The last batch is the big one; with it there are 100 jobs a batch."""

    batches: int = 200
    clips: int = 23
    big_clips: int = 423
    annotation_rows: int = 1_000_000
    audit_lines: int = 20_000
    releases: int = 10
    pictures: int = 48

    @property
    def names(self) -> list[str]:
        """All batches, oldest first."""
        return [f"batch_{number:03d}" for number in range(self.batches)]

    @property
    def big(self) -> str:
        """The big batch."""
        return self.names[-1]

    def stage(self, number: int) -> str:
        """How far a batch is: released | review (half of its clips are judged) | open (a third is to be done)."""
        if number == self.batches - 1 or 0.6 <= number / self.batches < 0.9:
            return "review"
        return "released" if number / self.batches < 0.6 else "open"


FULL = Size()
SMALL = Size(batches=20, big_clips=63, annotation_rows=100_000, audit_lines=2_000, pictures=12)


@dataclass(frozen=True)
class Work:
    """Work of a batch under marks for names: see `BATCH_MARK`."""

    planted: Planted
    crew: int
    stage: str

    @cached_property
    def clips(self) -> list[str]:
        """All clips in order."""
        return self.planted.clip_ids

    @cached_property
    def done(self) -> list[str]:
        """Clips of which every job is completed."""
        return self.clips if self.stage != "open" else self.clips[: 2 * len(self.clips) // 3]

    @cached_property
    def approved(self) -> list[str]:
        """Of the judged clips, those that are not rejected."""
        return [clip for number, clip in enumerate(self.judged) if number % 8 != 5]

    @cached_property
    def judged(self) -> list[str]:
        """Clips on which somebody has decided."""
        share = {"released": 1.0, "review": 0.5, "open": 0.0}[self.stage]
        return self.clips[: round(share * len(self.clips))]

    @cached_property
    def gold(self) -> dict[str, str]:
        """Some approved clips, and whose work on each is the measure of the others'."""
        first = dict(self.jobs.sort("job_id", descending=True).select("clip_id", "annotator").iter_rows())
        return {clip: first[clip] for clip in self.approved[:GOLD_CLIPS]}

    @cached_property
    def predrawn(self) -> list[dict[str, Any]]:
        """What the annotators of the first clip found there; it stands for what those of any clip did."""
        boxes = self.planted.true_boxes.filter(pl.col("clip_id") == self.clips[0])
        return prefill_tracks(tracks_of(boxes), SECONDS * CLIP_FPS)

    @cached_property
    def jobs(self) -> pl.DataFrame:
        """`clip, job_id, annotator` of every annotator's job; job ids leave room for each clip's parent."""
        number = pl.col("job_id") - 1
        return self.planted.completed.select(
            "clip_id", "annotator", job_id=number + number // CREW + 1, clip=number // CREW
        )


def big_work(size: Size, ontology: Ontology) -> Planted:
    """The work of the big batch: some clips, over and over."""
    profiles = good_annotators(BIG_CREW - 1, 2) | {"random": RANDOM}
    clips = min(PLANTED_CLIPS, size.big_clips)
    work = plant(
        profiles, seed=2, clips=clips, seconds=SECONDS, people=PEOPLE, per_clip=CREW, ontology=ontology
    )
    rounds = -(-size.big_clips // clips)
    wanted = pl.col("clip_id") < f"clip_{size.big_clips:04d}"

    def repeated(table: pl.DataFrame) -> pl.DataFrame:
        own = pl.col("clip_id").str.slice(5).cast(pl.Int64)
        jobs = table.columns.count("job_id")
        parts = [
            table.with_columns(
                clip_id=pl.format("clip_{}", (own + turn * clips).cast(pl.String).str.zfill(4)),
                **({"job_id": pl.col("job_id") + turn * clips * CREW} if jobs else {}),
            )
            for turn in range(rounds)
        ]
        return pl.concat(parts).filter(wanted)

    names = ("true_boxes", "true_labels", "raw_boxes", "raw_labels", "completed")
    return marked_work(Planted(ontology, **{name: repeated(getattr(work, name)) for name in names}))


def marked_work(work: Planted) -> Planted:
    """Clips named after their batch and source, annotators numbered, both by marks."""
    clips = {clip: f"{BATCH_MARK}_cam{n // SOURCE_CLIPS + 1}_{n % SOURCE_CLIPS:03d}"
             for n, clip in enumerate(work.clip_ids)}  # fmt: skip
    people = work.completed["annotator"].unique().sort().to_list()
    crew = {name: f"{CREW_MARK}{number:02d}" for number, name in enumerate(people)}
    names = ("true_boxes", "true_labels", "raw_boxes", "raw_labels", "completed")

    def marked(table: pl.DataFrame) -> pl.DataFrame:
        columns = {"clip_id": clips, "annotator": crew}
        present = [name for name in columns if name in table.columns]
        return table.with_columns(pl.col(name).replace_strict(columns[name]) for name in present)

    return Planted(work.ontology, **{name: marked(getattr(work, name)) for name in names})


def names_of(work: Work, number: int) -> dict[str, str]:
    """What the marks stand for in the batch of that number."""
    first = number * CREW
    pool = [f"annotator_{(first + slot) % POOL:02d}" for slot in range(CREW)]
    crew = sorted(pool) if work.crew == CREW else [f"expert_{slot:02d}" for slot in range(work.crew)]
    return {BATCH_MARK: f"batch_{number:03d}"} | {
        f"{CREW_MARK}{slot:02d}": name for slot, name in enumerate(crew)
    }


def renamed(table: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """A table with real names in the place of marks."""
    marks, words = list(names), list(names.values())
    return table.with_columns(
        pl.col(pl.String).str.replace_many(marks, words),
        pl.col(pl.List(pl.String)).list.eval(pl.element().str.replace_many(marks, words)),
    )


def completed_jobs(work: Work) -> pl.DataFrame:
    """`schemas.COMPLETED_JOBS` as planted, with the job ids of `Work.jobs`."""
    return work.planted.completed.join(
        work.jobs.select("clip_id", "annotator", own="job_id"), on=["clip_id", "annotator"]
    ).with_columns(job_id=pl.col("own")).drop("own")  # fmt: skip


def cvat_jobs(work: Work) -> pl.DataFrame:
    """Annotators' jobs, and the parent of each clip's."""
    own = work.jobs.select("clip_id", "job_id", "annotator", "clip", job_type=pl.lit("consensus_replica"))
    parents = own.group_by("clip_id", "clip").agg(pl.col("job_id").min() - 1)
    parents = parents.with_columns(annotator=pl.lit(""), job_type=pl.lit("annotation"))
    rows = pl.concat([own, parents], how="diagonal").sort("job_id").with_columns(
        batch=pl.lit(BATCH_MARK), project_id=1, task_id=pl.col("clip") + 1, frames=SECONDS * CLIP_FPS
    )  # fmt: skip
    return conform(rows, CVAT_JOBS, "jobs")


def tracks_of(true_boxes: pl.DataFrame) -> pl.DataFrame:
    """Every person followed from second to second."""
    after = [pl.col(name).shift(-1).over("clip_id", "person_id").alias(f"{name}_b") for name in BOX_COLUMNS]
    steps = pl.DataFrame({"step": range(0, CLIP_FPS, TRACK_STEP)})
    rows = true_boxes.sort("clip_id", "person_id", "second").with_columns(after).join(steps, how="cross")
    share = pl.col("step") / CLIP_FPS
    moved = [pl.col(n) + (pl.col(f"{n}_b").fill_null(pl.col(n)) - pl.col(n)) * share for n in BOX_COLUMNS]
    return conform(
        rows.with_columns(
            *moved,
            frame=pl.col("second") * CLIP_FPS + pl.col("step"),
            track_id="person_id",
            score=pl.lit(0.9),
            interpolated=pl.lit(value=False),
        ),
        TRACKS,
        "tracks",
    )
