"""Holding the annotation server to what the platform made there: people may remove, move and change all of it by hand.

What differs is kept with its cure (`store.discrepancies`), and named wherever somebody looks; `mending` settles it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ava_core.annotation.form_repair import form_lacks, made_anew
from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.sync import as_seen
from ava_core.annotation.tasks import EXTRA_MARK
from ava_core.base.errors import AvaError, InputError, OntologyError
from ava_core.base.settings import Settings
from ava_core.base.text import plural
from ava_core.batch import BatchContext, open_batch
from ava_core.store import Store, annotators, audit_log, batches, discrepancies, tasks
from ava_core.store.tables import MISSING, Discrepancy, Job, Task

HALF_MADE_SECONDS: Final = 600.0
"""A task that the platform has not noted this long after it was made is nobody's work in progress."""

PLATFORM: Final = "platform"
"""Who it is in the audit log."""

There = dict[int, dict[str, Any]]
"""Tasks on the server by id."""


def reconcile(gateway: CvatGateway, store: Store, settings: Settings) -> list[Discrepancy]:
    """Find what the server has otherwise than the platform made it; keeps and returns it.

    Tasks and jobs that are gone are noted as missing; work of them that was read counts on. Nothing is changed on the
    server. `settings`: general ones; each batch is held to its own.
    """
    own = tasks.everything(store)
    projects = {task.project_id: task.batch for task in own}
    there = {task["id"]: task for number in sorted(projects) for task in gateway.tasks_of_project(number)}
    lost = {number for number in projects if not gateway.has_project(number)}
    found = [
        *_projects(gateway, own, lost),
        *_tasks(gateway, store, [t for t in own if t.project_id not in lost or t.status == MISSING], there),
        *_forms(gateway, store, settings, {n: batch for n, batch in projects.items() if n not in lost}),
        *_half_made(store, settings, own, there),
        *_members(gateway, store),
    ]
    discrepancies.replace(store, found)
    return found


def look_at_clip(at: BatchContext, clip_id: str) -> None:
    """Bring the jobs of one clip in step with the server, and note which of its tasks are gone."""
    with CvatGateway(at.settings) as gateway:
        for task in tasks.tasks_of(at.store, at.batch):
            if task.clip_id != clip_id or task.status == MISSING:
                continue
            if gateway.has_task(task.task_id):
                _look_again(gateway, at.store, task)
            else:
                _give_up(at.store, [task])


def _projects(gateway: CvatGateway, own: Sequence[Task], lost: set[int]) -> Iterator[Discrepancy]:
    """Projects that are gone. Their tasks are not given up: the address may only be another server's."""
    for number in sorted(lost):
        count = sum(task.project_id == number and task.status != MISSING for task in own)
        if count:
            yield Discrepancy(
                kind="project_missing", subject=str(number),
                said=f"{gateway.url} has no project {number}, which held {plural(count, 'task')} of the platform.",
                cure=
                    "Check AVA_CVAT_URL. If someone removed the project there, create its tasks again; "
                    "everything already read is kept.",
            )  # fmt: skip


def _tasks(gateway: CvatGateway, store: Store, own: Sequence[Task], there: There) -> Iterator[Discrepancy]:
    """Tasks that are gone or lie elsewhere now."""
    gone = []
    for task in own:
        if task.task_id not in there and not gateway.has_task(task.task_id):
            gone.append(task)
            continue
        if there.get(task.task_id, {}).get("project_id") != task.project_id:
            yield Discrepancy(
                kind="task_moved", subject=str(task.task_id), batch=task.batch, clip_id=task.clip_id,
                said=f"Task {task.task_id} of clip {task.clip_id} was moved out of project {task.project_id} on CVAT.",
                cure="Move it back: its labels mean something else in another project.",
            )  # fmt: skip
        if task.status == MISSING:
            tasks.note_found(store, task.task_id)
            _look_again(gateway, store, task)
    _give_up(store, [task for task in gone if task.status != MISSING])
    for task in gone:
        yield from _gone(store, task)


def _give_up(store: Store, gone: Sequence[Task]) -> None:
    tasks.note_missing(store, [task.task_id for task in gone])
    for task in gone:
        audit_log.note(store, PLATFORM, "task missing", task.clip_id, task=task.task_id)


def _gone(store: Store, task: Task) -> Iterator[Discrepancy]:
    """A missing task with work that nobody has read; one whose work was read needs nothing."""
    left = [job for job in _jobs(store, task) if job.state == MISSING and job.of_annotator]
    if left:
        names = ", ".join(sorted(job.annotator for job in left))
        yield Discrepancy(
            kind="task_missing", subject=str(task.task_id), batch=task.batch, clip_id=task.clip_id,
            said=
                f"Task {task.task_id} of clip {task.clip_id} was removed on CVAT, with unread work of "
                f"{names}.",
            cure="Create it again for them; everything already read is kept.",
        )  # fmt: skip


def _look_again(gateway: CvatGateway, store: Store, task: Task) -> None:
    jobs = {job.job_id: job for job in _jobs(store, task)}
    seen = [job for job in gateway.jobs_of_task(task.task_id) if job["id"] in jobs]
    tasks.update_jobs(store, [as_seen(jobs[job["id"]], job) for job in seen])


def _jobs(store: Store, task: Task) -> list[Job]:
    return [job for job in tasks.jobs_of(store, task.batch, task.clip_id) if job.task_id == task.task_id]


def _forms(
    gateway: CvatGateway, store: Store, settings: Settings, projects: dict[int, str]
) -> Iterator[Discrepancy]:
    """Projects whose form lacks something of the ontology, or has it made anew. `projects`: a batch of each."""
    known = tasks.projects(store)
    for number, batch in sorted(projects.items()):
        try:
            ontology = open_batch(settings, batch, store=store).ontology
        except (InputError, OntologyError):  # the doctor says so
            continue
        lacks = form_lacks(gateway, number, ontology) or made_anew(gateway, known[number])
        if lacks:
            yield Discrepancy(
                kind="form_changed", subject=str(number),
                said=f"The form of project {number} on CVAT was changed: it lacks {'; '.join(lacks)}.",
                cure="Restore the labels; everything already read is kept.",
            )  # fmt: skip


def _members(gateway: CvatGateway, store: Store) -> Iterator[Discrepancy]:
    """People who get work, or have some open, and are no members."""
    members = gateway.members()
    open_jobs = Counter(tasks.open_counts(store))
    for name in sorted({person.username for person in annotators.available(store)} | open_jobs.keys()):
        if name not in members:
            yield Discrepancy(
                kind="member_missing", subject=name,
                said=
                    f"{name} is not a member of organisation {gateway.settings.cvat_organisation} on CVAT, "
                    f"and has "
                f"{plural(open_jobs[name], 'open job')}.",
                cure="Invite them again, or pause the annotator and reassign the jobs.",
            )  # fmt: skip


def _half_made(store: Store, settings: Settings, own: Sequence[Task], there: There) -> Iterator[Discrepancy]:
    """Tasks that a run began to make and never noted: it was ended, or the server's import worker was."""
    known = {task.task_id for task in own} | {task.name.partition(tasks.GONE_MARK)[0] for task in own}
    old = [
        task for task in there.values()
        if task["id"] not in known and task["name"] not in known and _age(task) > HALF_MADE_SECONDS
    ]  # fmt: skip
    clips = _batch_of_clips(store, settings) if old else {}
    for task in old:
        clip = task["name"].partition(EXTRA_MARK)[0]
        if clip in clips and task.get("subset") in (clips[clip], "", None):  # else it is another platform's
            state = "is not recorded here" if task.get("size") else "never got its video"
            yield Discrepancy(
                kind="half_made", subject=task["name"], batch=clips[clip], clip_id=clip,
                said=f"Task {task['id']} of clip {clip} was begun on CVAT {_age(task) / 60:.0f} minutes ago, and "
                f"{state}: its run or CVAT's import worker was stopped.",
                cure="Create it again; the unusable task is removed first.",
            )  # fmt: skip


def _age(task: dict[str, Any]) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(task["created_date"])).total_seconds()


def _batch_of_clips(store: Store, settings: Settings) -> dict[str, str]:
    """The batch of every clip that is cut."""
    found: dict[str, str] = {}
    for name in batches.names(store):
        try:
            cut = open_batch(settings, name, store=store).table("clips")["clip_id"]
        except AvaError:  # not cut yet
            continue
        found |= dict.fromkeys(cut, name)
    return found
