"""Annotations of jobs and tasks: written as given, read back with attributes filled in.

Reading gives keyframes only. A mutable attribute that a keyframe leaves out is carried forward from the last
one; an immutable one sits on the track.
"""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from ava_core.annotation_server.access import Caller, CallerOf
from ava_core.annotation_server.changes import job_changes
from ava_core.annotation_server.content import (
    EMPTY,
    KINDS,
    Labels,
    begun,
    checked,
    echoed,
    filled,
    numbered,
)
from ava_core.annotation_server.fields import Body
from ava_core.annotation_server.jobs import accessible
from ava_core.annotation_server.labels import labels_of
from ava_core.annotation_server.problems import PlainProblem, refused
from ava_core.annotation_server.segments import joined, within
from ava_core.annotation_server.state import Document
from ava_core.annotation_server.tasks import managed_task

router = APIRouter(prefix="/api")


ACTIONS = ("create", "update", "delete")


@router.get("/jobs/{number}/annotations")
@router.get("/jobs/{number}/annotations/")
def job_annotations(number: int, caller: CallerOf) -> Document:
    """A job's annotations, attributes filled in."""
    job = accessible(caller, number)
    return _answer(filled(caller.state.annotations(number), _labels(caller, job)))


@router.put("/jobs/{number}/annotations")
@router.put("/jobs/{number}/annotations/")
def replace_annotations(number: int, caller: CallerOf, body: Body) -> Document:
    """Replace all annotations of a job."""
    job = accessible(caller, number)
    return _answer(_replace(caller, job, checked(body, _labels(caller, job))))


@router.patch("/jobs/{number}/annotations")
@router.patch("/jobs/{number}/annotations/")
def patch_annotations(number: int, request: Request, caller: CallerOf, body: Body) -> Document:
    """Add, change or remove some annotations of a job, by `action`."""
    job = accessible(caller, number)
    action = _action(request)
    given = checked(body, _labels(caller, job), known=action != "create")
    if action == "delete":
        _remove(caller, job, given)
        return _answer(echoed(given))
    return _answer(_add(caller, job, given, keep_ids=action == "update"))


@router.delete("/jobs/{number}/annotations", status_code=204)
@router.delete("/jobs/{number}/annotations/", status_code=204)
def remove_annotations(number: int, caller: CallerOf) -> Response:
    """Remove all annotations of a job."""
    _store(caller, accessible(caller, number), EMPTY)
    return Response(status_code=204)


@router.get("/tasks/{number}/annotations")
@router.get("/tasks/{number}/annotations/")
def task_annotations(number: int, caller: CallerOf) -> Document:
    """Annotations of a task's annotation jobs; replicas' work is not among them."""
    task = managed_task(caller, number)
    if task["data"] is None:
        raise PlainProblem(400, "Exporting annotations from a task without data is not allowed")
    return _over_jobs(
        caller, task, lambda job: filled(caller.state.annotations(job["id"]), _labels(caller, job))
    )


@router.put("/tasks/{number}/annotations")
@router.put("/tasks/{number}/annotations/")
def replace_task_annotations(number: int, caller: CallerOf, body: Body) -> Document:
    """Replace all annotations of a task's annotation jobs; tracks are cut at the jobs' borders."""
    task = managed_task(caller, number)
    if task["data"] is None:
        raise refused("The task has no data yet.")
    given = checked(body, _labels_of_task(caller, task))
    return _over_jobs(caller, task, lambda job: _replace(caller, job, _part(given, job)))


@router.patch("/tasks/{number}/annotations")
@router.patch("/tasks/{number}/annotations/")
def patch_task_annotations(number: int, request: Request, caller: CallerOf, body: Body) -> Document:
    """Add or remove some annotations of a task, by `action`; to update is to remove and to add."""
    task = managed_task(caller, number)
    action = _action(request)
    given = checked(body, _labels_of_task(caller, task), known=action != "create")
    if action in ("update", "delete"):
        for job in _annotation_jobs(caller, task):
            _remove(caller, job, given)
    if action == "delete":
        return _answer(echoed(given))
    return _over_jobs(caller, task, lambda job: _add(caller, job, _part(given, job)))


@router.delete("/tasks/{number}/annotations", status_code=204)
@router.delete("/tasks/{number}/annotations/", status_code=204)
def remove_task_annotations(number: int, caller: CallerOf) -> Response:
    """Remove all annotations of a task's annotation jobs."""
    for job in _annotation_jobs(caller, managed_task(caller, number)):
        _store(caller, job, EMPTY)
    return Response(status_code=204)


def _action(request: Request) -> str:
    action = request.query_params.get("action", "")
    if action not in ACTIONS:
        raise refused("Please specify a correct 'action' for the request")
    return action


def _annotation_jobs(caller: Caller, task: Document) -> list[Document]:
    found = caller.state.find("job", task_id=task["id"], type="annotation")
    return sorted(found, key=lambda job: job["start_frame"])


def _over_jobs(caller: Caller, task: Document, done: Callable[[Document], Document]) -> Document:
    """What `done` gives for each annotation job, as annotations of the task."""
    parts = [(j["start_frame"], j["stop_frame"], done(j)) for j in _annotation_jobs(caller, task)]
    return _answer(joined(parts))


def _part(given: Document, job: Document) -> Document:
    return within(begun(given), job["start_frame"], job["stop_frame"])


def _replace(caller: Caller, job: Document, given: Document) -> Document:
    written = numbered(caller.state, begun(given))
    _store(caller, job, written)
    return written


def _add(caller: Caller, job: Document, given: Document, *, keep_ids: bool = False) -> Document:
    """Add annotations; with `keep_ids` in place of those of the same ids."""
    with caller.state.lock:
        before = caller.state.annotations(job["id"])
        stored = _without(before, given) if keep_ids else before
        written = numbered(caller.state, begun(given), kept=before if keep_ids else EMPTY)
        whole = {kind: sorted(stored[kind] + written[kind], key=_id) for kind in KINDS}
        _store(caller, job, whole)
    return written


def _id(one: Document) -> int:
    return int(one.get("id") or 0)


def _remove(caller: Caller, job: Document, given: Document) -> None:
    with caller.state.lock:
        _store(caller, job, _without(caller.state.annotations(job["id"]), given))


def _without(stored: Document, given: Document) -> Document:
    ids = {kind: {one.get("id") for one in given[kind]} for kind in KINDS}
    return {kind: [one for one in stored[kind] if one.get("id") not in ids[kind]] for kind in KINDS}


def _store(caller: Caller, job: Document, content: Document) -> None:
    with job_changes(caller, job, annotations=True):
        caller.state.put_annotations(job["id"], content)


def _answer(content: Document) -> Document:
    return {"version": 0, **content, "intervals": []}


def _labels(caller: Caller, job: Document) -> Labels:
    return _labels_of_task(caller, caller.get("task", job["task_id"], "Task"))


def _labels_of_task(caller: Caller, task: Document) -> Labels:
    return {label["id"]: label for label in labels_of(caller, task)}
