"""Labels of projects and tasks, with their attributes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import APIRouter, Request

from ava_core.annotation_server.access import Caller, CallerOf
from ava_core.annotation_server.lists import page
from ava_core.annotation_server.problems import forbidden, refused
from ava_core.annotation_server.state import Document

router = APIRouter(prefix="/api")


@router.get("/labels")
def labels(request: Request, caller: CallerOf) -> Document:
    """Labels of a project, a task or a job."""
    query = request.query_params
    found = caller.state.all("label")[::-1]
    if number := query.get("project_id"):
        caller.must_manage(caller.get("project", int(number), "Project"))
        found = list(caller.state.find("label", project_id=int(number)))[::-1]
    elif number := query.get("task_id"):
        task = caller.get("task", int(number), "Task")
        caller.must_manage(task)
        found = labels_of(caller, task)
    elif number := query.get("job_id"):
        job = caller.get("job", int(number), "Job")
        if not caller.may_do(job):
            raise forbidden()
        found = labels_of(caller, caller.get("task", job["task_id"], "Task"))
    elif not caller.is_admin:
        found = []
    return page(request, found, _label)


def labels_of(caller: Caller, task: Document) -> list[Document]:
    """Labels of a task: its own, or its project's."""
    where = {"project_id": task["project_id"]} if task["project_id"] else {"task_id": task["id"]}
    return list(caller.state.find("label", **where))[::-1]


def add_task_labels(caller: Caller, labels: list[Any], task_id: int) -> None:
    """Give a task without a project labels of its own."""
    check_labels(labels)
    add_labels(caller, labels, task_id=task_id)


def check_labels(labels: list[Any]) -> None:
    if any(count > 1 for count in Counter(label.get("name") for label in labels).values()):
        raise refused("All label names must be unique")
    for label in labels:
        for name, count in Counter(a.get("name") for a in label.get("attributes") or []).items():
            if count > 1:
                raise refused(f"Duplicate attribute with name '{name}' exists")


def add_labels(
    caller: Caller, labels: list[Any], *, project_id: int | None = None, task_id: int | None = None
) -> None:
    for label in labels:
        attributes = [
            {
                "id": caller.state.new_id("attribute"),
                "name": str(a.get("name", "")),
                "mutable": bool(a.get("mutable", False)),
                "input_type": a.get("input_type", "select"),
                "default_value": str(a.get("default_value") or (a.get("values") or [""])[0]),
                "values": [str(value) for value in a.get("values") or [""]],
            }
            for a in label.get("attributes") or []
        ]
        caller.state.add(
            "label",
            name=str(label.get("name", "")),
            color=label.get("color") or "#2f9bff",
            type=label.get("type", "any"),
            attributes=attributes,
            project_id=project_id,
            task_id=task_id,
        )


def _label(label: Document) -> Document:
    shown = {name: label[name] for name in ("id", "name", "color", "attributes", "type")}
    owner = {"project_id": label["project_id"]} if label["project_id"] else {"task_id": label["task_id"]}
    return shown | {"sublabels": [], "parent_id": None, "has_parent": False} | owner


def project_of(caller: Caller, number: int) -> Document:
    """A project by id, refused as CVAT does where a task names it."""
    found = caller.state.get("project", number)
    if found is None:
        raise refused("Project matching query does not exist.")
    return found
