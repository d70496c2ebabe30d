"""Jobs: who does them and how far they are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from ava_core.cvat.server import webhooks
from ava_core.cvat.server.access import Body, Caller, CallerOf
from ava_core.cvat.server.lists import page
from ava_core.cvat.server.problems import Problem, ServerFault, forbidden, invalid, refused
from ava_core.cvat.server.state import Document, timestamp

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
    manages = {
        number: caller.manages(number) for number in {j["organization"] for j in caller.state.all("job")}
    }
    found = [
        job
        for job in caller.state.all("job")
        if caller.sees(job) and (manages[job["organization"]] or job["assignee"] == caller.id)
    ]
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
    if set(body) - {"assignee", "stage", "state"}:
        raise Problem(403, {"detail": "Attempted to update an unknown field"})
    if not caller.manages(found["organization"]) and set(body) - {"state"}:
        raise forbidden()
    _check_choice(body, "stage", STAGES)
    _check_choice(body, "state", STATES)
    with caller.state.lock:
        before = dict(found)
        if "assignee" in body and body["assignee"] != found["assignee"]:
            if body["assignee"] is not None and caller.state.get("user", body["assignee"]) is None:
                raise ServerFault
            found["assignee"], found["assignee_updated_date"] = body["assignee"], timestamp()
        if "stage" in body and body["stage"] != found["stage"]:
            found["stage"], found["state"] = body["stage"], "new"
        found["state"] = body.get("state", found["state"])
        note_change(caller, found)
    tell_change(caller, before, found)
    return view_job(caller, found)


@router.delete("/jobs/{number}", status_code=204)
def remove_job(number: int, caller: CallerOf) -> None:
    """Refused: jobs go with their task."""
    accessible(caller, number)
    raise refused("Only ground truth jobs can be removed")


@router.get("/jobs/{number}/data/meta")
def job_meta(number: int, caller: CallerOf) -> Document:
    """What the job's media are."""
    from ava_core.cvat.server.tasks import view_meta

    found = accessible(caller, number)
    meta = view_meta(caller.get("task", found["task_id"], "Task"))
    return meta | {"size": found["stop_frame"] - found["start_frame"] + 1}


@router.get("/jobs/{number}/data")
def job_data(number: int, request: Request, caller: CallerOf) -> Response:
    """A frame of the job, numbered within the task."""
    from ava_core.cvat.server.tasks import frame_answer

    found = accessible(caller, number)
    return frame_answer(caller, caller.get("task", found["task_id"], "Task"), request)


@router.get("/jobs/{number}/preview")
def job_preview(number: int, request: Request, caller: CallerOf) -> Response:
    """The job's first frame."""
    from ava_core.cvat.server import media

    found = accessible(caller, number)
    task = caller.get("task", found["task_id"], "Task")
    folder = caller.state.media / str(task["id"])
    return Response(media.frame_jpeg(folder, task["data"], found["start_frame"]), media_type="image/jpeg")


def accessible(caller: Caller, number: int) -> Document:
    """A job that the caller manages or is assigned to; refuses any other."""
    found = caller.get("job", number, "Job")
    if not caller.manages(found["organization"]) and found["assignee"] != caller.id:
        raise forbidden()
    return found


def note_change(caller: Caller, job: Document) -> None:
    """Write a changed job; its task and project count as changed too."""
    caller.state.touch("job", job)
    task = caller.state.get("task", job["task_id"])
    if task is not None:
        caller.state.touch("task", task)
        project = caller.state.get("project", task["project_id"])
        if project is not None:
            caller.state.touch("project", project)


def tell_change(caller: Caller, before: Document, job: Document) -> None:
    """Send `update:job` to the webhooks."""
    names = {"assignee": "assignee_id"}
    changed = {names.get(n, n): (before[n], job[n]) for n in job if before[n] != job[n]}
    task = caller.get("task", job["task_id"], "Task")
    webhooks.fire(
        caller, "update:job", "job", view_job(caller, job), task["project_id"], job["organization"], changed
    )


def is_completed(job: Document) -> bool:
    """Whether the job counts as completed in CVAT's own, legacy sense."""
    return legacy_status(job) == "completed"


def legacy_status(job: Document) -> str:
    """CVAT's older field: completed only at acceptance; the platform never reads it."""
    if job["stage"] == "acceptance":
        return "completed" if job["state"] == "completed" else "validation"
    return str(job["stage"])


def view_job(caller: Caller, job: Document) -> Document:
    """A job as the API shows it; workers do not see the names of task and project."""
    number = job["id"]
    task = caller.state.get("task", job["task_id"]) or {}
    project = caller.state.get("project", task.get("project_id")) or {}
    data = task.get("data") or {"mode": ""}
    chunk = "video" if data["mode"] == "interpolation" else "imageset"
    manages = caller.manages(job["organization"])
    is_parent = job["type"] == "annotation" and task.get("consensus_replicas", 0) > 0
    replicas = task["consensus_replicas"] if is_parent else 0
    issues = sum(1 for _ in caller.state.find("issue", job=number))
    same = (
        "stage", "state", "start_frame", "stop_frame", "created_date", "updated_date", "type", "organization",
        "assignee_updated_date", "parent_job_id",
    )  # fmt: skip
    return {
        "url": f"{caller.base}/api/jobs/{number}",
        "id": number,
        "task_id": job["task_id"],
        "task_name": task.get("name") if manages else None,
        "project_id": task.get("project_id"),
        "project_name": project.get("name") if manages else None,
        "assignee": caller.brief(job["assignee"]),
        "guide_id": None,
        "dimension": "2d",
        "mode": data["mode"],
        "media_type": "image",
        "bug_tracker": task.get("bug_tracker", ""),
        "status": legacy_status(job),
        **{name: job[name] for name in same},
        "frame_count": job["stop_frame"] - job["start_frame"] + 1,
        "data_chunk_size": 36 if data["mode"] == "interpolation" else 72,
        "data_compressed_chunk_type": chunk,
        "data_original_chunk_type": chunk,
        "issues": {"url": f"{caller.base}/api/issues?job_id={number}", "count": issues},
        "labels": {"url": f"{caller.base}/api/labels?job_id={number}"},
        "target_storage": None,
        "source_storage": None,
        "replicas_count": replicas,
        "consensus_replicas": replicas,
    }


def _check_choice(body: Any, name: str, choices: tuple[str, ...]) -> None:
    if name in body and body[name] not in choices:
        raise invalid(name, f'"{body[name]}" is not a valid choice.')
