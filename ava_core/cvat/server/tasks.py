"""Tasks: making them, giving them media, and the jobs that follow from it."""

from __future__ import annotations

import shutil
import threading
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ava_core.cvat.server import media, webhooks
from ava_core.cvat.server.access import Body, Caller, CallerOf
from ava_core.cvat.server.jobs import is_completed, legacy_status, view_job
from ava_core.cvat.server.lists import page
from ava_core.cvat.server.problems import Problem, ServerFault, forbidden, invalid, refused
from ava_core.cvat.server.projects import add_task_labels, project_of
from ava_core.cvat.server.state import Document, State, timestamp

router = APIRouter(prefix="/api")

REQUEST_LIFETIME = timedelta(seconds=500)
"""A finished request is forgotten after this time."""
MAX_UPLOAD = 20 * 2**30


@router.post("/tasks", status_code=201)
def add_task(caller: CallerOf, body: Body) -> Document:
    """Make a task, in a project or with labels of its own; it has no jobs before it has media."""
    number = caller.organisation["id"] if caller.organisation else None
    caller.must_manage(number)
    if not body.get("name"):
        raise invalid("name", "This field is required.")
    replicas = int(body.get("consensus_replicas") or 0)
    if replicas != 0 and not 2 <= replicas <= 11:
        sentence = (
            f"Consensus replicas must be 0 or a positive number more than 1 and less than 12, got {replicas}"
        )
        raise invalid("consensus_replicas", sentence)
    project_id = body.get("project_id")
    if project_id is not None:
        project = project_of(caller, project_id)
        if body.get("labels"):
            raise refused("Task must have only one of Label set or project_id")
        if project["organization"] != number:
            raise refused("The task and its project should be in the same organization.")
        caller.state.touch("project", project)
    task = caller.state.add(
        "task",
        name=str(body["name"]),
        project_id=project_id,
        owner=caller.id,
        assignee=body.get("assignee_id"),
        organization=number,
        bug_tracker=str(body.get("bug_tracker", "")),
        subset=str(body.get("subset", "")),
        segment_size=int(body.get("segment_size") or 0),
        overlap=body.get("overlap"),
        consensus_replicas=replicas,
        data=None,
        upload="empty",
    )
    if project_id is None:
        add_task_labels(caller, body.get("labels") or [], task["id"])
    webhooks.fire(caller, "create:task", "task", view_task(caller, task), task["project_id"], number)
    return view_task(caller, task)


@router.get("/tasks")
def tasks(request: Request, caller: CallerOf) -> Document:
    """Tasks of the organisation of the call; workers see none."""
    plain = ("id", "name", "project_id", "subset", "updated_date")
    fields: dict[str, Any] = {name: (lambda d, n=name: d[n]) for name in plain}
    fields["project_name"] = lambda d: (caller.state.get("project", d["project_id"]) or {}).get("name")
    found = [t for t in caller.state.all("task") if caller.sees(t) and caller.manages(t["organization"])]
    simple = ("name", "project_id", "project_name", "subset")
    return page(
        request, found, lambda d: view_task(caller, d), fields=fields, simple=simple, search=("name",)
    )


@router.get("/tasks/{number}")
def task(number: int, caller: CallerOf) -> Document:
    """One task."""
    return view_task(caller, _managed(caller, number))


@router.patch("/tasks/{number}")
def change_task(number: int, caller: CallerOf, body: Body) -> Document:
    """Rename a task, or change its bug tracker, subset or assignee."""
    found = _managed(caller, number)
    if unknown := set(body) - {"name", "bug_tracker", "subset", "assignee_id"}:
        raise Problem(403, {"detail": f"Attempted to update an unknown field {min(unknown)}"})
    for name in ("name", "bug_tracker", "subset"):
        found[name] = body.get(name, found[name])
    found["assignee"] = body.get("assignee_id", found["assignee"])
    caller.state.touch("task", found)
    return view_task(caller, found)


@router.delete("/tasks/{number}", status_code=204)
def remove_task(number: int, caller: CallerOf) -> None:
    """Remove a task with its jobs, annotations and media."""
    found = _managed(caller, number)
    shown = view_task(caller, found)
    remove_task_documents(caller.state, number)
    webhooks.fire(caller, "delete:task", "task", shown, found["project_id"], found["organization"])


def remove_task_documents(state: State, number: int) -> None:
    """Forget everything of a task."""
    with state.lock:
        for job in list(state.find("job", task_id=number)):
            state.remove_annotations(job["id"])
            state.remove("job", job["id"])
        state.remove("task", number)
    shutil.rmtree(_folder(state, number), ignore_errors=True)


@router.post("/tasks/{number}/data")
@router.post("/tasks/{number}/data/")
async def upload(number: int, request: Request, caller: CallerOf) -> Response:
    """Take media: a call with `Upload-Start`, multipart bundles with `Upload-Multiple`, one with `Upload-Finish`."""
    found = _managed(caller, number)
    headers = request.headers
    if "Upload-Start" in headers:
        return Response(status_code=202)
    if found["upload"] == "done":
        raise refused("Data is already attached to the task")
    is_form = headers.get("Content-Type", "").startswith("multipart/form-data")
    options: dict[str, Any] = {}
    if is_form:
        async with request.form(max_files=10_000) as form:
            for name, value in form.multi_items():
                if isinstance(value, str):
                    options[name] = value
                else:
                    await _save(_folder(caller.state, number), value)
        if "Upload-Multiple" in headers:
            return Response(status_code=200)
    elif await request.body():
        options = await request.json()
    return JSONResponse({"rq_id": _start_processing(caller, found, options)}, 202)


@router.get("/requests")
def requests(request: Request, caller: CallerOf) -> Document:
    """The caller's requests."""
    own = [r for r in caller.state.requests.values() if r["owner"] == caller.id and not _expired(r)]
    return page(request, own, lambda d: _request(caller, d))


@router.get("/requests/{rq_id:path}")
def request_state(rq_id: str, caller: CallerOf) -> Document:
    """How far a request is; forgotten minutes after its end."""
    found = caller.state.requests.get(rq_id)
    if found is None or _expired(found):
        raise Problem(404, {"detail": "Not found."})
    if found["owner"] != caller.id and not caller.is_admin:
        raise forbidden()
    return _request(caller, found)


@router.get("/tasks/{number}/data/meta")
def task_meta(number: int, caller: CallerOf) -> Document:
    """What the media are."""
    return view_meta(_managed(caller, number))


@router.get("/tasks/{number}/data")
def task_data(number: int, request: Request, caller: CallerOf) -> Response:
    """A frame of the task."""
    return frame_answer(caller, _managed(caller, number), request)


@router.get("/tasks/{number}/preview")
def task_preview(number: int, caller: CallerOf) -> Response:
    """The first frame."""
    found = _managed(caller, number)
    return Response(media.frame_jpeg(_folder(caller.state, number), _data(found), 0), media_type="image/jpeg")


def frame_answer(caller: Caller, task: Document, request: Request) -> Response:
    """A single frame, or the whole video as the only chunk."""
    query = request.query_params
    kind = query.get("type")
    folder, data = _folder(caller.state, task["id"]), _data(task)
    if kind not in ("frame", "preview", "chunk"):
        raise Problem(400, "Data type not specified")
    number = query.get("number", "0")
    if not number.isdigit():
        raise Problem(400, "Number should be an integer")
    if kind == "chunk":
        return Response((folder / data["files"][0]).read_bytes(), media_type="video/mp4")
    picture = media.frame_jpeg(folder, data, int(number) if kind == "frame" else 0)
    return Response(picture, media_type="image/jpeg")


def view_meta(task: Document) -> Document:
    """The media as `data/meta` shows them."""
    data = _data(task)
    return {
        "chapters": [],
        "chunks_updated_date": data["created_date"],
        "chunk_size": _chunk_size(data),
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


def view_task(caller: Caller, task: Document) -> Document:
    """A task as the API shows it; what its media decide appears with them."""
    number, data = task["id"], task["data"]
    jobs = list(caller.state.find("job", task_id=number))
    own = [job for job in jobs if job["type"] == "annotation"]
    done = sum(is_completed(job) for job in own)
    project = caller.state.get("project", task["project_id"]) or {}
    same = ("name", "project_id", "bug_tracker", "created_date", "updated_date", "subset", "organization")
    shown = {
        "url": f"{caller.base}/api/tasks/{number}",
        "id": number,
        **{name: task[name] for name in same},
        "project_name": project.get("name"),
        "owner": caller.brief(task["owner"]),
        "assignee": caller.brief(task["assignee"]),
        "overlap": task["overlap"] if data is None else int(task["overlap"] or 0),
        "segment_size": task["segment_size"],
        "status": "completed" if own and done == len(own) else "annotation",
        "guide_id": None,
        "data": None,
        "dimension": "",
        "mode": "",
        "media_type": "",
        "organization_id": task["organization"],
        "target_storage": None,
        "source_storage": None,
        "jobs": {
            "count": len(jobs),
            "completed": sum(map(is_completed, jobs)),
            "validation": sum(legacy_status(job) == "validation" for job in jobs),
            "url": f"{caller.base}/api/jobs?task_id={number}",
        },
        "labels": {"url": f"{caller.base}/api/labels?task_id={number}"},
        "assignee_updated_date": None,
        "validation_mode": None,
        "consensus_enabled": task["consensus_replicas"] > 0,
    }
    if data is not None:
        chunk = "video" if data["mode"] == "interpolation" else "imageset"
        shown |= {
            "data_chunk_size": _chunk_size(data),
            "data_original_chunk_type": chunk,
            "data_compressed_chunk_type": chunk,
            "data_cloud_storage_id": None,
            "size": data["size"],
            "image_quality": data["image_quality"],
            "data": number,
            "dimension": "2d",
            "mode": data["mode"],
            "media_type": "image",
        }
    return shown


def _managed(caller: Caller, number: int) -> Document:
    found = caller.get("task", number, "Task")
    caller.must_manage(found["organization"])
    return found


def _data(task: Document) -> Document:
    if task["data"] is None:
        raise ServerFault
    data: Document = task["data"]
    return data


def _chunk_size(data: Document) -> int:
    return 36 if data["mode"] == "interpolation" else 72


def _folder(state: State, number: int) -> Path:
    return state.media / str(number)


async def _save(folder: Path, upload: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = Path(str(upload.filename or "file").replace("\\", "/")).name
    written = 0
    with (folder / name).open("wb") as file:
        while chunk := await upload.read(1 << 20):
            written += len(chunk)
            if written > MAX_UPLOAD:
                raise Problem(413, "The file is too large")
            file.write(chunk)


def _start_processing(caller: Caller, task: Document, options: dict[str, Any]) -> str:
    """Begin to read the uploaded media; the same request while it runs is refused with the same id."""
    rq_id = f"action=create&target=task&target_id={task['id']}"
    known = caller.state.requests
    with caller.state.lock:
        running = known.get(rq_id)
        if running is not None and running["status"] in ("queued", "started"):
            raise Problem(409, {"rq_id": rq_id})
        known[rq_id] = {
            "id": rq_id,
            "status": "queued",
            "message": "",
            "task_id": task["id"],
            "project_id": task["project_id"],
            "org_id": task["organization"],
            "owner": caller.id,
            "created_date": timestamp(),
            "started_date": None,
            "finished_date": None,
            "expiry_date": None,
        }
    threading.Thread(target=_process, args=(caller, task, options, known[rq_id]), daemon=True).start()
    return rq_id


def _process(caller: Caller, task: Document, options: dict[str, Any], request: Document) -> None:
    request |= {
        "status": "started",
        "message": "Media files are being extracted...",
        "started_date": timestamp(),
    }
    folder = _folder(caller.state, task["id"])
    try:
        # What failed once stays in the folder and fails again: such a task must be removed.
        data = media.describe(folder, options)
        with caller.state.lock:
            if caller.state.get("task", task["id"]) is None:
                raise ValueError("The task was removed")
            task["data"] = data | {"created_date": timestamp()}
            task["upload"] = "done"
            task["segment_size"] = task["segment_size"] or data["size"]
            caller.state.touch("task", task)
            jobs = _make_jobs(caller, task, data["size"])
        for job in jobs:
            webhooks.fire(
                caller, "create:job", "job", view_job(caller, job), task["project_id"], task["organization"]
            )
        outcome = {"status": "finished", "message": ""}
    except Exception as error:
        last_line = traceback.format_exception_only(error)[-1].replace("ValueError: ", "")
        outcome = {"status": "failed", "message": last_line}
    end = datetime.now(UTC)
    expiry = (end + REQUEST_LIFETIME).isoformat().replace("+00:00", "Z")
    request |= outcome | {"finished_date": end.isoformat().replace("+00:00", "Z"), "expiry_date": expiry}


def _make_jobs(caller: Caller, task: Document, size: int) -> list[Document]:
    """A job per segment, each followed by its replicas."""
    jobs = []
    length, overlap = task["segment_size"], int(task["overlap"] or 0)
    start = 0
    while start < size:
        stop = min(start + length, size) - 1
        parent = _make_job(caller, task, start, stop, "annotation", None)
        jobs.append(parent)
        for _ in range(task["consensus_replicas"]):
            jobs.append(_make_job(caller, task, start, stop, "consensus_replica", parent["id"]))
        if stop == size - 1:
            break
        start = stop + 1 - overlap
    return jobs


def _make_job(
    caller: Caller, task: Document, start: int, stop: int, kind: str, parent: int | None
) -> Document:
    return caller.state.add(
        "job",
        task_id=task["id"],
        organization=task["organization"],
        start_frame=start,
        stop_frame=stop,
        stage="annotation",
        state="new",
        assignee=None,
        assignee_updated_date=None,
        type=kind,
        parent_job_id=parent,
    )


def _expired(request: Document) -> bool:
    return bool(request["expiry_date"]) and request["expiry_date"] < timestamp()


def _request(caller: Caller, request: Document) -> Document:
    same = ("status", "message", "id", "created_date", "started_date", "finished_date", "expiry_date")
    owner = caller.state.get("user", request["owner"]) or {}
    return {
        **{name: request[name] for name in same},
        "operation": {
            "type": "create:task",
            "target": "task",
            "project_id": request["project_id"],
            "task_id": request["task_id"],
            "job_id": None,
            "org_id": request["org_id"],
            "format": None,
            "lightweight": None,
        },
        "progress": 0.0,
        "owner": {"id": owner.get("id"), "username": owner.get("username")},
        "result_url": None,
        "result_id": None,
    }
