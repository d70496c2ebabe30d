"""A job's annotations as the API gives them, checked and brought into the form in which readings are kept.

Whatever the server sends, it becomes shapes or one sentence about this job: nothing is guessed, padded or left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ava_core.base.errors import UnreadableJobError

Shape = dict[str, Any]
"""A keyframe shape: the columns of the table `annotations` from `track_id` to `attributes`."""

LAST_FRAME: Final = 2**31 - 1
FARTHEST_PX: Final = 1e6
"""Beyond this a coordinate is an error of some program, and arithmetic with it no longer exact."""
LONGEST_VALUE: Final = 4096
"""Characters of an attribute's value, as CVAT has it."""


def shapes_from_api(content: Any, specs: Mapping[int, str], label_id: int | None = None) -> list[Shape]:
    """A job's annotations, flat and in an order of their own.

    `specs`: attribute names by id; `label_id`: of the only label there may be, `None` where it does not matter. Tracks
    are numbered by content, since CVAT renumbers them; `attributes` hold the values by name as of that shape, with the
    immutable ones. Shapes outside tracks last one frame. Raises `UnreadableJobError` naming what cannot be read.
    """
    if not isinstance(content, Mapping):
        raise UnreadableJobError(f"its annotations are {_kind(content)}, not an object.")
    tracks = [_track(track, specs, label_id) for track in _objects(content, "tracks")]
    for shape in _objects(content, "shapes"):
        _check_label(shape, label_id)
        [own] = _shapes([shape], {}, specs)
        tracks.append([own, own | {"frame": own["frame"] + 1, "outside": True}])
    tracks.sort(key=lambda shapes: json.dumps(shapes, sort_keys=True))
    return [shape | {"track_id": number} for number, shapes in enumerate(tracks, start=1) for shape in shapes]


def content_hash(shapes: Sequence[Shape]) -> str:
    """Hash of what a job says; the same content gives the same hash whatever the server's numbers."""
    return hashlib.sha256(json.dumps(list(shapes), sort_keys=True).encode()).hexdigest()


def _track(track: Mapping[str, Any], specs: Mapping[int, str], label_id: int | None) -> list[Shape]:
    _check_label(track, label_id)
    return _shapes(_objects(track, "shapes"), _values(track, specs), specs)


def _shapes(
    shapes: Sequence[Mapping[str, Any]], fixed: Mapping[str, str], specs: Mapping[int, str]
) -> list[Shape]:
    held: dict[str, str] = {}
    found = []
    for frame, shape in sorted(((_frame(shape), shape) for shape in shapes), key=lambda pair: pair[0]):
        held |= _values(shape, specs)
        xtl, ytl, xbr, ybr = _corners(shape, frame)
        outside = shape.get("outside") or False
        if not isinstance(outside, bool):
            raise UnreadableJobError(f"`outside` at frame {frame} is {_kind(outside)}.")
        found.append({
            "frame": frame, "xtl": xtl, "ytl": ytl, "xbr": xbr, "ybr": ybr, "outside": outside,
            "attributes": {**fixed, **held},
        })  # fmt: skip
    return found


def _frame(shape: Mapping[str, Any]) -> int:
    frame = shape.get("frame")
    if isinstance(frame, bool) or not isinstance(frame, int) or not 0 <= frame < LAST_FRAME:
        raise UnreadableJobError(f"a shape is at frame {_short(frame)}, which is not a frame number.")
    return frame


def _corners(shape: Mapping[str, Any], frame: int) -> tuple[float, float, float, float]:
    kind, points = shape.get("type", "rectangle"), shape.get("points")
    if str(kind) != "rectangle":
        raise UnreadableJobError(
            f"a {_short(kind)} is drawn at frame {frame}.",
            "Draw people as rectangles, and remove this shape.",
        )
    if not isinstance(points, Sequence) or len(points) != 4 or not all(map(_is_coordinate, points)):
        raise UnreadableJobError(
            f"the rectangle at frame {frame} has corners {_short(points)}.", "Draw it again."
        )
    x1, y1, x2, y2 = (float(point) for point in points)
    return x1, y1, x2, y2


def _is_coordinate(value: Any) -> bool:
    # Neither infinite values nor those that are no number are within the bound.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FARTHEST_PX


def _values(owner: Mapping[str, Any], specs: Mapping[int, str]) -> dict[str, str]:
    values = {}
    for attribute in _objects(owner, "attributes"):
        number, value = attribute.get("spec_id"), attribute.get("value")
        if not isinstance(number, int) or number not in specs:
            raise UnreadableJobError(
                f"it has an attribute of id {_short(number)}, which its task does not have.",
                "Remove that attribute in CVAT; if attributes were recreated, run `ava reading learn`.",
            )
        if (
            not isinstance(value, str | int | float)
            or len(text := str(value)) > LONGEST_VALUE
            or not _is_text(text)
        ):
            raise UnreadableJobError(f"{specs[number]!r} has a value that is not text: {_short(value)}.")
        values[specs[number]] = text
    return values


def _is_text(text: str) -> bool:
    """Whether a database keeps it: no NUL, and nothing that has no place in Unicode."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _check_label(owner: Mapping[str, Any], label_id: int | None) -> None:
    found = owner.get("label_id")
    if label_id is not None and found != label_id:
        raise UnreadableJobError(
            f"it has a label of id {_short(found)}, its task was made with {label_id}.",
            "Remove the shapes with that label; if the label was recreated, run `ava reading learn`.",
        )


def _objects(owner: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of objects; a missing one is empty."""
    found = owner.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise UnreadableJobError(f"its {name} are not a list of objects but {_short(found)}.")
    return found


def _kind(value: Any) -> str:
    return type(value).__name__


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"
