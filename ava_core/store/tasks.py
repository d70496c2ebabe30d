"""Projects, tasks and jobs of the annotation server, as last seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import case, func, or_, select, update
from sqlalchemy.orm import Session

from ava_core.base.errors import InputError
from ava_core.store.database import Store
from ava_core.store.tables import BEGUN_STATE, MISSING, REJECTED_STATE, Clip, Job, Project, Reading, Task, now

ASKED_AT_ONCE: Final = 10_000
"""Values in one question: SQLite takes 32,766."""

GONE_MARK: Final = " gone, was "
"""Before its id in the name of a missing task that another one has taken the place of."""

_DONE = case((Job.is_done, 1), else_=0)


@dataclass(frozen=True)
class JobCounts:
    """Counts of one batch: tasks, annotators' jobs, and those that are completed."""

    tasks: int
    jobs: int
    completed: int


@dataclass(frozen=True)
class ClipCounts:
    """Clips of one batch: those with a task, those whose annotators' jobs are all completed, those approved.

    `jobs_done` counts annotators' jobs that are completed.
    """

    with_task: int = 0
    jobs_done: int = 0
    annotated: int = 0
    approved: int = 0


def put_project(store: Store, project_id: int, name: str, form: dict[str, Any] | None = None) -> None:
    """Note a project; `form` as in its table, `None` leaves the one that is known."""
    with store.session() as session:
        known = session.get(Project, project_id)
        if known is None:
            session.add(Project(project_id=project_id, name=name, form=form))
        else:
            known.form = form or known.form


def projects(store: Store) -> dict[int, Project]:
    """All projects on the annotation server that tasks were made in, by id."""
    wanted = select(Project).where(Project.project_id > 0)
    with store.session() as session:
        return {project.project_id: project for project in session.scalars(wanted)}


def project_of(store: Store, task_id: int) -> int:
    """Id of the project that a task was made in."""
    with store.session() as session:
        return session.scalars(select(Task.project_id).where(Task.task_id == task_id)).one()


def claim_clips(store: Store, batch: str, clip_ids: Iterable[str]) -> None:
    """Give the ids to the batch for good. Raises `InputError` where one of them is another batch's."""
    with store.session() as session:
        claim_in(session, batch, clip_ids)


def claim_in(session: Session, batch: str, clip_ids: Iterable[str]) -> None:
    """The same within a transaction."""
    wanted = {clip_id.casefold(): clip_id for clip_id in clip_ids}
    keys = sorted(wanted)
    known = _owners(session, keys)
    for key in keys:
        clip_id = wanted[key]
        owner, theirs = known.get(key, (batch, clip_id))
        if (owner, theirs) != (batch, clip_id):
            raise InputError(
                f"Clip {clip_id} of batch {batch} has the id of a clip of batch {owner}, whose annotators have it.",
                "Add its videos again under another batch name; run `ava preprocess` again for a "
                "preprocessed folder.",
            )
    session.add_all(Clip(key=key, clip_id=wanted[key], batch=batch) for key in keys if key not in known)
    session.flush()


def _owners(session: Session, keys: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Batch and clip of those keys of `Clip` that are given."""
    known: dict[str, tuple[str, str]] = {}
    for start in range(0, len(keys), ASKED_AT_ONCE):
        rows = session.scalars(select(Clip).where(Clip.key.in_(keys[start : start + ASKED_AT_ONCE])))
        known |= {clip.key: (clip.batch, clip.clip_id) for clip in rows}
    return known


def taken(store: Store, clip_ids: Iterable[str]) -> dict[str, str]:
    """Those of the ids that a clip has, in whatever case of letters, with its batch."""
    with store.session() as session:
        found = _owners(session, sorted({clip_id.casefold() for clip_id in clip_ids}))
    return {clip_id: batch for batch, clip_id in found.values()}


def put_task(store: Store, task: Task, jobs: Sequence[Job]) -> None:
    """Note a task with its jobs, all at once. What was decided on its clip already holds for it, too.

    Raises `InputError` where the clip's id is another batch's.
    """
    with store.session() as session:
        claim_in(session, task.batch, [task.clip_id])
        decided = select(Task.qc_status).where(Task.batch == task.batch, Task.clip_id == task.clip_id)
        task.qc_status = session.scalar(decided.order_by(Task.task_id).limit(1)) or "pending"
        session.merge(task)
        session.flush()
        for job in jobs:
            session.merge(job)


def tasks_of(store: Store, batch: str) -> list[Task]:
    """Tasks of a batch by clip."""
    with store.session() as session:
        return list(session.scalars(select(Task).where(Task.batch == batch).order_by(Task.clip_id)))


def everything(store: Store) -> list[Task]:
    """Tasks of all batches on the annotation server, by id."""
    wanted = select(Task).where(Task.task_id > 0).order_by(Task.task_id)
    with store.session() as session:
        return list(session.scalars(wanted))


def jobs_of(store: Store, batch: str, clip_id: str = "") -> list[Job]:
    """Jobs of a batch, or of one of its clips, by clip and id."""
    wanted = select(Job).where(Job.batch == batch)
    if clip_id:
        wanted = wanted.where(Job.clip_id == clip_id)
    with store.session() as session:
        return list(session.scalars(wanted.order_by(Job.clip_id, Job.job_id)))


def find_job(store: Store, job_id: int) -> Job | None:
    """The job of that id."""
    with store.session() as session:
        return session.get(Job, job_id)


def predrawn(store: Store, job_ids: Sequence[int]) -> dict[int, list[Any]]:
    """What was drawn into jobs before anybody opened them (`prefill.prefill_tracks`), by job."""
    found: dict[int, list[Any]] = {}
    with store.session() as session:
        for start in range(0, len(job_ids), ASKED_AT_ONCE):
            asked = job_ids[start : start + ASKED_AT_ONCE]
            wanted = select(Job.job_id, Job.predrawn).where(Job.job_id.in_(asked))
            found.update(row._tuple() for row in session.execute(wanted))
    return found


def completed_jobs(store: Store, batch: str | None = None, clip_id: str = "") -> list[Job]:
    """Annotators' jobs that are done, of one batch or of all, of one clip or of all."""
    wanted = select(Job).where(Job.of_annotator, Job.is_done)
    if batch is not None:
        wanted = wanted.where(Job.batch == batch)
    if clip_id:
        wanted = wanted.where(Job.clip_id == clip_id)
    with store.session() as session:
        return list(session.scalars(wanted.order_by(Job.clip_id, Job.job_id)))


def open_jobs(store: Store) -> list[Job]:
    """Annotators' jobs of all batches that wait for their annotators; missing ones do not."""
    wanted = select(Job).where(Job.of_annotator, ~Job.is_done, Job.state != MISSING)
    with store.session() as session:
        return list(session.scalars(wanted.order_by(Job.job_id)))


def next_jobs(store: Store, annotator: str, after: int) -> list[Job]:
    """Open jobs of an annotator but job `after`: handed back first, then begun, then new ones."""
    order = case({REJECTED_STATE: 0, BEGUN_STATE: 1}, value=Job.state, else_=2)
    wanted = select(Job).where(
        Job.of_annotator, ~Job.is_done, Job.state != MISSING, Job.annotator == annotator, Job.job_id != after
    )
    with store.session() as session:
        return list(session.scalars(wanted.order_by(order, Job.job_id)))


def open_counts(store: Store) -> dict[str, int]:
    """How many of `open_jobs` each annotator has."""
    wanted = select(Job.annotator, func.count()).where(Job.of_annotator, ~Job.is_done, Job.state != MISSING)
    with store.session() as session:
        return dict(row._tuple() for row in session.execute(wanted.group_by(Job.annotator)))


def completed_parents(store: Store, batch: str | None = None) -> list[Job]:
    """Parent jobs of replicated clips that an expert has completed, of one batch or of all."""
    wanted = select(Job).where(~Job.of_annotator, Job.is_done)
    if batch is not None:
        wanted = wanted.where(Job.batch == batch)
    with store.session() as session:
        return list(session.scalars(wanted.order_by(Job.clip_id, Job.job_id)))


def job_counts(store: Store, batch: str) -> JobCounts:
    """How many tasks and jobs a batch has, and how many jobs are done."""
    with store.session() as session:
        tasks = session.scalar(select(func.count()).select_from(Task).where(Task.batch == batch)) or 0
        jobs, completed = session.execute(
            select(func.count(), func.coalesce(func.sum(_DONE), 0)).where(
                Job.batch == batch, Job.of_annotator
            )
        ).one()
    return JobCounts(tasks, jobs, completed)


def clip_counts(store: Store, batch: str = "") -> dict[str, ClipCounts]:
    """Counts of every batch that has tasks, or of one alone, in two questions whatever their number."""
    by_clip = select(Job.batch, func.count().label("jobs"), func.sum(_DONE).label("done")).where(
        Job.of_annotator
    )
    approved = case((Task.qc_status == "approved", Task.clip_id))
    tasks = select(Task.batch, func.count(Task.clip_id.distinct()), func.count(approved.distinct()))
    if batch:
        by_clip, tasks = by_clip.where(Job.batch == batch), tasks.where(Task.batch == batch)
    clip = by_clip.group_by(Job.batch, Job.clip_id).subquery().c
    whole = case((clip.done == clip.jobs, 1), else_=0)
    jobs = select(clip.batch, func.sum(clip.done), func.sum(whole)).group_by(clip.batch)
    with store.session() as session:
        work = {name: (int(done), int(whole)) for name, done, whole in session.execute(jobs)}
        dealt = session.execute(tasks.group_by(Task.batch)).all()
    return {
        name: ClipCounts(with_task, *work.get(name, (0, 0)), approved) for name, with_task, approved in dealt
    }


def update_jobs(store: Store, changes: Iterable[dict[str, Any]]) -> None:
    """Write changed columns of jobs; each change holds `job_id` and the new values."""
    rows = list(changes)
    if rows:
        with store.session() as session:
            session.execute(update(Job), rows)


def note_missing(store: Store, task_ids: Sequence[int]) -> None:
    """Note that the server does not have these tasks any more.

    Work whose present state was read stays as it is and counts on; all other jobs are missing.
    """
    read = select(Reading.reading_id).where(
        Reading.job_id == Job.job_id, Reading.server_updated_at == Job.server_updated_at
    )
    with store.session() as session:
        session.execute(update(Task).where(Task.task_id.in_(task_ids)).values(status=MISSING))
        unread = update(Job).where(Job.task_id.in_(task_ids), ~(Job.is_done & read.exists()))
        session.execute(
            unread.values(state=MISSING, completed_at=None), execution_options={"synchronize_session": False}
        )


def note_found(store: Store, task_id: int) -> None:
    """Note that the server has a task after all."""
    with store.session() as session:
        session.execute(update(Task).where(Task.task_id == task_id).values(status="annotation"))


def set_aside(store: Store, task_id: int) -> None:
    """Give the name of a missing task free for the one that is made in its place."""
    with store.session() as session:
        task = session.get_one(Task, task_id)
        task.name = f"{task.name[: 256 - len(GONE_MARK) - 12]}{GONE_MARK}{task_id}"


def replace_jobs(store: Store, task_id: int) -> None:
    """Take the missing jobs of a task from their annotators, who have others in their place."""
    with store.session() as session:
        wanted = update(Job).where(Job.task_id == task_id, Job.state == MISSING)
        session.execute(wanted.values(annotator=""), execution_options={"synchronize_session": False})


def note_starts(session: Session, begun: Iterable[tuple[int, str, datetime]]) -> None:
    """Note that annotators had begun jobs at these moments; an earlier moment that is known stays."""
    for job_id, annotator, moment in begun:
        session.execute(
            update(Job)
            .where(Job.job_id == job_id, Job.annotator == annotator)
            .where(or_(Job.started_at.is_(None), Job.started_at > moment))
            .values(started_at=moment),
            execution_options={"synchronize_session": False},
        )


def note_completions(session: Session, done: Sequence[tuple[int, datetime]]) -> None:
    """Note that jobs were completed at these moments. A job that was looked at since is left as that look saw it."""
    wanted = select(Job.job_id, Job.server_updated_at).where(Job.job_id.in_({job_id for job_id, _ in done}))
    looked = dict(row._tuple() for row in session.execute(wanted)) if done else {}
    later = {
        job_id: moment for job_id, moment in done
        if job_id in looked and (not looked[job_id] or datetime.fromisoformat(looked[job_id]) < moment)
    }  # fmt: skip
    if later:
        session.execute(update(Job), [{"job_id": job, "completed_at": at} for job, at in later.items()])


def note_retrieval(store: Store, task_ids: Iterable[int]) -> None:
    """Note that the tasks' annotations were read now; a task is completed when all annotators' jobs are."""
    open_jobs = select(Job.task_id).where(Job.of_annotator, ~Job.is_done)
    ids = list(task_ids)
    with store.session() as session:
        session.execute(update(Task).where(Task.task_id.in_(ids)).values(retrieved_at=now()))
        session.execute(
            update(Task)
            .where(Task.task_id.in_(ids), Task.task_id.not_in(open_jobs))
            .values(status="completed")
        )


def workload(store: Store) -> dict[str, tuple[int, int]]:
    """Jobs and completed jobs of each annotator, over all batches."""
    wanted = select(Job.annotator, func.count(), func.sum(_DONE)).where(Job.of_annotator)
    with store.session() as session:
        return {
            name: (jobs, finished) for name, jobs, finished in session.execute(wanted.group_by(Job.annotator))
        }
