"""A home as some months of work leave it: 200 batches with all their tables, jobs, decisions, releases.

The work of one ordinary batch and of one big one is planted and measured as the assets do it; every other batch is
a copy under its own names. What stands in a table of the storage stands in the database as well. Planting all of
it anew takes a minute or two, so nothing is kept between two runs.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from ava_core.agreement.build import match_work
from ava_core.agreement.measure import measure_work
from ava_core.consensus.form import form_from_work
from ava_core.cvat.prefill import prefill_tracks
from ava_core.export import provenance
from ava_core.export.card import Card, write_card
from ava_core.export.dataset import Dataset
from ava_core.export.gather import Inputs, manifest
from ava_core.export.inputs import load_inputs
from ava_core.export.layout import write_annotations
from ava_core.export.lineage import FILE as LINEAGE_FILE
from ava_core.export.lineage import lineage
from ava_core.export.options import ReleaseOptions
from ava_core.export.rows import annotation_rows
from ava_core.media.frames import jpeg
from ava_core.ontology import Ontology, load_ontology
from ava_core.proposals.keyframes import keyframe_proposals
from ava_core.quality.audits import start_audit
from ava_core.rules import broken_rules, load_rules
from ava_core.settings import Settings
from ava_core.storage import Storage
from ava_core.store import Store, annotators, open_store, users
from ava_core.store.tables import AuditEntry, Batch, Decision, Job, Project, Reading, Task
from ava_core.tables import (
    BOX_COLUMNS,
    CLIP_FPS,
    CLIPS,
    CVAT_JOBS,
    RAW_BOXES,
    RAW_LABELS,
    SOURCE_VIDEOS,
    TRACKS,
    conform,
    empty,
)
from tests.core.planted import RANDOM, Planted, good_annotators, plant
from tests.core.videos import picture_of, write_video

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
        return prefill_tracks(_tracks(boxes), SECONDS * CLIP_FPS)

    @cached_property
    def jobs(self) -> pl.DataFrame:
        """`clip, job_id, annotator` of every annotator's job; job ids leave room for each clip's parent."""
        number = pl.col("job_id") - 1
        return self.planted.completed.select(
            "clip_id", "annotator", job_id=number + number // CREW + 1, clip=number // CREW
        )


def make_home(settings: Settings, size: Size) -> None:
    """Plant everything into an empty home."""
    store, storage = open_store(settings), Storage(settings.resolved_storage_url)
    ontology = load_ontology(ONTOLOGY)
    ordinary = _marked(plant(
        good_annotators(CREW, 1), seed=1, clips=size.clips, seconds=SECONDS, people=PEOPLE, ontology=ontology
    ))  # fmt: skip
    works = {stage: Work(ordinary, CREW, stage) for stage in ("released", "review", "open")}
    big = Work(_big(size, ontology), BIG_CREW, "review")
    made = {stage: _tables(work, ontology) for stage, work in works.items()} | {"big": _tables(big, ontology)}
    _people(store)
    files = {stage: _files(tables) for stage, tables in made.items() if stage != "big"}
    with store.session() as session:
        session.execute(insert(Project), [{"project_id": 1, "name": settings.cvat_project}])
        for number, name in enumerate(size.names):
            stage = size.stage(number)
            work = big if name == size.big else works[stage]
            names = _names(work, number)
            if work is big:
                for (asset, table), content in made["big"].items():
                    storage.write_table(storage.table_path(name, asset, table), _renamed(content, names))
            else:
                for (asset, table), content in files[stage].items():
                    storage.write_bytes(storage.table_path(name, asset, table), _copied(content, names))
            _rows(session, settings, work, number, names)
    _annotations(store, size.annotation_rows)
    _audit_log(store, size)
    blind = {name: _renamed(made["big"]["consensus_labels", name], _names(big, size.batches - 1))
             for name in ("consensus_boxes", "consensus_labels", "disputed")}  # fmt: skip
    start_audit(store, size.big, blind, ontology, size=AUDITED, seed=0, actor="reviewer_0")
    _media(storage, size, _names(big, size.batches - 1), big.clips)
    _releases(settings, storage, store, size, ontology, made["released"])


def _big(size: Size, ontology: Ontology) -> Planted:
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
    return _marked(Planted(ontology, **{name: repeated(getattr(work, name)) for name in names}))


def _marked(work: Planted) -> Planted:
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


def _names(work: Work, number: int) -> dict[str, str]:
    """What the marks stand for in the batch of that number."""
    first = number * CREW
    pool = [f"annotator_{(first + slot) % POOL:02d}" for slot in range(CREW)]
    crew = sorted(pool) if work.crew == CREW else [f"expert_{slot:02d}" for slot in range(work.crew)]
    return {BATCH_MARK: f"batch_{number:03d}"} | {
        f"{CREW_MARK}{slot:02d}": name for slot, name in enumerate(crew)
    }


def _files(tables: Tables) -> dict[tuple[str, str], bytes]:
    """The content of a parquet file of each table, not compressed: see `_copied`."""
    found = {}
    for key, table in tables.items():
        file = io.BytesIO()
        table.write_parquet(file, compression="uncompressed")
        found[key] = file.getvalue()
    return found


def _copied(file: bytes, names: Mapping[str, str]) -> bytes:
    """A parquet file with names in the place of marks that are as long: thousands are made in seconds."""
    for mark, name in names.items():
        if len(mark) != len(name):
            raise ValueError(f"{name} is not as long as {mark}")
        file = file.replace(mark.encode(), name.encode())
    return file


def _renamed(table: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """A table with real names in the place of marks."""
    marks, words = list(names), list(names.values())
    return table.with_columns(
        pl.col(pl.String).str.replace_many(marks, words),
        pl.col(pl.List(pl.String)).list.eval(pl.element().str.replace_many(marks, words)),
    )


def _tables(work: Work, ontology: Ontology) -> Tables:
    """What the assets of a batch leave behind."""
    done = pl.col("clip_id").is_in(work.done)
    boxes, labels, completed = (
        table.filter(done) for table in (work.planted.raw_boxes, work.planted.raw_labels, _completed(work))
    )
    clips, tracks = _clips(work.clips), _tracks(work.planted.true_boxes)
    matched = match_work(boxes, labels, completed, ontology)
    formed = form_from_work(matched, approved=work.approved)
    raw = {
        "raw_boxes": boxes, "raw_labels": labels, "completed_jobs": completed,
        "rule_findings": broken_rules(boxes, labels, load_rules("", ontology), ontology, {}),
        "expert_boxes": empty(RAW_BOXES), "expert_labels": empty(RAW_LABELS),
        "expert_clips": empty({"clip_id": pl.String, "annotator": pl.String}),
    }  # fmt: skip
    found = {
        ("source_videos", ""): _sources(work.clips),
        ("clips", ""): clips,
        ("tracks", ""): tracks,
        ("dense_proposals", ""): keyframe_proposals(clips, tracks),
        ("cvat_tasks", ""): _cvat_jobs(work),
        **{("raw_annotations", name): table for name, table in raw.items()},
        **{("agreement", name): table for name, table in measure_work(matched, gold=work.gold).items()},
    }
    if work.approved:
        rows = annotation_rows(
            formed["consensus_boxes"], formed["consensus_labels"], clips, formed["disputed"]
        )
        found |= {("consensus_labels", name): table for name, table in formed.items()}
        found[("ava_csv", "")] = rows
    return found


def _completed(work: Work) -> pl.DataFrame:
    return work.planted.completed.join(
        work.jobs.select("clip_id", "annotator", own="job_id"), on=["clip_id", "annotator"]
    ).with_columns(job_id=pl.col("own")).drop("own")  # fmt: skip


def _source(clip: str) -> str:
    return clip.rsplit("_", 1)[0]


def _sources(clips: list[str]) -> pl.DataFrame:
    """One video for some clips, and one that cannot be read."""
    rows = [
        {"source_id": source, "batch": BATCH_MARK, "original_name": f"{source.rsplit('_')[-1]}.mp4", "status": "ok",
         "path": f"batches/{BATCH_MARK}/source_videos/files/{source}.mp4", "reason": "", "codec": "h264",
         "sha256": f"{number:064x}", "size_bytes": 50_000_000, "container": "mov", "pixel_format": "yuv420p",
         "width": 1920, "height": 1080, "rotation": 0, "fps": 25.0, "variable_rate": False, "duration_s": 360.0}
        for number, source in enumerate(sorted({_source(clip) for clip in clips}))
    ]  # fmt: skip
    broken = {
        "source_id": f"{BATCH_MARK}_broken",
        "original_name": "broken.mp4",
        "status": "quarantined",
        "reason": "it holds no picture that can be decoded",
    }
    rows.append(dict.fromkeys(SOURCE_VIDEOS) | {"batch": BATCH_MARK, "path": "", **broken})
    return conform(pl.DataFrame(rows, infer_schema_length=None), SOURCE_VIDEOS, "source videos")


def _clips(clips: list[str]) -> pl.DataFrame:
    rows = [
        {"clip_id": clip, "source_id": _source(clip), "batch": BATCH_MARK, "index": int(clip[-3:]),
         "start_s": float(SECONDS * int(clip[-3:])), "duration_s": float(SECONDS), "frames": SECONDS * CLIP_FPS,
         "width": WIDTH, "height": HEIGHT, "scale_x": 2 / 3, "scale_y": 2 / 3, "pad_x": 0, "pad_y": 0,
         "content_width": WIDTH, "content_height": HEIGHT,
         "path": f"batches/{BATCH_MARK}/clips/files/{clip}.mp4", "sha256": f"{number:064x}"}
        for number, clip in enumerate(clips)
    ]  # fmt: skip
    return conform(pl.DataFrame(rows), CLIPS, "clips")


def _tracks(true_boxes: pl.DataFrame) -> pl.DataFrame:
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


def _cvat_jobs(work: Work) -> pl.DataFrame:
    """Annotators' jobs, and the parent of each clip's."""
    own = work.jobs.select("clip_id", "job_id", "annotator", "clip", job_type=pl.lit("consensus_replica"))
    parents = own.group_by("clip_id", "clip").agg(pl.col("job_id").min() - 1)
    parents = parents.with_columns(annotator=pl.lit(""), job_type=pl.lit("annotation"))
    rows = pl.concat([own, parents], how="diagonal").sort("job_id").with_columns(
        batch=pl.lit(BATCH_MARK), project_id=1, task_id=pl.col("clip") + 1, frames=SECONDS * CLIP_FPS
    )  # fmt: skip
    return conform(rows, CVAT_JOBS, "jobs")


def _people(store: Store) -> None:
    for number in range(5):
        users.add(store, f"reviewer_{number}", PASSWORD, "reviewer")
    for number in range(POOL):
        annotators.put(store, f"annotator_{number:02d}", cvat_user_id=100 + number)
    for number in range(BIG_CREW):
        annotators.put(store, f"expert_{number:02d}", cvat_user_id=200 + number)


def _rows(session: Session, settings: Settings, work: Work, number: int, names: Mapping[str, str]) -> None:
    """The batch, its tasks, jobs, readings and decisions in the database."""
    batch, created = names[BATCH_MARK], EPOCH + timedelta(hours=12 * number)
    own = _renamed(_cvat_jobs(work).with_columns(done=pl.col("clip_id").is_in(work.done)), names)
    first = number * 10_000
    own = own.with_columns(pl.col("task_id", "job_id") + first, by=pl.col("job_id").rank("ordinal"))
    judged = {clip.replace(BATCH_MARK, batch): clip in work.approved for clip in work.judged}
    status = {clip: "approved" if good else "rejected" for clip, good in judged.items()}
    clips = own.unique("clip_id", maintain_order=True)
    jobs = [_job(row, work.predrawn, created) for row in own.iter_rows(named=True)]
    read = [job for job in jobs if job["annotator"] and job["state"] == "completed"]
    session.execute(insert(Batch), [
        {"name": batch, "source_path": str(settings.inbox_dir / f"{batch}.zip"), "options": {}, "created_at": created}
    ])  # fmt: skip
    session.execute(insert(Task), [
        {"task_id": task, "project_id": 1, "name": clip, "batch": batch, "clip_id": clip,
         "qc_status": status.get(clip, "pending")}
        for task, clip in clips.select("task_id", "clip_id").iter_rows()
    ])  # fmt: skip
    session.execute(insert(Job), jobs)
    session.execute(insert(Reading), [
        {"job_id": job["job_id"], "version": 1, "annotator": job["annotator"], "content_hash": "x",
         "server_updated_at": job["server_updated_at"], "read_at": created + timedelta(hours=job["job_id"] % 60)}
        for job in read
    ])  # fmt: skip
    if judged:
        gold = {clip.replace(BATCH_MARK, batch): names[name] for clip, name in work.gold.items()}
        session.execute(insert(Decision), _decisions(batch, number, judged, gold, own, created))


def _job(row: dict[str, Any], predrawn: list[dict[str, Any]], created: datetime) -> dict[str, Any]:
    """Jobs of a clip that is not done: begun, or still new."""
    open_state = "in progress" if row["job_id"] % 2 else "new"
    done = row["done"] and row["annotator"]
    begun, changed = (created + timedelta(hours=row["job_id"] % 60 + hours) for hours in (1, 3))
    state = "completed" if done else open_state
    return {
        "job_id": row["job_id"], "task_id": row["task_id"], "batch": row["batch"], "clip_id": row["clip_id"],
        "job_type": row["job_type"], "annotator": row["annotator"], "stage": "annotation",
        "state": state, "frames": row["frames"], "predrawn": predrawn, "created_at": created,
        "started_at": begun if state != "new" else None, "completed_at": changed if done else None,
        "server_updated_at": f"{changed:%Y-%m-%dT%H:%M:%S.000000Z}",
    }  # fmt: skip


def _decisions(
    batch: str,
    number: int,
    judged: Mapping[str, bool],
    gold: Mapping[str, str],
    jobs: pl.DataFrame,
    created: datetime,
) -> list[dict[str, Any]]:
    """Every clip judged; in some batches an annotator left out, in some a few answers adjudicated."""

    def row(action: str, subject: str, hours: float, comment: str = "", **after: Any) -> dict[str, Any]:
        at = created + timedelta(hours=hours)
        return {"batch": batch, "action": action, "subject": subject, "actor": f"reviewer_{number % 5}",
                "comment": comment, "before": {}, "after": after, "decided_at": at}  # fmt: skip

    rows = [
        row("approve", clip, 70 + n / 60, qc_status="approved") if good
        else row("reject", clip, 70 + n / 60, "a person is missing at second 6", qc_status="rejected")
        for n, (clip, good) in enumerate(judged.items())
    ]  # fmt: skip
    rows += [row("gold", clip, 79, expert=name) for clip, name in gold.items()]
    if number % 10 == 3:
        name = jobs.filter(pl.col("annotator") != "")["annotator"][0]
        rows.append(row("exclude", name, 80, "answers at random", excluded=True))
    for second, clip in enumerate(list(judged)[:5] if number % 5 == 4 else []):
        place = {"clip_id": clip, "second": second, "person_id": 1, "group": "pose"}
        subject = f"{clip}/{second}/1/pose"
        rows.append(row("adjudicate", subject, 81, **place, action_ids=[1]))
    return rows


def _annotations(store: Store, wanted: int) -> None:
    """Keyframe shapes of every reading, that many in all or a few more."""
    with store.session() as session:
        readings = session.scalar(text("SELECT count(*) FROM readings"))
        session.execute(
            text(
                "INSERT INTO annotations (reading_id, task_id, job_id, track_id, frame, xtl, ytl, xbr, ybr, outside,"
                " attributes, annotator)"
                " WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :each)"
                " SELECT r.reading_id, j.task_id, j.job_id, n.i / :seconds, n.i % :seconds * 30, 100.0, 100.0, 180.0,"
                ' 300.0, :no, \'{"pose": "stand"}\', j.annotator'
                " FROM readings r JOIN jobs j ON j.job_id = r.job_id CROSS JOIN n"
            ),
            {"each": -(-wanted // readings), "seconds": SECONDS, "no": False},
        )


def _audit_log(store: Store, size: Size) -> None:
    actions = ("sign in", "process", "add batch", "re-assign", "retry run", "top up", "sign out")
    minutes = 100 * 24 * 60 / size.audit_lines
    rows = [
        {"at": EPOCH + timedelta(minutes=minutes * n), "actor": f"reviewer_{n % 5}",
         "action": actions[n % len(actions)], "subject": size.names[n * size.batches // size.audit_lines],
         "detail": {"jobs": n % 97, "stage": "tracks and proposals"} if n % 3 else {}}
        for n in range(size.audit_lines)
    ]  # fmt: skip
    with store.session() as session:
        session.execute(insert(AuditEntry), rows)


def _media(storage: Storage, size: Size, names: Mapping[str, str], clips: list[str]) -> None:
    """Clips that play, all of them the same video, and keyframes of those that the batch's page shows."""
    batch = names[BATCH_MARK]
    ids = [clip.replace(BATCH_MARK, batch) for clip in clips]
    files = storage.local(storage.path("batches", batch, "clips", "files"))
    files.mkdir(parents=True)
    video = write_video(files / f"{ids[0]}.mp4", size=(640, 360), fps=CLIP_FPS, seconds=float(SECONDS))
    for clip in ids[1:]:
        (files / f"{clip}.mp4").hardlink_to(video)
    for number, clip in enumerate(ids[: size.pictures]):
        noise = np.random.default_rng(number).integers(0, 60, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
        picture = picture_of(number, WIDTH, HEIGHT) + noise.repeat(8, axis=0).repeat(8, axis=1) // 2
        folder = storage.asset_dir(batch, "clips") / "keyframes" / clip
        storage.write_bytes(folder / f"{SECONDS // 2:04d}.jpg", jpeg(picture, 85))


def _releases(
    settings: Settings, storage: Storage, store: Store, size: Size, ontology: Ontology, made: Tables
) -> None:
    """As releases are written, but without pictures: small ones, then half of the released batches, then all.

    The card of the last is real, and the others' is the same text.
    """
    names = [name for number, name in enumerate(size.names) if size.stage(number) == "released"]
    inputs = load_inputs(storage, store, names)
    tables = [one for one, _ in inputs]
    about = provenance.describe("", tables, ontology, asdict(ReleaseOptions()), settings, storage, store)
    whole, card = _dataset(inputs, ontology), ""
    for number in range(size.releases, 0, -1):
        share = {size.releases: 1.0, size.releases - 1: 0.5}.get(number, 0.01 * number)
        inside = inputs[: max(1, round(share * len(inputs)))]
        folder = storage.local(storage.path("releases", f"v{number}"))
        folder.mkdir(parents=True)
        batches = {one.batch: about["batches"][one.batch] for one, _ in inside}
        own = about | {"name": folder.name, "batches": batches}
        origin = _write_dataset(folder, whole, inside)
        if not card:
            agreement = {table: content for (asset, table), content in made.items() if asset == "agreement"}
            write_card(
                folder, Card(whole, licence="CC-BY-4.0", agreement=agreement, lineage=origin, about=own)
            )
            card = (folder / "dataset_card.md").read_text("utf-8")
        (folder / "dataset_card.md").write_text(card, "utf-8")
        provenance.write_about(folder, own)
        made_at = (EPOCH + timedelta(days=10 * number)).timestamp()
        os.utime(folder / "release.json", (made_at, made_at))


def _dataset(inputs: Inputs, ontology: Ontology) -> Dataset:
    """All rows, two source videos in ten for validation and test."""
    tables = [one for one, _ in inputs]
    rows = pl.concat(
        annotation_rows(one.consensus_boxes, one.consensus_labels, one.clips, one.disputed) for one in tables
    )
    clips = pl.concat(one.clips for one in tables)
    clips = clips.join(rows, left_on="clip_id", right_on="video_id", how="semi")
    splits = ("train",) * 8 + ("val", "test")
    split_of = {source: splits[n % 10] for n, source in enumerate(clips["source_id"].unique().sort())}
    return Dataset(
        title="Release", rows=rows, clips=clips, ontology=ontology,
        proposals=pl.concat(one.proposals for one in tables), disputed=pl.concat(one.disputed for one in tables),
        split_of={clip: split_of[source] for clip, source in clips.select("clip_id", "source_id").iter_rows()},
    )  # fmt: skip


def _write_dataset(folder: Path, whole: Dataset, inside: Inputs) -> pl.DataFrame:
    """The part of the dataset that comes of some batches; gives its lineage."""
    clips = whole.clips.filter(pl.col("batch").is_in([one.batch for one, _ in inside]))
    own = clips.select("clip_id")

    def part(table: pl.DataFrame, column: str = "clip_id") -> pl.DataFrame:
        return table.join(own, left_on=column, right_on="clip_id", how="semi", maintain_order="left")

    dataset = replace(
        whole, clips=clips, rows=part(whole.rows, "video_id"), proposals=part(whole.proposals),
        disputed=part(whole.disputed), split_of={clip: whole.split_of[clip] for clip in clips["clip_id"]},
    )  # fmt: skip
    write_annotations(folder, dataset)
    manifest(dataset, inside).write_parquet(folder / "manifest.parquet")
    origin = lineage(dataset, inside)
    origin.write_parquet(folder / LINEAGE_FILE)
    return origin
