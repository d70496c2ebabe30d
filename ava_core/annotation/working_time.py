"""Working time: seconds at which a person was active on the page for labelling, beside time that merely passed."""

from __future__ import annotations

from typing import Final

import polars as pl
from sqlalchemy import func, select

from ava_core.base.errors import InputError
from ava_core.base.schemas import Schema
from ava_core.store import Store
from ava_core.store.tables import ActiveTime, Job

LONGEST_SECONDS: Final = 3600.0
"""Of one stretch: the page tells of them every few seconds, so a longer one is no working time."""

ACTIVE: Final[Schema] = {
    "annotator": pl.String,
    "job_id": pl.Int64,
    "batch": pl.String,
    "clip_id": pl.String,
    "active_s": pl.Float64,
    "answers": pl.Int64,  # labels that were said meanwhile
    "seconds_per_label": pl.Float64,  # null where none was said
}


def record_active(
    store: Store, job_id: int, user_name: str, track: str, seconds: float, answers: int
) -> None:
    """Keep that somebody worked at a job. Raises `InputError` for a stretch that cannot be."""
    if not 0 <= seconds <= LONGEST_SECONDS or answers < 0:
        raise InputError(f"{seconds:g} s with {answers} answers is no working time.", "Reload the page.")
    with store.session() as session:
        session.add(
            ActiveTime(job_id=job_id, annotator=user_name, track=track, seconds=seconds, answers=answers)
        )


def active_times(store: Store, annotator: str = "") -> pl.DataFrame:
    """`ACTIVE`: a row per annotator and job, of one annotator or of all, ordered by annotator and job."""
    seconds, answers = func.sum(ActiveTime.seconds), func.sum(ActiveTime.answers)
    wanted = (
        select(ActiveTime.annotator, ActiveTime.job_id, Job.batch, Job.clip_id, seconds, answers)
        .join(Job, Job.job_id == ActiveTime.job_id)
        .group_by(ActiveTime.annotator, ActiveTime.job_id, Job.batch, Job.clip_id)
        .order_by(ActiveTime.annotator, ActiveTime.job_id)
    )
    if annotator:
        wanted = wanted.where(ActiveTime.annotator == annotator)
    with store.session() as session:
        rows = [
            (*row[:5], int(row[5]), row[4] / row[5] if row[5] else None) for row in session.execute(wanted)
        ]
    return pl.DataFrame(rows, schema=dict(ACTIVE), orient="row")
