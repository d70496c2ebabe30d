"""Media of a task: taking the files, in bundles or resumable, and the request that makes frames and jobs of them."""

from __future__ import annotations

import base64
import threading
import traceback
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response

from ava_core.cvat.server import media, webhooks
from ava_core.cvat.server.access import Caller, CallerOf
from ava_core.cvat.server.answers import CvatJSON
from ava_core.cvat.server.changes import task_changes
from ava_core.cvat.server.lists import page
from ava_core.cvat.server.problems import Problem, forbidden, not_found, refused, unsupported
from ava_core.cvat.server.state import Document, State, timestamp
from ava_core.cvat.server.tasks import managed_task, media_folder
from ava_core.cvat.server.views import view_job

router = APIRouter(prefix="/api")

FINISHED_LIFETIME, FAILED_LIFETIME = timedelta(seconds=500), timedelta(days=365)
"""A request is forgotten after this time."""
MAX_UPLOAD = 20 * 2**30
TUS = {"Tus-Resumable": "1.0.0", "Tus-Version": "1.0.0", "Tus-Extension": "creation"}
"""What every answer of a resumable upload says of the protocol (tus.io, version 1.0)."""


@router.post("/tasks/{number}/data")
@router.post("/tasks/{number}/data/")
async def upload(number: int, request: Request, caller: CallerOf) -> Response:
    """Take media: a call with `Upload-Start`, then bundles or resumable files, then one with `Upload-Finish`."""
    task, headers = managed_task(caller, number), request.headers
    if "Upload-Start" in headers:
        if task["upload"] == "empty":
            with task_changes(caller, task):
                task["upload"] = "begun"
        return Response(status_code=202)
    if "Upload-Length" in headers:
        return _begin_file(caller, task, headers)
    if task["upload"] == "done":
        raise refused("Data is already attached to the task")
    options: dict[str, Any] = {}
    if headers.get("Content-Type", "").startswith("multipart/form-data"):
        options = await _take_bundle(request, media_folder(caller.state, number))
        if "Upload-Multiple" in headers:
            return Response(status_code=200)
    elif await request.body():
        options = await request.json()
    if options.get("validation_params"):
        raise unsupported("Ground truth and honeypots")
    return CvatJSON({"rq_id": _start_processing(caller, task, options)}, 202)


@router.patch("/tasks/{number}/data/{file_id}", status_code=204, response_class=Response)
async def append(number: int, file_id: str, request: Request, caller: CallerOf) -> Response:
    """More of a resumable file, from `Upload-Offset` on."""
    known = _begun_file(caller, number, file_id)
    part = media_folder(caller.state, number) / "parts" / file_id
    offset = part.stat().st_size
    if request.headers.get("Upload-Offset") != str(offset):
        sentence = f"The upload stands at {offset} bytes."
        raise Problem(409, {"detail": sentence}, TUS | _file_headers(known, offset))
    with part.open("ab") as file:
        async for chunk in request.stream():
            offset += len(chunk)
            if offset > known["length"]:
                raise Problem(413, {"detail": "More bytes than were announced."})
            file.write(chunk)
    if offset == known["length"]:
        part.replace(media_folder(caller.state, number) / known["name"])
        del caller.state.uploads[file_id]
    return Response(status_code=204, headers=TUS | _file_headers(known, offset))


@router.head("/tasks/{number}/data/{file_id}", response_class=Response)
def offset(number: int, file_id: str, caller: CallerOf) -> Response:
    """How much of a resumable file is here."""
    known = _begun_file(caller, number, file_id)
    size = (media_folder(caller.state, number) / "parts" / file_id).stat().st_size
    return Response(headers=TUS | _file_headers(known, size) | {"Upload-Length": str(known["length"])})


@router.get("/requests")
def requests(request: Request, caller: CallerOf) -> Document:
    """The caller's requests, newest first."""
    own = [r for r in caller.state.requests.values() if r["owner"] == caller.id and not _expired(r)]
    return page(request, reversed(own), lambda d: _request(caller, d))


@router.get("/requests/{rq_id:path}")
def request_state(rq_id: str, caller: CallerOf) -> Document:
    """How far a request is; forgotten minutes after its end."""
    found = caller.state.requests.get(rq_id)
    if found is None or _expired(found):
        raise Problem(404, {"detail": "Not found."})
    if found["owner"] != caller.id and not caller.is_admin:
        raise forbidden()
    return _request(caller, found)


def _begin_file(caller: Caller, task: Document, headers: Any) -> Response:
    """Announce a resumable file; its address is the answer."""
    metadata = dict(
        part.split(" ", 1) for part in headers.get("Upload-Metadata", "").split(",") if " " in part
    )
    name = _file_name(base64.b64decode(metadata.get("filename", "")).decode(errors="replace"))
    length = int(headers["Upload-Length"])
    if length > MAX_UPLOAD:
        raise Problem(413, {"detail": "The file is too large."})
    file_id = f"{caller.id}_{uuid.uuid4()}"
    parts = media_folder(caller.state, task["id"]) / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    (parts / file_id).touch()
    known = {"task": task["id"], "name": name, "length": length}
    caller.state.uploads[file_id] = known
    address = f"{caller.base}/api/tasks/{task['id']}/data/{file_id}"
    return Response(status_code=201, headers=TUS | _file_headers(known, 0) | {"Location": address})


def _begun_file(caller: Caller, number: int, file_id: str) -> Document:
    managed_task(caller, number)
    known = caller.state.uploads.get(file_id)
    if known is None or known["task"] != number:
        raise not_found("Upload")
    return known


def _file_headers(known: Document, offset: int) -> dict[str, str]:
    return {
        "Upload-Offset": str(offset),
        "Upload-Filename": known["name"].encode("ascii", "replace").decode(),
    }


def _file_name(given: str) -> str:
    """The last part of a file's name, so that no upload leaves its task's folder."""
    return Path(given.replace("\\", "/")).name or "file"


async def _take_bundle(request: Request, folder: Path) -> dict[str, Any]:
    """Save the files of a multipart body; returns its other fields."""
    fields: dict[str, Any] = {}
    async with request.form(max_files=10_000) as form:
        for name, value in form.multi_items():
            if isinstance(value, str):
                fields[name] = value
            else:
                await _save(folder, value)
    return fields


async def _save(folder: Path, upload: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    with (folder / _file_name(str(upload.filename or ""))).open("wb") as file:
        while chunk := await upload.read(1 << 20):
            written += len(chunk)
            if written > MAX_UPLOAD:
                raise Problem(413, {"detail": "The file is too large."})
            file.write(chunk)


def _start_processing(caller: Caller, task: Document, options: dict[str, Any]) -> str:
    """Begin to read the uploaded media; the same request while it runs is refused with the same id."""
    rq_id = f"action=create&target=task&target_id={task['id']}"
    known = caller.state.requests
    with caller.state.lock:
        running = known.pop(rq_id, None)
        if running is not None and running["status"] in ("queued", "started"):
            known[rq_id] = running
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
    threading.Thread(
        target=_process, args=(caller.behind(), task, options, known[rq_id]), daemon=True
    ).start()
    return rq_id


def _process(caller: Caller, task: Document, options: dict[str, Any], request: Document) -> None:
    message = "Media files are being extracted..."
    request |= {"status": "started", "message": message, "started_date": timestamp()}
    try:
        # What failed once stays in the folder and fails again: such a task must be removed.
        data = media.describe(media_folder(caller.state, task["id"]), options)
        _attach(caller, task, data)
        outcome, lifetime = {"status": "finished", "message": ""}, FINISHED_LIFETIME
    except media.BadUpload as error:
        outcome, lifetime = {"status": "failed", "message": f"{error}\n"}, FAILED_LIFETIME
    except Exception as error:
        last_line = traceback.format_exception_only(error)[-1]
        outcome, lifetime = {"status": "failed", "message": last_line}, FAILED_LIFETIME
    end = datetime.now(UTC)
    dates = {"finished_date": end, "expiry_date": end + lifetime}
    request |= outcome | {name: date.isoformat().replace("+00:00", "Z") for name, date in dates.items()}


def _attach(caller: Caller, task: Document, data: Document) -> None:
    """Give the task its media and jobs."""
    if caller.state.get("task", task["id"]) is None:
        raise media.BadUpload("The task was removed.")
    with task_changes(caller, task):
        task |= {
            "data": data | {"created_date": timestamp()},
            "upload": "done",
            "segment_size": task["segment_size"] or data["size"],
            "overlap": int(task["overlap"] or 0),
        }
        jobs = _make_jobs(caller, task, data["size"])
    for job in jobs:
        shown = view_job(caller, job)
        webhooks.fire(caller, "create:job", "job", shown, task["project_id"], task["organization"])


def _make_jobs(caller: Caller, task: Document, size: int) -> list[Document]:
    """A job per segment, each followed by its replicas."""
    jobs: list[Document] = []
    length, overlap = task["segment_size"], task["overlap"]
    start = 0
    while start < size:
        stop = min(start + length, size) - 1
        parent = _make_job(caller.state, task, start, stop, "annotation", None)
        jobs.append(parent)
        for _ in range(task["consensus_replicas"]):
            jobs.append(_make_job(caller.state, task, start, stop, "consensus_replica", parent["id"]))
        if stop == size - 1:
            break
        start = stop + 1 - overlap
    return jobs


def _make_job(state: State, task: Document, start: int, stop: int, kind: str, parent: int | None) -> Document:
    return state.add(
        "job",
        task_id=task["id"],
        organization=task["organization"],
        owner=task["owner"],
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
