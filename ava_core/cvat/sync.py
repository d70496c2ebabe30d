"""Watching CVAT's jobs by polling: what changed since the last look, and which work is completed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from ava_core.cvat.gateway import CvatGateway
from ava_core.store import Store, tasks
from ava_core.store.tables import Job

Cursor = dict[str, Any]
"""`since`: the newest `updated_date` seen. JSON-able."""


@dataclass(frozen=True)
class JobChange:
    """A job whose state here differed from the server's."""

    job_id: int
    batch: str
    clip_id: str
    annotator: str
    stage: str
    state: str


@dataclass(frozen=True)
class CompletedWork:
    """Completed jobs of a batch; `digest` changes whenever one is completed, reopened or changed again."""

    completed: int
    total: int
    digest: str


def look_at_jobs(
    gateway: CvatGateway, store: Store, cursor: Cursor | None = None
) -> tuple[Cursor, list[JobChange]]:
    """Bring the jobs in the database in step with the server.

    Asks only for what changed since `cursor`; a look without one reads all jobs, so whatever was missed is
    found again. Jobs that the platform did not make are passed over.
    """
    since = (cursor or {}).get("since", "")
    seen = gateway.jobs_changed_since(since)
    with store.session() as session:
        wanted = [job["id"] for job in seen]
        known = {job.job_id: job for job in session.scalars(select(Job).where(Job.job_id.in_(wanted)))}
    updates, changes = [], []
    for job in seen:
        before = known.get(job["id"])
        if before is None or before.server_updated_at == job["updated_date"]:
            continue
        # A person may re-assign a job in CVAT itself: the work is whose it is there.
        annotator = job["assignee"]["username"] if job["assignee"] and before.annotator else before.annotator
        updates.append({
            "job_id": job["id"], "stage": job["stage"], "state": job["state"], "annotator": annotator,
            "server_updated_at": job["updated_date"],
        })  # fmt: skip
        changes.append(
            JobChange(job["id"], before.batch, before.clip_id, annotator, job["stage"], job["state"])
        )
    tasks.update_jobs(store, updates)
    newest = max((job["updated_date"] for job in seen), default=since)
    return {"since": max(since, newest)}, changes


def completed_work(store: Store) -> dict[str, CompletedWork]:
    """Completed work of every batch that has some."""
    with store.session() as session:
        totals = dict(
            row._tuple()
            for row in session.execute(
                select(Job.batch, func.count()).where(Job.annotator != "").group_by(Job.batch)
            )
        )
    by_batch: dict[str, list[Job]] = {}
    for job in tasks.completed_jobs(store):
        by_batch.setdefault(job.batch, []).append(job)
    return {
        batch: CompletedWork(len(jobs), totals[batch], _digest(jobs))
        for batch, jobs in sorted(by_batch.items())
    }


def _digest(jobs: list[Job]) -> str:
    text = "\n".join(sorted(f"{job.job_id} {job.server_updated_at}" for job in jobs))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
