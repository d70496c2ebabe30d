"""Jobs: who does them and how far they are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from ava_core.annotation_server import bodies
from ava_core.annotation_server.access import Caller, CallerOf
from ava_core.annotation_server.changes import job_changes
from ava_core.annotation_server.fields import Body, read
from ava_core.annotation_server.lists import page
from ava_core.annotation_server.problems import Problem, forbidden, refused
from ava_core.annotation_server.state import Document, timestamp
from ava_core.annotation_server.tasks import data_answer, preview_answer, view_meta
from ava_core.annotation_server.views import view_job

router = APIRouter(prefix="/api")

STAGES = ("annotation", "validation", "acceptance")
STATES = ("new", "in progress", "completed", "rejected")
TYPES = ("annotation", "ground_truth", "consensus_replica")


@router.get("/jobs")
def jobs(request: Request, caller: CallerOf) -> Document:
    """Jobs of the organisation of the call; workers see their own."""

    def task(job: Document) -> Document:
        return caller.state.get("task", job["task_id"]) or {}

    def project(job: Document) -> Document:
        return caller.state.get("project", task(job).get("project_id")) or {}

    plain = ("id", "task_id", "stage", "state", "type", "updated_date", "parent_job_id")
    fields: dict[str, Any] = {name: (lambda d, n=name: d[n]) for name in plain}
    fields |= {
        "assignee": lambda d: (caller.state.get("user", d["assignee"]) or {}).get("username"),
        "task_name": lambda d: task(d).get("name"),
        "project_id": lambda d: task(d).get("project_id"),
        "project_name": lambda d: project(d).get("name"),
        "mode": lambda d: (task(d).get("data") or {}).get("mode"),
        "dimension": lambda d: "2d",
    }
    found = [job for job in caller.state.all("job") if caller.sees(job) and caller.may_do(job)]
    simple = tuple(name for name in fields if name not in ("id", "updated_date"))
    return page(
        request, found, lambda d: view_job(caller, d), fields=fields, simple=simple,
        search=("task_name", "project_name", "assignee", "state", "stage"),
        choices={"state": STATES, "stage": STAGES, "type": TYPES},
    )  # fmt: skip


@router.get("/jobs/{number}")
def job(number: int, caller: CallerOf) -> Document:
    """One job."""
    return view_job(caller, accessible(caller, number))


@router.patch("/jobs/{number}")
def change_job(number: int, caller: CallerOf, body: Body) -> Document:
    """Set assignee, stage or state. A new stage resets the state; workers may set the state alone."""
    found = accessible(caller, number)
    named = set(body) if isinstance(body, dict) else set()
    if named - {"assignee", "stage", "state"}:
        raise Problem(403, {"detail": "Attempted to update an unknown field"})
    if not caller.manages(found) and named - {"state"}:
        raise forbidden()
    given = read(bodies.JobChange, body).given()
    caller.must_exist("assignee", given.get("assignee"))
    with job_changes(caller, found):
        if given.get("assignee", found["assignee"]) != found["assignee"]:
            found["assignee"], found["assignee_updated_date"] = given["assignee"], timestamp()
        if given.get("stage", found["stage"]) != found["stage"]:
            found["stage"], found["state"] = given["stage"], "new"
        found["state"] = given.get("state", found["state"])
    return view_job(caller, found)


@router.delete("/jobs/{number}", status_code=204, response_class=Response)
def remove_job(number: int, caller: CallerOf) -> None:
    """Refused: jobs go with their task."""
    accessible(caller, number)
    raise refused("Only ground truth jobs can be removed")


@router.get("/jobs/{number}/data/meta")
def job_meta(number: int, caller: CallerOf) -> Document:
    """What the job's media are."""
    found = accessible(caller, number)
    task = caller.get("task", found["task_id"], "Task")
    start, step = task["data"]["start_frame"], task["data"]["step"]
    frames = view_meta(task)["frames"]
    return view_meta(task) | {
        "size": found["stop_frame"] - found["start_frame"] + 1,
        "start_frame": start + found["start_frame"] * step,
        "stop_frame": start + found["stop_frame"] * step,
        # A video is one file for all jobs; of images a job has its own.
        "frames": frames if len(frames) == 1 else frames[found["start_frame"] : found["stop_frame"] + 1],
    }


@router.get("/jobs/{number}/data")
def job_data(number: int, request: Request, caller: CallerOf) -> Response:
    """A frame of the job, numbered within the task, or a chunk."""
    found = accessible(caller, number)
    return data_answer(caller, caller.get("task", found["task_id"], "Task"), request)


@router.get("/jobs/{number}/preview")
def job_preview(number: int, caller: CallerOf) -> Response:
    """The job's first frame."""
    found = accessible(caller, number)
    return preview_answer(caller, caller.get("task", found["task_id"], "Task"), found["start_frame"])


def accessible(caller: Caller, number: int) -> Document:
    """A job that the caller manages or works on; refuses any other."""
    found = caller.get("job", number, "Job")
    if not caller.may_do(found):
        raise forbidden()
    return found
