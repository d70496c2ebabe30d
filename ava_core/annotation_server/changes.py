"""What an update changed, told to the webhooks in the names of CVAT's own fields."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ava_core.annotation_server import webhooks
from ava_core.annotation_server.access import Caller
from ava_core.annotation_server.state import Document
from ava_core.annotation_server.views import legacy_status, task_status, view_job, view_project, view_task


@contextmanager
def job_changes(caller: Caller, job: Document, *, annotations: bool = False) -> Iterator[None]:
    """Change a job within the block: job, task and project count as changed, and the webhooks learn of it.

    They hear of the job always, of the task where its status changes, and of task and project where
    `annotations` were written.
    """
    state = caller.state
    task = caller.get("task", job["task_id"], "Task")
    project = state.get("project", task["project_id"])
    with state.lock:
        before_job, before_task = job_fields(job), task_fields(caller, task)
        before_project = project_fields(project) if project else {}
        yield
        state.touch("job", job)
        state.touch("task", task)
        if project is not None:
            state.touch("project", project)
    place = task["project_id"], job["organization"]
    changed = differences(before_job, job_fields(job))
    webhooks.fire(caller, "update:job", "job", view_job(caller, job), *place, changed)
    changed = differences(before_task, task_fields(caller, task))
    if annotations or "status" in changed:
        webhooks.fire(caller, "update:task", "task", view_task(caller, task), *place, changed)
    if annotations and project is not None:
        changed = differences(before_project, project_fields(project))
        webhooks.fire(caller, "update:project", "project", view_project(caller, project), *place, changed)


@contextmanager
def task_changes(caller: Caller, task: Document) -> Iterator[None]:
    """Change a task within the block; the webhooks learn of it."""
    with caller.state.lock:
        before = task_fields(caller, task)
        yield
        caller.state.touch("task", task)
    changed = differences(before, task_fields(caller, task))
    shown = view_task(caller, task)
    webhooks.fire(caller, "update:task", "task", shown, task["project_id"], task["organization"], changed)


@contextmanager
def project_changes(caller: Caller, project: Document) -> Iterator[None]:
    """Change a project within the block; the webhooks learn of it."""
    with caller.state.lock:
        before = project_fields(project)
        yield
        caller.state.touch("project", project)
    changed = differences(before, project_fields(project))
    shown = view_project(caller, project)
    webhooks.fire(caller, "update:project", "project", shown, project["id"], project["organization"], changed)


def job_fields(job: Document) -> Document:
    """What of a job may change, under the names that webhooks give."""
    return {
        "updated_date": job["updated_date"],
        "assignee_id": job["assignee"],
        "assignee_updated_date": job["assignee_updated_date"],
        "status": legacy_status(job),
        "stage": job["stage"],
        "state": job["state"],
    }


def task_fields(caller: Caller, task: Document) -> Document:
    """What of a task may change, under the names that webhooks give."""
    data = task["data"]
    same = ("updated_date", "name", "bug_tracker", "subset", "overlap", "segment_size")
    return {
        **{name: task[name] for name in same},
        "assignee_id": task["assignee"],
        "data_id": None if task["upload"] == "empty" else task["id"],
        "dimension": "2d" if data else "",
        "mode": data["mode"] if data else "",
        "media_type": "image" if data else "",
        "status": task_status(caller, task),
    }


def project_fields(project: Document) -> Document:
    """What of a project may change, under the names that webhooks give."""
    same = ("updated_date", "name", "bug_tracker")
    return {**{name: project[name] for name in same}, "assignee_id": project["assignee"]}


def differences(before: Document, after: Document) -> dict[str, tuple[Any, Any]]:
    """The fields that changed, each with its old and new value."""
    return {name: (before[name], after[name]) for name in after if before[name] != after[name]}
