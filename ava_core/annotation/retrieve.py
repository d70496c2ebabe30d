"""Reading completed jobs back: each reading is kept as a version, and the versions that count become tables."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import polars as pl

from ava_core.annotation.answered import count_answers
from ava_core.annotation.pages import job_page
from ava_core.annotation.reader import Reader, finding
from ava_core.annotation.reading import (
    Shape,
    extent,
    held_answers,
    read_shapes,
    unclear_answers,
    unknown_values,
)
from ava_core.annotation.rules import broken_rules, load_rules
from ava_core.base.errors import InputError
from ava_core.base.progress import ProgressSink, ignore_progress
from ava_core.base.schemas import COMPLETED_JOBS, HELD_ANSWERS, RAW_BOXES, RAW_LABELS, Schema, conform
from ava_core.batch import BatchContext
from ava_core.ontology.form import form_fields
from ava_core.store import readings, tasks
from ava_core.store.imported_work import is_imported
from ava_core.store.tables import Job, Reading

VERSIONS: Final[Schema] = {
    "version": pl.Int64,
    "annotator": pl.String,  # who did the work
    "read_at": pl.Datetime("us", "UTC"),
    "people": pl.Int64,  # at whole seconds
    "answers": pl.Int64,
    "status": pl.String,  # counts | older | why it was held back or set aside
}

Said = Sequence[tuple[Job, Reading, list[Shape]]]
"""Jobs with the reading that counts and its shapes."""


def read_completed(
    at: BatchContext, clips: pl.DataFrame, sink: ProgressSink = ignore_progress
) -> dict[str, pl.DataFrame]:
    """Read jobs completed or changed since their last reading; returns the counting versions of all jobs.

    Tables: `raw_boxes`, `raw_labels`, `completed_jobs`, `held_answers`, `answered`, `job_findings` (see
    `ava_core.base.schemas`). Unchanged content creates no new version. A reopened job keeps its last reading, but is
    missing from the tables until it is completed. A job that cannot be read, or that lost most of its content, keeps
    its earlier version and becomes a finding.
    """
    reader = Reader(at, sink)
    reader.read(tasks.completed_jobs(at.store, at.batch))
    jobs = tasks.completed_jobs(at.store, at.batch)
    last = readings.latest(at.store, [job.job_id for job in jobs])
    shapes = readings.shapes_of_all(at.store, [reading.reading_id for reading in last.values()])
    said = [
        (job, last[job.job_id], shapes[last[job.job_id].reading_id]) for job in jobs if job.job_id in last
    ]
    return _tables(at, clips, said) | {"job_findings": reader.findings(jobs, _unknown(at, said))}


def answered_now(at: BatchContext, job_ids: Collection[int]) -> dict[int, float]:
    """The share of answers given in jobs as they are on the server at this moment, done or not; nothing is kept.

    Jobs that draw nobody or cannot be read are left out.
    """
    jobs = [job for job in tasks.jobs_of(at.store, at.batch) if job.job_id in job_ids]
    frames = {job.job_id: job.frames for job in jobs}
    found = {}
    for job_id, shapes in Reader(at).look_into(jobs).items():
        living, answers = extent(shapes, at.ontology, frames[job_id])
        if living:
            found[job_id] = answers / (living * len(at.ontology.groups))
    return found


def versions_of(at: BatchContext, job_id: int) -> pl.DataFrame:
    """All versions of a job, oldest first: `VERSIONS`. Raises `InputError` where the batch has no such job."""
    job = next((job for job in tasks.jobs_of(at.store, at.batch) if job.job_id == job_id), None)
    if job is None:
        raise InputError(f"Batch {at.batch} has no job {job_id}.", "See the Progress page for jobs.")
    known = readings.versions(at.store, job_id)
    shapes = readings.shapes_of_all(at.store, [reading.reading_id for reading in known])
    counting = readings.latest(at.store, [job_id]).get(job_id)
    rows = []
    for reading in known:
        living, answers = extent(shapes[reading.reading_id], at.ontology, job.frames)
        counts = counting is not None and counting.version == reading.version
        status = "counts" if counts else reading.held or "older"
        rows.append((reading.version, reading.annotator, reading.read_at, living, answers, status))
    return pl.DataFrame(rows, schema=dict(VERSIONS), orient="row")


def check_rules(at: BatchContext, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """`schemas.RULE_FINDINGS` of what `read_completed` gave, with links to the jobs."""
    pages = {
        job.job_id: job_page(at.settings, job.task_id, job.job_id)
        for job in tasks.jobs_of(at.store, at.batch)
        if not is_imported(job.job_id)
    }
    rules = load_rules(at.settings.rules, at.ontology)
    held = tables["held_answers"]
    return broken_rules(tables["raw_boxes"], tables["raw_labels"], rules, at.ontology, pages, held)


def _unknown(at: BatchContext, said: Said) -> list[dict[str, Any]]:
    """Rows of `schemas.JOB_FINDINGS`: values that the ontology does not have."""
    group_of = {field.name: field.group for field in form_fields(at.ontology)}
    return [
        finding(
            at, job, "unknown_value",
            f"{field}: {value!r} ({number} keyframes) is not in ontology {at.ontology.name} {at.ontology.version}.",
            f"Take it into the ontology (page Ontology, or `ava reading take-in {at.batch} {group_of[field]} "
            f"{shlex.quote(value)}`), or ask the annotator to choose another value.",
            version=reading.version,
        )
        for job, reading, shapes in said
        for (field, value), number in unknown_values(shapes, at.ontology).items()
    ]  # fmt: skip


def _tables(at: BatchContext, clips: pl.DataFrame, said: Said) -> dict[str, pl.DataFrame]:
    by_id = {clip["clip_id"]: clip for clip in clips.to_dicts()}
    boxes: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    done: list[dict[str, Any]] = []
    held: list[dict[str, Any]] = []
    unclear: list[dict[str, Any]] = []
    drawn = tasks.predrawn(at.store, [job.job_id for job, _, _ in said])
    for job, reading, shapes in said:
        clip = by_id[job.clip_id]
        whose = {
            "clip_id": job.clip_id, "annotator": reading.annotator, "job_id": job.job_id,
            "version": reading.version,
        }  # fmt: skip
        size = {name: clip[name] for name in ("frames", "width", "height")}
        job_boxes, job_labels = read_shapes(shapes, at.ontology, **size, predrawn=drawn[job.job_id])
        boxes += [whose | row for row in job_boxes]
        labels += [whose | row for row in job_labels]
        held += [whose | row for row in held_answers(shapes, at.ontology, clip["frames"])]
        unclear += [whose | row for row in unclear_answers(shapes, at.ontology, clip["frames"])]
        done.append(whose)
    raw_boxes = conform(pl.DataFrame(boxes, schema=dict(RAW_BOXES)), RAW_BOXES, "raw_boxes")
    raw_labels = conform(pl.DataFrame(labels, schema=dict(RAW_LABELS)), RAW_LABELS, "raw_labels")
    return {
        "raw_boxes": raw_boxes,
        "raw_labels": raw_labels,
        "completed_jobs": pl.DataFrame(done, schema=dict(COMPLETED_JOBS)),
        "held_answers": pl.DataFrame(held, schema=dict(HELD_ANSWERS)),
        "answered": count_answers(
            raw_boxes, raw_labels, pl.DataFrame(unclear, schema=dict(HELD_ANSWERS)), at.ontology
        ),
    }
