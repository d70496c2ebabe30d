"""Forgetting a task or a label with everything that belongs to it."""

from __future__ import annotations

import shutil
from pathlib import Path

from ava_core.annotation_server.state import Document, State


def remove_task_documents(state: State, number: int) -> None:
    """Forget everything of a task."""
    with state.lock:
        for job in list(state.find("job", task_id=number)):
            state.remove_annotations(job["id"])
            for issue in list(state.find("issue", job=job["id"])):
                remove_issue(state, issue["id"])
            state.remove("job", job["id"])
        for label in list(state.find("label", task_id=number)):
            state.remove("label", label["id"])
        state.remove("task", number)
    shutil.rmtree(media_folder(state, number), ignore_errors=True)


def remove_issue(state: State, number: int) -> None:
    """Forget an issue with its comments."""
    with state.lock:
        for comment in list(state.find("comment", issue=number)):
            state.remove("comment", comment["id"])
        state.remove("issue", number)


def remove_label(state: State, label: Document) -> None:
    """Forget a label, and what was annotated with it in all jobs."""
    project = label["project_id"]
    with state.lock:
        tasks = [t["id"] for t in state.find("task", project_id=project)] if project else [label["task_id"]]
        for job in [job for number in tasks for job in state.find("job", task_id=number)]:
            content = state.annotations(job["id"])
            kept = {
                kind: [one for one in ones if one["label_id"] != label["id"]]
                for kind, ones in content.items()
            }
            if kept != content:
                state.put_annotations(job["id"], kept)
        state.remove("label", label["id"])


def media_folder(state: State, number: int) -> Path:
    """Where a task's media lie."""
    return state.media / str(number)
