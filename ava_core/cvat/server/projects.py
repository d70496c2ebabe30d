"""Projects and their labels."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import APIRouter, Request, Response

from ava_core.cvat.server import webhooks
from ava_core.cvat.server.access import Body, Caller, CallerOf
from ava_core.cvat.server.changes import project_changes
from ava_core.cvat.server.lists import page
from ava_core.cvat.server.problems import Problem, forbidden, invalid, refused
from ava_core.cvat.server.state import Document
from ava_core.cvat.server.views import view_project

router = APIRouter(prefix="/api")


@router.post("/projects", status_code=201)
def add_project(caller: CallerOf, body: Body) -> Document:
    """Make a project with its labels."""
    number = caller.must_create()
    if not body.get("name"):
        raise invalid("name", "This field is required.")
    labels = body.get("labels") or []
    _check_labels(labels)
    project = caller.state.add(
        "project",
        name=str(body["name"]),
        owner=caller.id,
        assignee=body.get("assignee_id"),
        organization=number,
        bug_tracker=str(body.get("bug_tracker", "")),
        status="annotation",
    )
    _add_labels(caller, labels, project_id=project["id"])
    webhooks.fire(caller, "create:project", "project", view_project(caller, project), project["id"], number)
    return view_project(caller, project)


@router.get("/projects")
def projects(request: Request, caller: CallerOf) -> Document:
    """Projects of the organisation of the call."""
    fields = {name: (lambda d, n=name: d[n]) for name in ("id", "name", "status", "updated_date")}
    found = [p for p in caller.state.all("project") if caller.sees(p) and caller.manages(p)]
    return page(
        request, found, lambda d: view_project(caller, d), fields=fields, simple=("name",), search=("name",)
    )


@router.get("/projects/{number}")
def project(number: int, caller: CallerOf) -> Document:
    """One project."""
    found = caller.get("project", number, "Project")
    caller.must_manage(found)
    return view_project(caller, found)


@router.patch("/projects/{number}")
def change_project(number: int, caller: CallerOf, body: Body) -> Document:
    """Rename a project, set its bug tracker, add labels."""
    found = caller.get("project", number, "Project")
    caller.must_manage(found)
    if unknown := set(body) - {"name", "bug_tracker", "labels", "assignee_id"}:
        raise Problem(403, {"detail": f"Attempted to update an unknown field {min(unknown)}"})
    with project_changes(caller, found):
        for name in ("name", "bug_tracker"):
            found[name] = body.get(name, found[name])
        found["assignee"] = body.get("assignee_id", found["assignee"])
    _add_labels(caller, [label for label in body.get("labels") or [] if "id" not in label], project_id=number)
    return view_project(caller, found)


@router.delete("/projects/{number}", status_code=204, response_class=Response)
def remove_project(number: int, caller: CallerOf) -> None:
    """Remove a project with its tasks."""
    from ava_core.cvat.server.tasks import remove_task_documents

    found = caller.get("project", number, "Project")
    caller.must_manage(found)
    for task in list(caller.state.find("task", project_id=number)):
        remove_task_documents(caller.state, task["id"])
    for label in list(caller.state.find("label", project_id=number)):
        caller.state.remove("label", label["id"])
    caller.state.remove("project", number)


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
    _check_labels(labels)
    _add_labels(caller, labels, task_id=task_id)


def _check_labels(labels: list[Any]) -> None:
    if any(count > 1 for count in Counter(label.get("name") for label in labels).values()):
        raise refused("All label names must be unique")
    for label in labels:
        for name, count in Counter(a.get("name") for a in label.get("attributes") or []).items():
            if count > 1:
                raise refused(f"Duplicate attribute with name '{name}' exists")


def _add_labels(
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
