"""Work that was done elsewhere, noted as completed jobs: from there on it is read, measured and decided on like any.

Its projects, tasks and jobs have ids below zero, which no annotation server gives: nobody looks for them there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select

from ava_core.base.errors import InputError
from ava_core.store.database import Store
from ava_core.store.tables import DONE_STATE, Job, Project, Task, now
from ava_core.store.tasks import claim_in, taken


def is_imported(job_id: int) -> bool:
    """Whether a job, or a task, was never on an annotation server."""
    return job_id < 0


def annotators_of(store: Store, batch: str) -> frozenset[str]:
    """Whose imported work a batch has."""
    wanted = select(Job.annotator).where(Job.batch == batch, Job.job_id < 0).distinct()
    with store.session() as session:
        return frozenset(session.scalars(wanted))


def batches_of(store: Store) -> frozenset[str]:
    """Batches that were imported."""
    with store.session() as session:
        return frozenset(session.scalars(select(Project.name).where(Project.project_id < 0)))


def refuse_taken(store: Store, clips: Sequence[str]) -> None:
    """Raise `InputError` where one of these ids is a clip's that the platform knows."""
    known = taken(store, clips)
    if known:
        clip, batch = min(known.items())
        raise InputError(
            f"There is a clip {clip} already, of batch {batch}.",
            "A video is imported once; give the other one's videos other ids.",
        )


def put_work(
    store: Store, batch: str, frames: Mapping[str, int], annotators: Mapping[str, Sequence[str]]
) -> dict[tuple[str, str], Job]:
    """Note a task for every clip and a completed job for each of its `annotators`; gives jobs by clip and annotator.

    `frames`: of each clip. All or none; raises `InputError` where a clip's id is another batch's.
    """
    moment = now()
    with store.session() as session:
        claim_in(session, batch, frames)
        least = min(
            session.scalar(select(func.min(column))) or 0
            for column in (Project.project_id, Task.task_id, Job.job_id)
        )
        number = min(least, 0) - 1
        project = Project(project_id=number, name=batch)
        session.add(project)
        session.flush()
        jobs = {}
        for clip, length in sorted(frames.items()):
            number -= 1
            task = Task(
                task_id=number, project_id=project.project_id, name=clip, status="completed", batch=batch,
                clip_id=clip, retrieved_at=moment,
            )  # fmt: skip
            session.add(task)
            for name in sorted(annotators[clip]):
                number -= 1
                jobs[clip, name] = Job(
                    job_id=number, task_id=task.task_id, batch=batch, clip_id=clip, job_type="annotation",
                    annotator=name, state=DONE_STATE, frames=length, completed_at=moment,
                    server_updated_at=moment.isoformat(),
                )  # fmt: skip
        session.flush()
        session.add_all(jobs.values())
    return jobs
