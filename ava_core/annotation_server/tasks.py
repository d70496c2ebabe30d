"""Tasks: making, listing, changing and removing them, and showing what their media are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from ava_core.annotation_server import bodies, media, webhooks
from ava_core.annotation_server.access import Caller, CallerOf
from ava_core.annotation_server.changes import task_changes
from ava_core.annotation_server.fields import Body, read
from ava_core.annotation_server.labels import add_labels, change_labels, check_labels, project_of
from ava_core.annotation_server.lists import page
from ava_core.annotation_server.problems import Problem, invalid, refuse_unknown, refused
from ava_core.annotation_server.removal import media_folder, remove_task_documents
from ava_core.annotation_server.state import Document
from ava_core.annotation_server.views import chunk_size, task_status, view_task

router = APIRouter(prefix="/api")


@router.post("/tasks", status_code=201)
def add_task(caller: CallerOf, body: Body) -> Document:
    """Make a task, in a project or with labels of its own; it has no jobs before it has media."""
    number = caller.must_create()
    given = read(bodies.Task, body)
    caller.must_exist("assignee_id", given.assignee_id)
    check_labels(given.labels)
    replicas, project_id = given.consensus_replicas, given.project_id
    if replicas != 0 and not 2 <= replicas <= 11:
        sentence = (
            f"Consensus replicas must be 0 or a positive number more than 1 and less than 12, got {replicas}"
        )
        raise invalid("consensus_replicas", sentence)
    if project_id is not None:
        project = project_of(caller, project_id)
        if given.labels:
            raise refused("Task must have only one of Label set or project_id")
        if project["organization"] != number:
            raise refused("The task and its project should be in the same organization.")
        caller.must_manage(project)
        caller.state.touch("project", project)
    task = caller.state.add(
        "task",
        **given.model_dump(exclude={"assignee_id", "labels"}),
        owner=caller.id,
        assignee=given.assignee_id,
        organization=number,
        data=None,
        upload="empty",
    )
    if project_id is None:
        add_labels(caller, given.labels, task_id=task["id"])
    webhooks.fire(caller, "create:task", "task", view_task(caller, task), task["project_id"], number)
    return view_task(caller, task)


@router.get("/tasks")
def tasks(request: Request, caller: CallerOf) -> Document:
    """Tasks of the organisation of the call; workers see none."""

    def username(number: int | None) -> str | None:
        return (caller.state.get("user", number) or {}).get("username")

    plain = ("id", "name", "project_id", "subset", "updated_date")
    fields: dict[str, Any] = {name: (lambda d, n=name: d[n]) for name in plain}
    fields |= {
        "project_name": lambda d: (caller.state.get("project", d["project_id"]) or {}).get("name"),
        "status": lambda d: task_status(caller, d),
        "mode": lambda d: (d["data"] or {"mode": ""})["mode"],
        "dimension": lambda d: "2d" if d["data"] else "",
        "owner": lambda d: username(d["owner"]),
        "assignee": lambda d: username(d["assignee"]),
    }
    found = [t for t in caller.state.all("task") if caller.sees(t) and caller.manages(t)]
    simple = tuple(name for name in fields if name not in ("id", "updated_date"))
    return page(
        request, found, lambda d: view_task(caller, d), fields=fields, simple=simple, search=("name",)
    )


@router.get("/tasks/{number}")
def task(number: int, caller: CallerOf) -> Document:
    """One task."""
    return view_task(caller, managed_task(caller, number))


@router.patch("/tasks/{number}")
def change_task(number: int, caller: CallerOf, body: Body) -> Document:
    """Rename a task, change its bug tracker, subset, assignee, or the labels of its own."""
    found = managed_task(caller, number)
    refuse_unknown(body, "name", "bug_tracker", "subset", "assignee_id", "labels")
    change = read(bodies.TaskChange, body)
    given = change.given()
    caller.must_exist("assignee_id", given.get("assignee_id"))
    if change.labels and found["project_id"]:
        raise refused("Labels of a task in a project are the project's.")
    with task_changes(caller, found):
        change_labels(caller, change.labels, task_id=number)
        for name in ("name", "bug_tracker", "subset"):
            found[name] = given.get(name, found[name])
        found["assignee"] = given.get("assignee_id", found["assignee"])
    return view_task(caller, found)


@router.delete("/tasks/{number}", status_code=204, response_class=Response)
def remove_task(number: int, caller: CallerOf) -> None:
    """Remove a task with its jobs, annotations and media."""
    found = managed_task(caller, number)
    shown = view_task(caller, found)
    remove_task_documents(caller.state, number)
    webhooks.fire(caller, "delete:task", "task", shown, found["project_id"], found["organization"])


@router.get("/tasks/{number}/data/meta")
def task_meta(number: int, caller: CallerOf) -> Document:
    """What the media are."""
    return view_meta(managed_task(caller, number))


@router.get("/tasks/{number}/data")
def task_data(number: int, request: Request, caller: CallerOf) -> Response:
    """A frame or chunk of the task."""
    return data_answer(caller, managed_task(caller, number), request)


@router.get("/tasks/{number}/preview")
def task_preview(number: int, caller: CallerOf) -> Response:
    """The first frame."""
    return preview_answer(caller, managed_task(caller, number), 0)


def data_answer(caller: Caller, task: Document, request: Request) -> Response:
    """A single frame, or a chunk: an archive of pictures, or the whole video as the only one."""
    query = request.query_params
    kind = query.get("type")
    folder, data = media_folder(caller.state, task["id"]), _data(task)
    if kind not in ("frame", "preview", "chunk"):
        raise Problem(400, "Data type not specified")
    number = query.get("number", query.get("index", "0"))
    if not number.isdecimal():
        raise Problem(400, "Number should be an integer")
    if kind == "chunk":
        content, media_type = media.chunk(folder, data, int(number), chunk_size(data))
        return Response(content, media_type=media_type)
    if kind == "preview":
        return preview_answer(caller, task, 0)
    content, media_type = media.frame(folder, data, int(number))
    return Response(content, media_type=media_type)


def preview_answer(caller: Caller, task: Document, number: int) -> Response:
    """Frame `number` as JPEG."""
    picture = media.preview(media_folder(caller.state, task["id"]), _data(task), number)
    return Response(picture, media_type="image/jpeg")


def view_meta(task: Document) -> Document:
    """The media as `data/meta` shows them."""
    data = _data(task)
    return {
        "chapters": [],
        "chunks_updated_date": data["created_date"],
        "chunk_size": chunk_size(data),
        "size": data["size"],
        "image_quality": data["image_quality"],
        "start_frame": data["start_frame"],
        "stop_frame": data["stop_frame"],
        "frame_filter": data["frame_filter"],
        "frames": [{**frame, "related_files": 0, "has_related_context": False} for frame in data["frames"]],
        "deleted_frames": [],
        "included_frames": None,
        "storage": "local",
        "cloud_storage_id": None,
    }


def managed_task(caller: Caller, number: int) -> Document:
    """A task that the caller may see and change; refuses any other."""
    found = caller.get("task", number, "Task")
    caller.must_manage(found)
    return found


def _data(task: Document) -> Document:
    if task["data"] is None:
        raise refused("The task has no data yet.")
    data: Document = task["data"]
    return data
