"""Settling what differs between the platform and the annotation server: one function, behind every button."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from ava_core.annotation.form_repair import restore_form
from ava_core.annotation.forms import as_json
from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.pool import GatewayPool
from ava_core.annotation.reconcile import reconcile
from ava_core.annotation.sync import as_seen
from ava_core.annotation.tasks import AGAIN_MARK, EXTRA_MARK, PlannedTask, Workshop, one_at_a_time, plan_batch
from ava_core.base.errors import InputError
from ava_core.base.settings import Settings
from ava_core.base.text import plural
from ava_core.batch import BatchContext, open_batch
from ava_core.store import Store, annotators, audit_log, discrepancies, tasks
from ava_core.store.tables import MISSING, Discrepancy, DiscrepancyKind, Task

VERBS: Final[Mapping[DiscrepancyKind, str]] = {
    "task_missing": "Create it again",
    "project_missing": "Create its tasks again",
    "form_changed": "Restore the labels",
    "member_missing": "Invite again",
    "half_made": "Create it again",
}
"""What a button says that settles a discrepancy; one without a verb is settled on the server."""


def look(settings: Settings, store: Store) -> list[Discrepancy]:
    """Hold the server to what the platform made there, now."""
    with CvatGateway(settings) as gateway:
        return reconcile(gateway, store, settings)


def mend(settings: Settings, store: Store, kind: DiscrepancyKind, subject: str, actor: str) -> str:
    """Settle one discrepancy; returns what was done, as a sentence. Done again, it goes on where it stopped.

    `settings`: general ones. Raises `InputError` where the discrepancy is settled already, or is not the platform's
    to settle, and whatever the server refuses.
    """
    found = discrepancies.get(store, kind, subject)
    if found is None:
        raise InputError("That is already settled.", "Reload the list.")
    act = _ACTS.get(kind)
    if act is None:
        raise InputError(found.said, found.cure)
    said = act(settings, store, found)
    audit_log.note(store, actor, "mend", subject, kind=kind, done=said)
    look(settings, store)
    return said


def _task(settings: Settings, store: Store, found: Discrepancy) -> str:
    task = next(task for task in tasks.everything(store) if str(task.task_id) == found.subject)
    return _anew(open_batch(settings, task.batch, store=store), task)


def _project(settings: Settings, store: Store, found: Discrepancy) -> str:
    own = [task for task in tasks.everything(store) if str(task.project_id) == found.subject]
    tasks.note_missing(store, [task.task_id for task in own])
    said = [_anew(open_batch(settings, task.batch, store=store), task) for task in own]
    return f"Created again: {plural(sum(map(bool, said)), 'task')}."


def _anew(at: BatchContext, task: Task) -> str:
    """Make a missing task anew for those whose work was not read; "" where there is nobody."""
    jobs = [job for job in tasks.jobs_of(at.store, at.batch, task.clip_id) if job.task_id == task.task_id]
    people = tuple(job.annotator for job in jobs if job.state == MISSING and job.of_annotator)
    if not people:
        return ""
    name = task.name.partition(tasks.GONE_MARK)[0]
    if name == task.name:
        tasks.set_aside(at.store, task.task_id)
    _make(at, name, task.clip_id, people)
    tasks.replace_jobs(at.store, task.task_id)
    return f"Clip {task.clip_id} has its task again, for {', '.join(people)}."


def _half_made(settings: Settings, store: Store, found: Discrepancy) -> str:
    at = open_batch(settings, found.batch, store=store)
    who = found.subject.partition(EXTRA_MARK)[2].partition(AGAIN_MARK)[0]
    people = (who,) if who else plan_batch(at, at.table("clips")).annotators[found.clip_id]
    _make(at, found.subject, found.clip_id, people)
    return f"Clip {found.clip_id} has its task, for {', '.join(people)}."


def _make(at: BatchContext, name: str, clip_id: str, people: tuple[str, ...]) -> None:
    clip = at.table("clips").row(by_predicate=pl.col("clip_id") == clip_id, named=True)
    with one_at_a_time(at), GatewayPool(at.settings) as pool:
        Workshop(at, at.table("tracks"), pool).make_all([PlannedTask(name, clip, people)])


def _form(settings: Settings, store: Store, found: Discrepancy) -> str:
    number = int(found.subject)
    batch = next(task.batch for task in tasks.everything(store) if task.project_id == number)
    with CvatGateway(settings) as gateway:
        restore_form(gateway, number, open_batch(settings, batch, store=store).ontology)
        tasks.put_project(store, number, settings.cvat_project, as_json(gateway.form_of(number)))
    return f"Project {number} has the ontology's labels again."


def _member(settings: Settings, store: Store, found: Discrepancy) -> str:
    """Invite somebody again, and give the open jobs back that CVAT took away with the membership."""
    name = found.subject
    email = next((one.email for one in annotators.everyone(store) if one.username == name), "")
    with CvatGateway(settings) as gateway:
        number = gateway.invite(name, email)
        for job in tasks.open_jobs(store):
            if job.annotator == name and gateway.job(job.job_id)["assignee"] is None:
                tasks.update_jobs(store, [as_seen(job, gateway.set_job(job.job_id, assignee=number))])
    return f"{name} is a member again."


_ACTS: Final[Mapping[DiscrepancyKind, Callable[[Settings, Store, Discrepancy], str]]] = {
    "task_missing": _task,
    "project_missing": _project,
    "form_changed": _form,
    "member_missing": _member,
    "half_made": _half_made,
}
