"""Clips that somebody has worked on, with what is needed to decide on them."""

from __future__ import annotations

from typing import Final

import polars as pl
from sqlalchemy import case, func, select

from ava_core.base.schemas import AGREEMENT_BY_CLIP, Schema
from ava_core.store import Store
from ava_core.store.tables import Job, Task

REVIEW_QUEUE: Final[Schema] = {
    "batch": pl.String,
    "clip_id": pl.String,
    "status": pl.String,  # pending | approved | rejected
    "completed": pl.Int64,  # annotators' jobs
    "jobs": pl.Int64,  # annotators' jobs
    "annotators": pl.Int64,
    "pooled_alpha": pl.Float64,
    "kappa": pl.Float64,
    "mean_iou": pl.Float64,
    "f1": pl.Float64,
    "shared_boxes": pl.Int64,
    "missed": pl.Int64,
    "breaches": pl.Int64,  # of rules that block; null where there is none
    "reason": pl.String,  # why figures are null
}

_WORK: Final[Schema] = {name: REVIEW_QUEUE[name] for name in ("batch", "clip_id", "completed", "jobs")}


def review_queue(
    store: Store, agreement: pl.DataFrame, breaches: pl.DataFrame, batch: str = ""
) -> pl.DataFrame:
    """`REVIEW_QUEUE` of one batch or of all, by batch and clip.

    `agreement`: `schemas.AGREEMENT_BY_CLIP`; `breaches`: rows of `schemas.RULE_FINDINGS` that block. A clip of which
    nobody has completed a job is not in it, unless it is rejected: it stays to be seen while it is done again.
    """
    figures = agreement.select(c for c in REVIEW_QUEUE if c in AGREEMENT_BY_CLIP)
    broken = breaches.group_by("clip_id").agg(breaches=pl.len())
    found = _worked_on(store, batch).join(figures, on="clip_id", how="left", maintain_order="left")
    found = found.join(broken, on="clip_id", how="left", maintain_order="left")
    return found.select(pl.col(name).cast(kind) for name, kind in REVIEW_QUEUE.items())


def _worked_on(store: Store, batch: str) -> pl.DataFrame:
    """`batch, clip_id, completed, jobs, status`; a clip with several tasks has one status."""
    done = case((Job.is_done, 1), else_=0)
    jobs = select(Job.batch, Job.clip_id, func.sum(done), func.count()).where(Job.of_annotator)
    judged = select(Task.clip_id, func.min(Task.qc_status)).group_by(Task.clip_id)
    if batch:
        jobs, judged = jobs.where(Job.batch == batch), judged.where(Task.batch == batch)
    wanted = jobs.group_by(Job.batch, Job.clip_id).order_by(Job.batch, Job.clip_id)
    with store.session() as session:
        counted = [tuple(row) for row in session.execute(wanted)]
        statuses = [tuple(row) for row in session.execute(judged)]
    status = pl.DataFrame(statuses, schema={"clip_id": pl.String, "status": pl.String}, orient="row")
    found = pl.DataFrame(counted, schema=dict(_WORK), orient="row")
    found = found.join(status, on="clip_id", how="left", maintain_order="left")
    return found.filter((pl.col("completed") > 0) | (pl.col("status") == "rejected"))
