"""How long things took, and who waits on whom.

All hours are elapsed time: nights, queues and everything else lie in them. Working time is known of the console's own
page for labelling alone, and stands beside them (`job_work`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import polars as pl
from sqlalchemy import and_, case, func, select

from ava_core.annotation.working_time import active_times
from ava_core.base.schemas import Schema
from ava_core.base.storage import Storage
from ava_core.store import Store, makings
from ava_core.store.moments import hours_between, utc_day
from ava_core.store.tables import Batch, Decision, Job, Reading, Task, now

SECONDS_IN_HOUR: Final = 3600

BATCH_TIMES: Final[Schema] = {
    "batch": pl.String,
    "videos_in": pl.Float64,  # hours from the adding of the batch until its videos were first taken in
    "clips_cut": pl.Float64,
    "tracks_made": pl.Float64,
    "tasks_ready": pl.Float64,  # until the last of its first tasks was; annotators who were added later do not count
    "first_read": pl.Float64,  # until work of its annotators was read for the first time
    "last_read": pl.Float64,
    "makespan": pl.Float64,  # hours from the first job's readiness to the last one's completion
    "unknown": pl.List(pl.String),  # columns of what was made, but before such moments were noted
}

MADE: Final = {"videos_in": "source_videos", "clips_cut": "clips", "tracks_made": "tracks"}
"""Columns of `BATCH_TIMES` that say when an asset was made."""

CLIPS_BY_DAY: Final[Schema] = {
    "annotator": pl.String,
    "day": pl.String,  # of completion, in UTC: 2026-11-22
    "clips": pl.Int64,
}

JOB_TIMES: Final[Schema] = {
    "job_id": pl.Int64,
    "task_id": pl.Int64,
    "batch": pl.String,
    "clip_id": pl.String,
    "annotator": pl.String,
    "completed": pl.Boolean,
    "day": pl.String,  # of completion, in UTC
    "waited_h": pl.Float64,  # hours from ready to started; null where it has not begun or its start was not seen
    "elapsed_h": pl.Float64,  # hours from started to completed; null where either is not known
}

JOB_WORK: Final[Schema] = {
    "annotator": pl.String,
    "job_id": pl.Int64,
    "batch": pl.String,
    "clip_id": pl.String,
    "active_min": pl.Float64,  # minutes active on the page for labelling
    "elapsed_h": pl.Float64,  # as in `JOB_TIMES`
    "answers": pl.Int64,  # labels that were said meanwhile
    "seconds_per_label": pl.Float64,  # of those active; null where none was said
}

PACE: Final[Schema] = {
    "annotator": pl.String,
    "jobs": pl.Int64,
    "completed": pl.Int64,
    "timed": pl.Int64,  # completed jobs whose elapsed hours are known: the hours below are theirs
    "low_h": pl.Float64,  # 10 % quantile
    "quarter_h": pl.Float64,
    "median_h": pl.Float64,
    "three_quarters_h": pl.Float64,
    "high_h": pl.Float64,  # 90 % quantile
    "clips_per_day": pl.Float64,  # on days on which the annotator completed any
}

QUANTILES: Final = {
    "low_h": 0.1, "quarter_h": 0.25, "median_h": 0.5, "three_quarters_h": 0.75, "high_h": 0.9,
}  # fmt: skip

WAITING: Final[Schema] = {  # on annotators
    "batch": pl.String,
    "annotator": pl.String,
    "open_jobs": pl.Int64,
    "oldest_h": pl.Float64,  # hours since the longest waiting one was ready; null where that is not known
}

WAITING_HERE: Final[Schema] = {  # on the people of the platform; null where no clip waits
    "batch": pl.String,
    "to_review": pl.Int64,  # clips that all their annotators completed, and nobody has decided on
    "to_review_h": pl.Float64,  # hours since the longest waiting one was completed
    "to_release": pl.Int64,  # clips that are approved, and in no release
    "to_release_h": pl.Float64,  # hours since the longest waiting one was approved
}


def batch_times(store: Store, storage: Storage) -> pl.DataFrame:
    """`BATCH_TIMES`, oldest batch first; null for what has not happened yet, and for what is `unknown`.

    All moments are those that were noted when it happened: what files say changes when they are copied. The makespan
    is null while a job is open.
    """
    completed = case((func.sum(case((Job.is_done, 0), else_=1)) == 0, func.max(Job.completed_at)))
    first_task = case((Task.name == Task.clip_id, Job.created_at))
    jobs = (
        select(
            Job.batch,
            func.max(first_task).label("ready"),
            hours_between(func.min(Job.created_at), completed).label("makespan"),
        )
        .join(Task, Task.task_id == Job.task_id)
        .where(Job.of_annotator)
        .group_by(Job.batch)
        .subquery()
        .c
    )
    read = (
        select(
            Job.batch,
            func.min(Reading.read_at).label("first"),
            func.max(Reading.read_at).label("last"),
        )
        .join(Reading, Reading.job_id == Job.job_id)
        .where(Job.of_annotator)
        .group_by(Job.batch)
        .subquery()
        .c
    )
    since_added = (hours_between(Batch.created_at, moment) for moment in (jobs.ready, read.first, read.last))
    wanted = (
        select(Batch.name, Batch.created_at, *since_added, jobs.makespan)
        .outerjoin_from(Batch, jobs.batch.table, jobs.batch == Batch.name)
        .outerjoin(read.batch.table, read.batch == Batch.name)
        .order_by(Batch.created_at, Batch.name)
    )
    with store.session() as session:
        found = session.execute(wanted).all()
    made = makings.firsts(store, list(MADE.values()))
    rows = []
    for name, added, *rest in found:
        moments = made.get(name, [None] * len(MADE))
        hours = [None if moment is None else _age(added, moment) for moment in moments]
        unknown = [
            column
            for (column, asset), moment in zip(MADE.items(), moments, strict=True)
            if moment is None and storage.table_path(name, asset).exists()
        ]
        rows.append((name, *hours, *rest, unknown))
    return pl.DataFrame(rows, schema=dict(BATCH_TIMES), orient="row")


def clips_by_day(store: Store) -> pl.DataFrame:
    """`CLIPS_BY_DAY`: jobs that are completed, by annotator and day of completion, ordered by day and annotator."""
    day = utc_day(Job.completed_at)
    wanted = (
        select(Job.annotator, day, func.count())
        .where(Job.of_annotator, Job.is_done, Job.completed_at.is_not(None))
        .group_by(day, Job.annotator)
    )
    return _table(store, wanted, CLIPS_BY_DAY).sort("day", "annotator")


def job_times(store: Store) -> pl.DataFrame:
    """`JOB_TIMES`: a row per annotator's job.

    Work that was handed back and done again counts from its first start to its last completion.
    """
    return _job_table(store, JOB_TIMES)


def annotator_pace(store: Store) -> pl.DataFrame:
    """`PACE`, by annotator; figures that have no job to be of are null."""
    jobs = _job_table(store, ("annotator", "completed", "day", "elapsed_h"))
    hours = pl.col("elapsed_h")
    return (
        jobs.group_by("annotator")
        .agg(
            jobs=pl.len(),
            completed=pl.col("completed").sum(),
            timed=hours.count(),
            **{name: hours.quantile(share, "linear") for name, share in QUANTILES.items()},
            clips_per_day=pl.col("day").count() / pl.col("day").drop_nulls().n_unique(),
        )
        .with_columns(pl.col("clips_per_day").fill_nan(None))
        .select(pl.col(name).cast(kind) for name, kind in PACE.items())
        .sort("annotator")
    )


def waiting(store: Store, at: datetime | None = None) -> pl.DataFrame:
    """`WAITING` at a moment (now): what each batch still waits for, and on whom."""
    wanted = (
        select(Job.batch, Job.annotator, func.count(), func.min(Job.created_at))
        .where(Job.of_annotator, ~Job.is_done)
        .group_by(Job.batch, Job.annotator)
        .order_by(Job.batch, Job.annotator)
    )
    with store.session() as session:
        rows = [(*row[:3], _age(row[3], at)) for row in session.execute(wanted)]
    return pl.DataFrame(rows, schema=dict(WAITING), orient="row")


def waiting_here(
    store: Store, released: Mapping[str, frozenset[str]], at: datetime | None = None
) -> pl.DataFrame:
    """`WAITING_HERE` at a moment (now): clips that wait for a reviewer, or for a release.

    `released`: clips by batch that are in a release (`export.released_clips`).
    """
    found = [
        pl.DataFrame(
            [(batch, clips, _age(since, at)) for batch, clips, since in rows],
            schema={name: WAITING_HERE[name] for name in ("batch", step, f"{step}_h")},
            orient="row",
        )
        for step, rows in (("to_review", _to_review(store)), ("to_release", _to_release(store, released)))
    ]
    return found[0].join(found[1], on="batch", how="full", coalesce=True).sort("batch")


def _to_review(store: Store) -> list[tuple[str, int, datetime | None]]:
    """Batch, clips that all their annotators completed and nobody has decided on, and when the first of them was."""
    whole = (
        select(Job.batch, Job.clip_id, func.max(Job.completed_at).label("at"))
        .where(Job.of_annotator)
        .group_by(Job.batch, Job.clip_id)
        .having(func.sum(case((Job.is_done, 0), else_=1)) == 0)
        .subquery()
        .c
    )
    pending = select(Task.clip_id).where(Task.qc_status == "pending")
    wanted = select(whole.batch, func.count(), func.min(whole.at)).where(whole.clip_id.in_(pending))
    with store.session() as session:
        return [row._tuple() for row in session.execute(wanted.group_by(whole.batch))]


def _to_release(
    store: Store, released: Mapping[str, frozenset[str]]
) -> list[tuple[str, int, datetime | None]]:
    """Batch, approved clips that are in no release, and when the first of them was approved."""
    approval = and_(
        Decision.batch == Task.batch, Decision.subject == Task.clip_id, Decision.action == "approve"
    )
    wanted = (
        select(Task.batch, Task.clip_id, func.max(Decision.decided_at))
        .outerjoin(Decision, approval)
        .where(Task.qc_status == "approved")
        .group_by(Task.batch, Task.clip_id)
    )
    left: dict[str, list[datetime | None]] = {}
    with store.session() as session:
        for batch, clip, approved in session.execute(wanted):
            if clip not in released.get(batch, ()):
                left.setdefault(batch, []).append(approved)
    return [
        (batch, len(moments), min((m for m in moments if m is not None), default=None))
        for batch, moments in left.items()
    ]


def job_work(store: Store) -> pl.DataFrame:
    """`JOB_WORK`: a row per annotator and job that was worked at on the page for labelling."""
    elapsed = _job_table(store, ["job_id", "elapsed_h"])
    worked = active_times(store).join(elapsed, on="job_id", how="left", maintain_order="left")
    return worked.with_columns(active_min=pl.col("active_s") / 60).select(*JOB_WORK)


def _job_table(store: Store, columns: Iterable[str]) -> pl.DataFrame:
    """Some columns of `JOB_TIMES`."""
    done_at = case((Job.is_done, Job.completed_at))
    known = {
        "job_id": Job.job_id,
        "task_id": Job.task_id,
        "batch": Job.batch,
        "clip_id": Job.clip_id,
        "annotator": Job.annotator,
        "completed": Job.is_done,
        "day": utc_day(done_at),
        "waited_h": hours_between(Job.created_at, Job.started_at),
        "elapsed_h": hours_between(Job.started_at, done_at),
    }
    wanted = select(*(known[name] for name in columns)).where(Job.of_annotator)
    return _table(store, wanted, {name: JOB_TIMES[name] for name in columns})


def _table(store: Store, wanted: Any, schema: Schema) -> pl.DataFrame:
    # Not through a session, which looks at every row for objects.
    with store.engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(wanted).all()]
    return pl.DataFrame(rows, schema=dict(schema), orient="row")


def _age(since: datetime | None, at: datetime | None) -> float | None:
    return None if since is None else max(0.0, ((at or now()) - since).total_seconds() / SECONDS_IN_HOUR)
