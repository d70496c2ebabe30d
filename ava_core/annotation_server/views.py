"""Projects, tasks and jobs as the API shows them."""

from __future__ import annotations

from ava_core.annotation_server.access import Caller
from ava_core.annotation_server.state import Document

VIDEO_CHUNK, IMAGE_CHUNK = 36, 72
"""Frames in a chunk, as CVAT counts them by default."""


def view_project(caller: Caller, project: Document) -> Document:
    """A project as the API shows it."""
    number = project["id"]
    count = sum(1 for _ in caller.state.find("task", project_id=number))
    same = ("name", "bug_tracker", "created_date", "updated_date", "status", "organization")
    return {
        "url": f"{caller.base}/api/projects/{number}",
        "id": number,
        **{name: project[name] for name in same},
        "owner": caller.brief(project["owner"]),
        "assignee": caller.brief(project["assignee"]),
        "guide_id": None,
        "dimension": "2d" if count else None,
        "organization_id": project["organization"],
        "target_storage": None,
        "source_storage": None,
        "tasks": {"count": count, "url": f"{caller.base}/api/tasks?project_id={number}"},
        "labels": {"url": f"{caller.base}/api/labels?project_id={number}"},
        "assignee_updated_date": None,
        "task_subsets": [],
    }


def view_task(caller: Caller, task: Document) -> Document:
    """A task as the API shows it; what its media decide appears with them."""
    number, data = task["id"], task["data"]
    statuses = _statuses(caller, task)
    project = caller.state.get("project", task["project_id"]) or {}
    same = (
        "name", "project_id", "bug_tracker", "created_date", "updated_date", "overlap", "segment_size", "subset",
        "organization",
    )  # fmt: skip
    return {
        "url": f"{caller.base}/api/tasks/{number}",
        "id": number,
        **{name: task[name] for name in same},
        "project_name": project.get("name") if caller.sees_names(task) else None,
        "owner": caller.brief(task["owner"]),
        "assignee": caller.brief(task["assignee"]),
        "status": task_status(caller, task),
        "guide_id": None,
        "dimension": "2d" if data else "",
        "mode": data["mode"] if data else "",
        "media_type": "image" if data else "",
        "organization_id": task["organization"],
        "target_storage": None,
        "source_storage": None,
        "jobs": {
            "count": len(statuses),
            "completed": statuses.count("completed"),
            "validation": statuses.count("validation"),
            "url": f"{caller.base}/api/jobs?task_id={number}",
        },
        "labels": {"url": f"{caller.base}/api/labels?task_id={number}"},
        "assignee_updated_date": None,
        "validation_mode": None,
        "consensus_enabled": task["consensus_replicas"] > 0,
        **_view_media(task),
    }


def _view_media(task: Document) -> Document:
    """What a task shows of its media: nothing before an upload, little after one that failed."""
    if task["upload"] == "empty":
        return {"data": None}
    shown = {"data": task["id"], "data_cloud_storage_id": None, "size": 0}
    if (data := task["data"]) is None:
        return shown
    return shown | {
        "size": data["size"],
        "image_quality": data["image_quality"],
        "data_chunk_size": chunk_size(data),
        "data_original_chunk_type": chunk_type(data),
        "data_compressed_chunk_type": chunk_type(data),
    }


def view_job(caller: Caller, job: Document) -> Document:
    """A job as the API shows it; workers do not see the names of task and project."""
    number = job["id"]
    task = caller.state.get("task", job["task_id"]) or {}
    project = caller.state.get("project", task.get("project_id")) or {}
    data = task.get("data") or {"mode": ""}
    named = caller.sees_names(job)
    is_parent = job["type"] == "annotation" and task.get("consensus_replicas", 0) > 0
    replicas = task["consensus_replicas"] if is_parent else 0
    count = sum(1 for _ in caller.state.find("issue", job=number))
    issues = {"url": f"{caller.base}/api/issues?job_id={number}", "count": count}
    same = (
        "stage", "state", "start_frame", "stop_frame", "created_date", "updated_date", "type", "organization",
        "assignee_updated_date", "parent_job_id",
    )  # fmt: skip
    return {
        "url": f"{caller.base}/api/jobs/{number}",
        "id": number,
        "task_id": job["task_id"],
        "task_name": task.get("name") if named else None,
        "project_id": task.get("project_id"),
        "project_name": project.get("name") if named else None,
        "assignee": caller.brief(job["assignee"]),
        "guide_id": None,
        "dimension": "2d",
        "mode": data["mode"],
        "media_type": "image",
        "bug_tracker": task.get("bug_tracker", ""),
        "status": legacy_status(job),
        **{name: job[name] for name in same},
        "frame_count": job["stop_frame"] - job["start_frame"] + 1,
        "data_chunk_size": chunk_size(data),
        "data_compressed_chunk_type": chunk_type(data),
        "data_original_chunk_type": chunk_type(data),
        "issues": None if caller.in_background else issues,
        "labels": {"url": f"{caller.base}/api/labels?job_id={number}"},
        "target_storage": None,
        "source_storage": None,
        "replicas_count": replicas,
        "consensus_replicas": replicas,
    }


def legacy_status(job: Document) -> str:
    """CVAT's older field: completed only at acceptance; the platform never reads it."""
    if job["stage"] == "acceptance":
        return "completed" if job["state"] == "completed" else "validation"
    return str(job["stage"])


def task_status(caller: Caller, task: Document) -> str:
    """CVAT's older field: a task is as far as the job that is furthest back, replicas too."""
    statuses = _statuses(caller, task)
    return next((s for s in ("annotation", "validation", "completed") if s in statuses), "annotation")


def _statuses(caller: Caller, task: Document) -> list[str]:
    return [legacy_status(job) for job in caller.state.find("job", task_id=task["id"])]


def chunk_size(data: Document) -> int:
    """Frames in a chunk of the task's media."""
    return VIDEO_CHUNK if data["mode"] == "interpolation" else IMAGE_CHUNK


def chunk_type(data: Document) -> str:
    """What a chunk of the task's media is."""
    return "video" if data["mode"] == "interpolation" else "imageset"
