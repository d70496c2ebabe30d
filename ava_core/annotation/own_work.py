"""The jobs of one annotator, as the annotation server has them, read as that person."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from ava_core.annotation.labeller import Labeller
from ava_core.base.settings import Settings
from ava_core.store import Store
from ava_core.store.moments import hours_between
from ava_core.store.tables import DONE_STAGE, DONE_STATE, REJECTED_STATE, Job


@dataclass(frozen=True)
class OwnJob:
    """A job: `comments` are frames and what a reviewer said there; `elapsed_h`, hours from begun to completed."""

    job_id: int
    clip_id: str
    state: str
    elapsed_h: float | None
    comments: tuple[tuple[int, str], ...] = ()


def own_jobs(settings: Settings, store: Store, labeller: Labeller) -> list[OwnJob]:
    """An annotator's jobs by id. The server says which they are and how they stand; it guards them."""
    mine = select(Job.job_id, Job.clip_id, hours_between(Job.started_at, Job.completed_at))
    with store.session() as session:
        rows = session.execute(mine.where(Job.annotator == labeller.user_name).order_by(Job.job_id)).all()
    with labeller.connect(settings) as gateway:
        seen = {int(job["id"]): job for job in gateway.jobs_changed_since("")}
        found = []
        for job_id, clip_id, elapsed in rows:
            job = seen.get(job_id)
            if job is None or (job["assignee"] or {}).get("username") != labeller.user_name:
                continue
            # CVAT's own people may move it on to a later stage: it is not the annotator's any more then.
            moved_on = job["stage"] != DONE_STAGE and job["state"] != REJECTED_STATE
            state = DONE_STATE if moved_on else str(job["state"])
            said = gateway.open_issues(job_id) if state == REJECTED_STATE else []
            comments = tuple((int(one["frame"]), str(one["said"])) for one in said)
            found.append(OwnJob(job_id, clip_id, state, elapsed, comments))
    return found
