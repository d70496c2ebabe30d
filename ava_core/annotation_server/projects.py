"""Projects and their labels."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from ava_core.annotation_server import bodies, webhooks
from ava_core.annotation_server.access import CallerOf
from ava_core.annotation_server.changes import project_changes
from ava_core.annotation_server.fields import Body, read
from ava_core.annotation_server.labels import add_labels, change_labels, check_labels
from ava_core.annotation_server.lists import page
from ava_core.annotation_server.problems import refuse_unknown
from ava_core.annotation_server.removal import remove_task_documents
from ava_core.annotation_server.state import Document
from ava_core.annotation_server.views import view_project

router = APIRouter(prefix="/api")


@router.post("/projects", status_code=201)
def add_project(caller: CallerOf, body: Body) -> Document:
    """Make a project with its labels."""
    number = caller.must_create()
    given = read(bodies.Project, body)
    caller.must_exist("assignee_id", given.assignee_id)
    check_labels(given.labels)
    project = caller.state.add(
        "project",
        name=given.name,
        owner=caller.id,
        assignee=given.assignee_id,
        organization=number,
        bug_tracker=given.bug_tracker,
        status="annotation",
    )
    add_labels(caller, given.labels, project_id=project["id"])
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
    """Rename a project, set its bug tracker; add, change and remove labels."""
    found = caller.get("project", number, "Project")
    caller.must_manage(found)
    refuse_unknown(body, "name", "bug_tracker", "labels", "assignee_id")
    change = read(bodies.ProjectChange, body)
    given = change.given()
    caller.must_exist("assignee_id", given.get("assignee_id"))
    with project_changes(caller, found):
        change_labels(caller, change.labels, project_id=number)
        for name in ("name", "bug_tracker"):
            found[name] = given.get(name, found[name])
        found["assignee"] = given.get("assignee_id", found["assignee"])
    return view_project(caller, found)


@router.delete("/projects/{number}", status_code=204, response_class=Response)
def remove_project(number: int, caller: CallerOf) -> None:
    """Remove a project with its tasks."""
    found = caller.get("project", number, "Project")
    caller.must_manage(found)
    for task in list(caller.state.find("task", project_id=number)):
        remove_task_documents(caller.state, task["id"])
    for label in list(caller.state.find("label", project_id=number)):
        caller.state.remove("label", label["id"])
    caller.state.remove("project", number)
