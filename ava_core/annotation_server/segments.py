"""A task's annotations over its jobs: cut at the jobs' borders when written, joined again when read.

A track that crosses a border becomes one track a job, with keyframes interpolated at the borders. Read for the
whole task, tracks of overlapping jobs that agree in the overlap are one again; without overlap a track ends with
an `outside` keyframe after its job.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ava_core.annotation_server.state import Document

SAME_BOX_IOU = 0.5
"""Shapes of two jobs on one frame of their overlap that overlap as much are the same object."""


def within(content: Document, start: int, stop: int) -> Document:
    """The part of `content` (tags, shapes, tracks) that lies in the frames `start` to `stop`, both included."""
    tracks = [cut(track, start, stop) for track in content["tracks"]]
    return {
        "tags": [tag for tag in content["tags"] if start <= tag["frame"] <= stop],
        "shapes": [shape for shape in content["shapes"] if start <= shape["frame"] <= stop],
        "tracks": [track for track in tracks if track is not None],
    }


def cut(track: Document, start: int, stop: int) -> Document | None:
    """The track within the frames `start` to `stop`, or `None` where it is not seen there."""
    shapes = sorted(track["shapes"], key=lambda shape: shape["frame"])
    inside = {shape["frame"]: shape for shape in shapes if start <= shape["frame"] <= stop}
    first = shapes[0]["frame"]
    if first < start and start not in inside and (shape := interpolated(shapes, start)):
        inside[start] = shape
    if inside and shapes[-1]["frame"] > stop and stop not in inside and (shape := interpolated(shapes, stop)):
        inside[stop] = shape
    if not inside or all(shape.get("outside") for shape in inside.values()):
        return None
    kept = [inside[number] for number in sorted(inside)]
    return track | {"frame": kept[0]["frame"], "shapes": kept}


def interpolated(shapes: list[Document], frame: int) -> Document | None:
    """The track's shape at a frame between keyframes, `None` where it is outside; attributes hold as steps."""
    before = [shape for shape in shapes if shape["frame"] <= frame]
    after = [shape for shape in shapes if shape["frame"] > frame]
    if not before or before[-1].get("outside"):
        return None
    attributes = {a["spec_id"]: a["value"] for shape in before for a in shape.get("attributes") or []}
    points = before[-1]["points"]
    if after:
        share = (frame - before[-1]["frame"]) / (after[0]["frame"] - before[-1]["frame"])
        if len(points) == len(after[0]["points"]):
            # Halved, so that no difference of two finite numbers is infinite.
            a, b = np.asarray(points, float) / 2, np.asarray(after[0]["points"], float) / 2
            points = (2 * np.clip(a + share * (b - a), np.minimum(a, b), np.maximum(a, b))).tolist()
    listed = [{"spec_id": number, "value": value} for number, value in attributes.items()]
    return {**before[-1], "frame": frame, "points": points, "attributes": listed}


def joined(parts: list[tuple[int, int, Document]]) -> Document:
    """Annotations of a task from those of its jobs, `(start, stop, content)` in the order of frames."""
    whole: Document = {"tags": [], "shapes": [], "tracks": []}
    last_stop = -1
    for place, (start, stop, content) in enumerate(parts):
        overlap = range(start, last_stop + 1)
        is_last = place == len(parts) - 1
        has_overlap_after = not is_last and parts[place + 1][0] <= stop
        tracks = [
            track if is_last or has_overlap_after else _closed(track, stop) for track in content["tracks"]
        ]
        whole["tags"] += [tag for tag in content["tags"] if tag["frame"] not in overlap]
        whole["shapes"] = _join_shapes(whole["shapes"], content["shapes"], overlap)
        whole["tracks"] = _join_tracks(whole["tracks"], tracks, overlap)
        last_stop = stop
    return whole


def _closed(track: Document, stop: int) -> Document:
    """The track, ended after its job's last frame."""
    last = track["shapes"][-1]
    if last["outside"]:
        return track
    return track | {"shapes": [*track["shapes"], last | {"frame": stop + 1, "outside": True}]}


def _join_shapes(known: list[Document], new: list[Document], overlap: range) -> list[Document]:
    def is_known(shape: Document) -> bool:
        return shape["frame"] in overlap and any(
            other["frame"] == shape["frame"] and _agree(other, shape)
            for other in known
            if _same_label(other, shape)
        )

    return known + [shape for shape in new if not is_known(shape)]


def _join_tracks(known: list[Document], new: list[Document], overlap: range) -> list[Document]:
    """`known` tracks go on in the `new` one that they agree with on each frame of the overlap."""
    result, free = [], list(new)
    for track in known:
        match = next((other for other in free if _is_continued(track, other, overlap)), None)
        if match is None:
            result.append(track)
            continue
        free.remove(match)
        shapes = {s["frame"]: s | {"keyframe": True} if s["frame"] in overlap else s for s in match["shapes"]}
        shapes |= {s["frame"]: s | {"keyframe": True} for s in track["shapes"]}
        result.append(track | {"shapes": [shapes[number] for number in sorted(shapes)]})
    return result + free


def _is_continued(track: Document, other: Document, overlap: range) -> bool:
    if not overlap or not _same_label(track, other):
        return False
    pairs = [(interpolated(track["shapes"], n), interpolated(other["shapes"], n)) for n in overlap]
    seen = [(a, b) for a, b in pairs if a is not None or b is not None]
    return bool(seen) and all(a is not None and b is not None and _agree(a, b) for a, b in seen)


def _same_label(one: Any, other: Any) -> bool:
    return bool(one["label_id"] == other["label_id"])


def _agree(one: Document, other: Document) -> bool:
    """Whether two rectangles are one object; other shapes where their points are the same."""
    if one["type"] != "rectangle" or other["type"] != "rectangle":
        return bool(one["points"] == other["points"])
    a, b = np.asarray(one["points"], float), np.asarray(other["points"], float)
    with np.errstate(over="ignore", invalid="ignore"):  # boxes without bounds agree with none
        sides = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None)
        union = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - np.prod(sides)
        return bool(union > 0 and np.prod(sides) / union >= SAME_BOX_IOU)
