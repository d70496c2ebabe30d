"""Annotations of jobs: written as given, read back with attributes filled in.

Reading gives keyframes only. A mutable attribute that a keyframe leaves out is carried forward from the last
one; an immutable one sits on the track. Not checked, as on the real server: attribute values, frame ranges,
degenerate boxes. Checked: label and attribute ids, and that mutable ones stand on shapes alone.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from ava_core.cvat.server.access import Body, Caller, CallerOf
from ava_core.cvat.server.jobs import accessible, note_change, tell_change
from ava_core.cvat.server.problems import Problem, ServerFault, refused
from ava_core.cvat.server.projects import labels_of
from ava_core.cvat.server.state import Document

router = APIRouter(prefix="/api")

Labels = dict[int, Document]


@router.get("/jobs/{number}/annotations")
@router.get("/jobs/{number}/annotations/")
def job_annotations(number: int, caller: CallerOf) -> Document:
    """A job's annotations, attributes filled in."""
    job = accessible(caller, number)
    return _filled(caller.state.annotations(number), _labels(caller, job))


@router.put("/jobs/{number}/annotations")
@router.put("/jobs/{number}/annotations/")
def replace_annotations(number: int, caller: CallerOf, body: Body) -> Document:
    """Replace all annotations of a job."""
    job = accessible(caller, number)
    written = _numbered(caller, _checked(body, _labels(caller, job)))
    _store(caller, job, written)
    return _answer(written)


@router.patch("/jobs/{number}/annotations")
@router.patch("/jobs/{number}/annotations/")
def patch_annotations(number: int, request: Request, caller: CallerOf, body: Body) -> Document:
    """Add, change or remove some annotations of a job, by `action`."""
    job = accessible(caller, number)
    action = request.query_params.get("action")
    if action not in ("create", "update", "delete"):
        raise refused("Please specify a correct 'action' for the request")
    given = _checked(body, _labels(caller, job))
    with caller.state.lock:
        stored = caller.state.annotations(number)
        if action in ("update", "delete"):
            for kind in ("shapes", "tracks"):
                ids = {one.get("id") for one in given[kind]}
                stored[kind] = [one for one in stored[kind] if one["id"] not in ids]
        written = _numbered(caller, given, keep_ids=action == "update") if action != "delete" else given
        if action != "delete":
            for kind in ("tags", "shapes", "tracks"):
                stored[kind] = stored[kind] + written[kind]
        _store(caller, job, stored)
    return _answer(written)


@router.delete("/jobs/{number}/annotations", status_code=204)
@router.delete("/jobs/{number}/annotations/", status_code=204)
def remove_annotations(number: int, caller: CallerOf) -> Response:
    """Remove all annotations of a job."""
    job = accessible(caller, number)
    _store(caller, job, {"tags": [], "shapes": [], "tracks": []})
    return Response(status_code=204)


@router.get("/tasks/{number}/annotations")
@router.get("/tasks/{number}/annotations/")
def task_annotations(number: int, caller: CallerOf) -> Any:
    """Annotations of a task's annotation jobs; replicas' work is not among them."""
    task = caller.get("task", number, "Task")
    caller.must_manage(task["organization"])
    if task["data"] is None:
        raise Problem(400, "Exporting annotations from a task without data is not allowed")
    merged: Document = {"tags": [], "shapes": [], "tracks": []}
    for job in sorted(caller.state.find("job", task_id=number, type="annotation"), key=lambda job: job["id"]):
        stored = _filled(caller.state.annotations(job["id"]), _labels(caller, job))
        for kind in merged:
            merged[kind] += stored[kind]
    return _answer(merged)


def _store(caller: Caller, job: Document, content: Document) -> None:
    before = dict(job)
    with caller.state.lock:
        caller.state.put_annotations(job["id"], content)
        note_change(caller, job)
    tell_change(caller, before, job)


def _answer(content: Document) -> Document:
    return {"version": 0, **content, "intervals": []}


def _labels(caller: Caller, job: Document) -> Labels:
    task = caller.get("task", job["task_id"], "Task")
    return {label["id"]: label for label in labels_of(caller, task)}


def _checked(body: Any, labels: Labels) -> Document:
    content = {kind: list(body.get(kind) or []) for kind in ("tags", "shapes", "tracks")}
    for shape in content["shapes"] + content["tags"]:
        label = _label(shape, labels)
        _check_attributes(shape, {a["id"] for a in label["attributes"]})
    for track in content["tracks"]:
        label = _label(track, labels)
        if not track.get("shapes"):
            raise ServerFault
        mutable = {a["id"] for a in label["attributes"] if a["mutable"]}
        _check_attributes(track, {a["id"] for a in label["attributes"]} - mutable)
        for shape in track["shapes"]:
            _check_attributes(shape, mutable)
    return content


def _label(one: Any, labels: Labels) -> Document:
    if one.get("label_id") not in labels:
        raise refused(f"label_id `{one.get('label_id')}` is invalid")
    return labels[one["label_id"]]


def _check_attributes(one: Any, allowed: set[int]) -> None:
    for attribute in one.get("attributes") or []:
        if attribute.get("spec_id") not in allowed:
            raise refused(f"spec_id `{attribute.get('spec_id')}` is invalid")


def _numbered(caller: Caller, content: Document, *, keep_ids: bool = False) -> Document:
    """Annotations with ids of the server's own, and every field that it adds."""
    state = caller.state
    count = len(content["shapes"]) + sum(len(track["shapes"]) for track in content["tracks"])
    next_shape = state.new_id("shape", max(1, count))

    def shape_of(given: Any) -> Document:
        nonlocal next_shape
        next_shape += 1
        return {
            "type": given.get("type", "rectangle"),
            "occluded": bool(given.get("occluded", False)),
            "outside": bool(given.get("outside", False)),
            "z_order": given.get("z_order", 0),
            "rotation": given.get("rotation", 0),
            "points": given.get("points") or [],
            "id": next_shape - 1,
            "frame": given["frame"],
            "attributes": given.get("attributes") or [],
        }

    def common(given: Any) -> Document:
        return {
            "label_id": given["label_id"],
            "group": given.get("group", 0),
            "source": given.get("source", "manual"),
        }

    first_track = state.new_id("track", max(1, len(content["tracks"])))
    return {
        "tags": content["tags"],
        "shapes": [
            shape_of(given) | common(given) | {"score": given.get("score", 1), "elements": []}
            for given in content["shapes"]
        ],
        "tracks": [
            {
                "id": given["id"] if keep_ids and given.get("id") else first_track + place,
                **common(given),
                "frame": given.get("frame", given["shapes"][0]["frame"]),
                "attributes": given.get("attributes") or [],
                "shapes": [shape_of(shape) for shape in given["shapes"]],
                "elements": [],
            }
            for place, given in enumerate(content["tracks"])
        ],
    }


def _filled(content: Document, labels: Labels) -> Document:
    """Annotations as they are read: attributes complete, numbers as floats, keyframes in order."""
    tracks = []
    for track in content["tracks"]:
        specs = labels[track["label_id"]]["attributes"] if track["label_id"] in labels else []
        held = {a["id"]: a["default_value"] for a in specs if a["mutable"]}
        fixed = {a["id"]: a["default_value"] for a in specs if not a["mutable"]}
        shapes = []
        for shape in sorted(track["shapes"], key=lambda shape: shape["frame"]):
            held |= {a["spec_id"]: str(a["value"]) for a in shape["attributes"]}
            shapes.append(_plain(shape) | {"attributes": _listed(held)})
        fixed |= {a["spec_id"]: str(a["value"]) for a in track["attributes"]}
        tracks.append(track | {"shapes": shapes, "attributes": _listed(fixed)})
    shapes = []
    for shape in content["shapes"]:
        specs = labels[shape["label_id"]]["attributes"] if shape["label_id"] in labels else []
        values = {a["id"]: a["default_value"] for a in specs}
        values |= {a["spec_id"]: str(a["value"]) for a in shape["attributes"]}
        shapes.append(_plain(shape) | {"attributes": _listed(values), "score": float(shape["score"])})
    return _answer({"tags": content["tags"], "shapes": shapes, "tracks": tracks})


def _plain(shape: Document) -> Document:
    return shape | {"points": [float(p) for p in shape["points"]], "rotation": float(shape["rotation"])}


def _listed(values: dict[int, str]) -> list[Document]:
    return [{"spec_id": number, "value": value} for number, value in values.items()]
