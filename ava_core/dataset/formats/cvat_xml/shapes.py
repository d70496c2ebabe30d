"""CVAT's shapes as upright boxes, `(x1, y1, x2, y2)` in pixels of the task's pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

Box = tuple[float, float, float, float]

FARTHEST_PX: Final = 1e6
"""Beyond this a coordinate is an error of some program, and arithmetic with it no longer exact."""

LEFT_OUT: Final = "left out"
AROUND: Final = "the upright box around them is taken"


class UnfitShapeError(ValueError):
    """A shape that gives no box; the message names the defect, in the plural."""


def box_of(element: Any) -> tuple[Box, str]:
    """The box of a shape, and the defect that was repaired, in the plural ("" for none).

    A rotated box, a polygon, a mask and an ellipse give the box around them. A skeleton, points, a line and a cuboid
    do not outline a person. Raises `UnfitShapeError` for these, and for corners that are no numbers.
    """
    reader = _READERS.get(element.tag)
    if reader is None:
        raise UnfitShapeError(f"shapes of the kind {element.tag}")
    return reader(element)


def _rectangle(element: Any) -> tuple[Box, str]:
    x1, y1, x2, y2 = (_number(element, name) for name in ("xtl", "ytl", "xbr", "ybr"))
    angle = _number(element, "rotation") if element.get("rotation") else 0.0
    if angle % 360 == 0:
        return (x1, y1, x2, y2), ""
    turn = math.radians(angle)
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    across = (abs((x2 - x1) * math.cos(turn)) + abs((y2 - y1) * math.sin(turn))) / 2
    down = (abs((x2 - x1) * math.sin(turn)) + abs((y2 - y1) * math.cos(turn))) / 2
    return (x - across, y - down, x + across, y + down), "rotated boxes"


def _polygon(element: Any) -> tuple[Box, str]:
    pairs = [point.split(",") for point in (element.get("points") or "").split(";")]
    if any(len(pair) != 2 for pair in pairs):
        raise UnfitShapeError("polygons whose points are not numbers")
    points = [tuple(_finite(text, element.tag) for text in pair) for pair in pairs]
    xs, ys = zip(*points, strict=True)
    return (min(xs), min(ys), max(xs), max(ys)), "polygons"


def _mask(element: Any) -> tuple[Box, str]:
    left, top, width, height = (_number(element, name) for name in ("left", "top", "width", "height"))
    return (left, top, left + width, top + height), "masks"


def _ellipse(element: Any) -> tuple[Box, str]:
    x, y, across, down = (_number(element, name) for name in ("cx", "cy", "rx", "ry"))
    turn = math.radians(_number(element, "rotation") if element.get("rotation") else 0.0)
    half_width = math.hypot(across * math.cos(turn), down * math.sin(turn))
    half_height = math.hypot(across * math.sin(turn), down * math.cos(turn))
    return (x - half_width, y - half_height, x + half_width, y + half_height), "ellipses"


_READERS: Final[Mapping[str, Callable[[Any], tuple[Box, str]]]] = {
    "box": _rectangle,
    "polygon": _polygon,
    "mask": _mask,
    "ellipse": _ellipse,
}


def _number(element: Any, name: str) -> float:
    return _finite(element.get(name) or "", element.tag)


def _finite(text: str, kind: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if (
        not abs(value) <= FARTHEST_PX
    ):  # neither an infinite value nor one that is no number is within the bound
        raise UnfitShapeError(f"shapes of the kind {kind} with a missing, infinite or otherwise unfit number")
    return value


def attributes_of(element: Any) -> dict[str, str]:
    """What stands at a track or shape, by name."""
    found: Iterable[Any] = element.iterfind("attribute")
    return {attribute.get("name", ""): attribute.text or "" for attribute in found}
