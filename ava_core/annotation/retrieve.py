"""Reading completed jobs back: each reading is kept as a version, and the newest versions become tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from ava_core.annotation.answered import count_answers
from ava_core.annotation.pages import job_page
from ava_core.annotation.pool import GatewayPool
from ava_core.annotation.reading import content_hash, held_answers, read_shapes, shapes_from_api
from ava_core.annotation.rules import broken_rules, load_rules
from ava_core.annotation.sync import as_seen
from ava_core.base.progress import Progress, ProgressSink, ignore_progress
from ava_core.base.schemas import COMPLETED_JOBS, HELD_ANSWERS, RAW_BOXES, RAW_LABELS, conform
from ava_core.batch import BatchContext
from ava_core.store import Store, readings, tasks
from ava_core.store.tables import DONE_STAGE, DONE_STATE, Job, Reading

KEPT_AT_ONCE: Final = 100
"""Readings that are written together: a crash loses no more than these, and they are only read again."""
READ_TRIES: Final = 3
"""Readings of a job that changes while it is read; it is taken up again when it was looked at the next time."""


def read_completed(
    at: BatchContext, clips: pl.DataFrame, sink: ProgressSink = ignore_progress
) -> dict[str, pl.DataFrame]:
    """Read what was completed or changed since its last reading; returns the newest version of all work.

    Tables: `raw_boxes`, `raw_labels`, `completed_jobs`, `held_answers`, `answered` (see `ava_core.base.schemas`).
    Unchanged content makes no new version; a job that is open again keeps its last reading, and drops out of the
    tables until it is done.
    """
    store = at.store
    jobs = tasks.completed_jobs(store, at.batch)
    last = readings.latest(store, [job.job_id for job in jobs])
    new = [j for j in jobs if j.job_id not in last or last[j.job_id].server_updated_at != j.server_updated_at]
    if new:
        progress = Progress("read jobs", len(new), "jobs", sink)
        with GatewayPool(at.settings) as pool:
            with pool.gateway() as gateway:
                form = gateway.ensure_project(at.settings.cvat_project, at.ontology).specs
            specs = {number: name for name, number in form.items()}
            for start in range(0, len(new), KEPT_AT_ONCE):
                some = new[start : start + KEPT_AT_ONCE]
                read = [one for one in pool.map(lambda job: _read(pool, store, job, specs), some) if one]
                last |= {reading.job_id: reading for reading in readings.append_all(store, read)}
                progress.advance(len(some))
        tasks.note_retrieval(store, {job.task_id for job in new})
        progress.finish()
        jobs = tasks.completed_jobs(store, at.batch)
    return _tables(at, clips, [job for job in jobs if job.job_id in last], last)


def check_rules(at: BatchContext, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """`schemas.RULE_FINDINGS` of what `read_completed` gave, with links into CVAT."""
    server = at.settings.resolved_cvat_url
    pages = {
        job.job_id: job_page(server, job.task_id, job.job_id) for job in tasks.jobs_of(at.store, at.batch)
    }
    rules = load_rules(at.settings.rules, at.ontology)
    held = tables["held_answers"]
    return broken_rules(tables["raw_boxes"], tables["raw_labels"], rules, at.ontology, pages, held)


def _read(pool: GatewayPool, store: Store, job: Job, specs: dict[int, str]) -> dict[str, Any] | None:
    """A completed job's content, as `readings.append` takes it; `None` where it has been opened again by now.

    The job is looked at after its content: a reading belongs to a moment at which the work was done.
    """
    expected = job.server_updated_at
    with pool.gateway() as gateway:
        for _ in range(READ_TRIES):
            shapes = shapes_from_api(gateway.annotations(job.job_id), specs)
            now = gateway.job(job.job_id)
            if now["updated_date"] == expected:
                return {
                    "job_id": job.job_id, "task_id": job.task_id, "annotator": job.annotator,
                    "server_updated_at": expected, "content_hash": content_hash(shapes), "shapes": shapes,
                }  # fmt: skip
            expected = now["updated_date"]
            tasks.update_jobs(store, [as_seen(job, now)])
            if (now["stage"], now["state"]) != (DONE_STAGE, DONE_STATE):
                return None
    return None


def _tables(
    at: BatchContext, clips: pl.DataFrame, jobs: list[Job], last: dict[int, Reading]
) -> dict[str, pl.DataFrame]:
    by_id = {clip["clip_id"]: clip for clip in clips.to_dicts()}
    boxes: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    done: list[dict[str, Any]] = []
    held: list[dict[str, Any]] = []
    shapes = readings.shapes_of_all(at.store, [last[job.job_id].reading_id for job in jobs])
    for job in jobs:
        reading, clip = last[job.job_id], by_id[job.clip_id]
        whose = {
            "clip_id": job.clip_id, "annotator": job.annotator, "job_id": job.job_id, "version": reading.version,
        }  # fmt: skip
        size = {name: clip[name] for name in ("frames", "width", "height")}
        job_boxes, job_labels = read_shapes(
            shapes[reading.reading_id], at.ontology, **size, predrawn=job.predrawn
        )
        boxes += [whose | row for row in job_boxes]
        labels += [whose | row for row in job_labels]
        held += [whose | row for row in held_answers(shapes[reading.reading_id], at.ontology, clip["frames"])]
        done.append(whose)
    raw_boxes = conform(pl.DataFrame(boxes, schema=dict(RAW_BOXES)), RAW_BOXES, "raw_boxes")
    raw_labels = conform(pl.DataFrame(labels, schema=dict(RAW_LABELS)), RAW_LABELS, "raw_labels")
    return {
        "raw_boxes": raw_boxes,
        "raw_labels": raw_labels,
        "completed_jobs": pl.DataFrame(done, schema=dict(COMPLETED_JOBS)),
        "held_answers": pl.DataFrame(held, schema=dict(HELD_ANSWERS)),
        "answered": count_answers(raw_boxes, raw_labels, at.ontology),
    }
