"""Forgetting a task with everything that belongs to it."""

from __future__ import annotations

import shutil
from pathlib import Path

from ava_core.annotation_server.state import State


def remove_task_documents(state: State, number: int) -> None:
    """Forget everything of a task."""
    with state.lock:
        for job in list(state.find("job", task_id=number)):
            state.remove_annotations(job["id"])
            state.remove("job", job["id"])
        for label in list(state.find("label", task_id=number)):
            state.remove("label", label["id"])
        state.remove("task", number)
    shutil.rmtree(media_folder(state, number), ignore_errors=True)


def media_folder(state: State, number: int) -> Path:
    """Where a task's media lie."""
    return state.media / str(number)
