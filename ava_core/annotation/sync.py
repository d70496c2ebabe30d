"""Watching CVAT's jobs by polling: what changed since the last look, and which work is completed."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select

from ava_core.annotation.gateway import CvatGateway
from ava_core.store import Store, readings, tasks
from ava_core.store.tables import BEGUN_STATE, DONE_STAGE, MISSING, Batch, Job, Reading

LOOK_BACK_SECONDS: Final = 60
"""A change may become visible after a later one: transactions end in another order than they begin."""

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
    """Completed jobs of a batch.

    `digest` changes whenever one is completed, reopened or changed again, and when another of its readings is taken up.
    """

    completed: int
    total: int
    digest: str


def look_at_jobs(
    gateway: CvatGateway, store: Store, cursor: Cursor | None = None
) -> tuple[Cursor, list[JobChange]]:
    """Synchronise the jobs in the database with the server.

    Asks only for changes since `cursor`; without a cursor it reads all jobs, and so finds any missed change. Ignores
    jobs that the platform did not create.
    """
    since = (cursor or {}).get("since", "")
    seen = gateway.jobs_changed_since(_earlier(since))
    with store.session() as session:
        wanted = [job["id"] for job in seen]
        known = {job.job_id: job for job in session.scalars(select(Job).where(Job.job_id.in_(wanted)))}
    updates, changes = [], []
    for job in seen:
        before = known.get(job["id"])
        known_as_it_is = (
            before and before.server_updated_at == job["updated_date"] and before.state != MISSING
        )
        if before is None or known_as_it_is:
            continue
        update = as_seen(before, job)
        updates.append(update)
        changes.append(
            JobChange(
                job["id"], before.batch, before.clip_id, update["annotator"], job["stage"], job["state"]
            )
        )
    tasks.update_jobs(store, updates)
    newest = max((job["updated_date"] for job in seen), default=since)
    return {"since": max(since, newest)}, changes


def as_seen(job: Job, seen: dict[str, Any]) -> dict[str, Any]:
    """The columns of a job that the server's answer changes, with its `job_id`.

    The moments of work are of the look that first saw a state: `started_at` stays once it is set, unless the job
    goes to somebody else; `completed_at` is of the present completion, and null while the job is open. Where the
    webhook has told of a completion since the last look, its word holds: a date of the server is the last touch's.

    A person may re-assign a job in CVAT itself: open work is then whose it is there. Work that is done, or that was
    moved on to a later stage, keeps its author, whoever is to look at it.
    """
    stage, state, moment = seen["stage"], seen["state"], datetime.fromisoformat(seen["updated_date"])
    was_done = bool(job.is_done)
    completed = job.completed_at if was_done or _told_since(job) else None
    now = Job(stage=stage, state=state, completed_at=completed)
    keeps_author = stage != DONE_STAGE or (was_done and now.is_done)
    assignee = None if keeps_author and job.annotator else seen["assignee"]
    annotator = assignee["username"] if assignee and job.annotator else job.annotator
    started = job.started_at if annotator == job.annotator else None
    begun = (stage, state) == (DONE_STAGE, BEGUN_STATE)
    return {
        "job_id": job.job_id, "stage": stage, "state": state, "annotator": annotator,
        "server_updated_at": seen["updated_date"],
        "started_at": started or (moment if begun else None),
        "completed_at": (completed or moment) if now.is_done else None,
    }  # fmt: skip


def _told_since(job: Job) -> bool:
    """Whether the webhook told of a completion after the last look."""
    looked = datetime.fromisoformat(job.server_updated_at) if job.server_updated_at else None
    return job.completed_at is not None and looked is not None and job.completed_at > looked


def completed_work(store: Store, batch: str = "") -> dict[str, CompletedWork]:
    """Completed work of every batch that has some and is not archived, or of one."""
    totals_of = select(Job.batch, func.count()).where(Job.of_annotator).group_by(Job.batch)
    # Three columns alone: what is drawn into the jobs is megabytes a batch.
    done = select(Job.batch, Job.job_id, Job.server_updated_at, Job.of_annotator).where(Job.is_done)
    wanted = (
        Job.batch == batch if batch else Job.batch.in_(select(Batch.name).where(Batch.archived_at.is_(None)))
    )
    totals_of, done = totals_of.where(wanted), done.where(wanted)
    by_batch: dict[str, list[tuple[int, str]]] = {}
    completed: Counter[str] = Counter()
    with store.session() as session:
        totals = dict(row._tuple() for row in session.execute(totals_of))
        for name, job_id, updated, by_annotator in session.execute(done):
            by_batch.setdefault(name, []).append((job_id, updated))
            completed[name] += bool(by_annotator)
    judged = readings.judged(store)
    return {
        name: CompletedWork(completed[name], totals[name], _digest(jobs, judged))
        for name, jobs in sorted(by_batch.items())
        if completed[name]
    }


def unread_work(store: Store) -> dict[str, int]:
    """By batch, annotators' completed jobs whose present state was not read; batches without any are left out."""
    read = select(Reading.reading_id).where(
        Reading.job_id == Job.job_id, Reading.server_updated_at == Job.server_updated_at
    )
    wanted = select(Job.batch, func.count()).where(Job.of_annotator, Job.is_done, ~read.exists())
    with store.session() as session:
        return dict(row._tuple() for row in session.execute(wanted.group_by(Job.batch)))


def _earlier(moment: str) -> str:
    """A moment of the server, with the time before it in which changes may have been overlooked."""
    if not moment:
        return ""
    return (datetime.fromisoformat(moment) - timedelta(seconds=LOOK_BACK_SECONDS)).isoformat()


def _digest(jobs: list[tuple[int, str]], judged: dict[int, str]) -> str:
    """`jobs`: id and when the server saw their last change."""
    text = "\n".join(sorted(f"{number} {updated}{judged.get(number, '')}" for number, updated in jobs))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
