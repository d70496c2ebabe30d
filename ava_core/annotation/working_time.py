"""Working time: seconds at which a person was active on the page for labelling, beside time that merely passed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl
from sqlalchemy import func, select

from ava_core.base.errors import InputError
from ava_core.base.schemas import Schema
from ava_core.ontology import Ontology
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


EVENTS: Final[Schema] = {  # as they were told, oldest first
    "annotator": pl.String,
    "job_id": pl.Int64,
    "batch": pl.String,
    "clip_id": pl.String,
    "track": pl.String,  # the page's key of the person
    "action_id": pl.Int64,  # of the batch's ontology; 0 where no class was said
    "seconds": pl.Float64,
    "answers": pl.Int64,
    "at": pl.Datetime("us", "UTC"),
}

BY_CLASS: Final[Schema] = {
    "annotator": pl.String,
    "ontology": pl.String,
    "action": pl.String,
    "labels": pl.Int64,
    "active_s": pl.Float64,  # since the answer before
    "seconds_per_label": pl.Float64,
}


def record_active(
    store: Store, job_id: int, user_name: str, track: str, seconds: float, answers: int, action_id: int = 0
) -> None:
    """Keep that somebody worked at a job, and what came of it: `answers`, of the class `action_id` (0: of none).

    Raises `InputError` for a stretch that cannot be.
    """
    if not 0 <= seconds <= LONGEST_SECONDS or answers < 0:
        raise InputError(
            f"{seconds:g} s with {answers} answers is not a valid working time.", "Reload the page."
        )
    with store.session() as session:
        session.add(
            ActiveTime(
                job_id=job_id, annotator=user_name, track=track, seconds=seconds, answers=answers,
                action_id=action_id,
            )
        )  # fmt: skip


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


def active_events(store: Store, annotator: str = "") -> pl.DataFrame:
    """`EVENTS` of one annotator or of all."""
    told = ActiveTime
    wanted = (
        select(
            told.annotator, told.job_id, Job.batch, Job.clip_id, told.track, told.action_id, told.seconds,
            told.answers, told.at,
        )
        .join(Job, Job.job_id == told.job_id)
        .order_by(told.event_id)
    )  # fmt: skip
    if annotator:
        wanted = wanted.where(told.annotator == annotator)
    with store.session() as session:
        rows = [tuple(row) for row in session.execute(wanted)]
    return pl.DataFrame(rows, schema=dict(EVENTS), orient="row")


def active_by_class(store: Store, ontology_of: Callable[[str], Ontology]) -> pl.DataFrame:
    """`BY_CLASS`, by annotator and class; `ontology_of` gives a batch's. A class that its ontology lost has no row."""
    events = active_events(store).filter(pl.col("action_id") > 0)
    vocabularies = {batch: ontology_of(batch) for batch in events["batch"].unique()}
    names = [
        (batch, ontology.name, action.id, action.name)
        for batch, ontology in vocabularies.items()
        for action in ontology.actions
    ]
    columns = {"batch": pl.String, "ontology": pl.String, "action_id": pl.Int64, "action": pl.String}
    known = pl.DataFrame(names, schema=columns, orient="row")
    return (
        events.join(known, on=["batch", "action_id"])
        .group_by("annotator", "ontology", "action")
        .agg(labels=pl.col("answers").sum(), active_s=pl.col("seconds").sum())
        .filter(pl.col("labels") > 0)
        .with_columns(seconds_per_label=pl.col("active_s") / pl.col("labels"))
        .select(*BY_CLASS)
        .sort("annotator", "ontology", "action")
    )
