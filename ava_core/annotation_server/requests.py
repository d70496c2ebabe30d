"""Long requests: frames and jobs are made of a task's media after the upload was answered."""

from __future__ import annotations

import threading
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request

from ava_core.annotation_server import media, webhooks
from ava_core.annotation_server.access import Caller, CallerOf
from ava_core.annotation_server.changes import task_changes
from ava_core.annotation_server.lists import page
from ava_core.annotation_server.problems import PlainProblem, forbidden, refused
from ava_core.annotation_server.removal import media_folder
from ava_core.annotation_server.state import Document, State, timestamp
from ava_core.annotation_server.views import view_job

router = APIRouter(prefix="/api")

FINISHED_LIFETIME, FAILED_LIFETIME = timedelta(seconds=500), timedelta(days=365)
"""A request is forgotten after this time."""


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
        raise PlainProblem(404, "There is no request with specified id")
    if found["owner"] != caller.id and not caller.is_admin:
        raise forbidden()
    return _request(caller, found)


def must_take_media(caller: Caller, task: Document) -> None:
    """Refuse more media where the task has some, or is being made of some."""
    running = caller.state.requests.get(_rq_id(task), {"status": ""})
    if task["upload"] == "done" or running["status"] in ("queued", "started"):
        raise refused("Adding more data is not supported")


def start_processing(caller: Caller, task: Document, options: dict[str, Any]) -> str:
    """Begin to read the uploaded media; returns the request's id."""
    rq_id, known = _rq_id(task), caller.state.requests
    with caller.state.lock:
        must_take_media(caller, task)
        known.pop(rq_id, None)  # the newest stands last
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


def _rq_id(task: Document) -> str:
    return f"action=create&target=task&target_id={task['id']}"


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
            "overlap": min(task["overlap"] or 0, (task["segment_size"] or data["size"]) // 2),
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
