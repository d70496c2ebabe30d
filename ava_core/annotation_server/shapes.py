"""The one schema of annotations that are written: what a tag, a shape, a track may hold.

Numbers are finite, frames whole and not negative, points as many as the type of the shape wants, texts are texts.
Not checked, as on the real server: values of attributes, frames past the job's end, boxes without an area.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from ava_core.annotation_server.fields import Count, Fields, Name, Text, Whole

ShapeType = Literal["rectangle", "polygon", "polyline", "points", "ellipse", "cuboid", "mask"]
"""The types of CVAT but for skeletons."""

FITS: Final[dict[str, Callable[[int], bool]]] = {
    "rectangle": lambda n: n == 4,
    "ellipse": lambda n: n == 4,
    "cuboid": lambda n: n == 16,
    "polygon": lambda n: n >= 6 and n % 2 == 0,
    "polyline": lambda n: n >= 4 and n % 2 == 0,
    "points": lambda n: n >= 2 and n % 2 == 0,
    "mask": lambda n: n >= 5,
}
"""How many coordinates a shape of each type has; a mask ends with its box."""


def _none(elements: list[Any]) -> list[Any]:
    if elements:
        raise PydanticCustomError("elements", "The embedded annotation server has no skeletons.")
    return elements


Elements = Annotated[list[Any], AfterValidator(_none)]


class AttributeValue(Fields):
    """The value of one attribute."""

    spec_id: Whole
    value: Annotated[Text, Field(max_length=4096)]


class Labelled(Fields):
    """What tags, shapes and tracks have in common."""

    id: int | None = None
    label_id: Annotated[int, Field(ge=0)]
    group: Count | None = 0
    source: Annotated[Name, Field(max_length=16)] = "manual"
    frame: Count
    attributes: list[AttributeValue] = []


class Drawn(Fields):
    """A shape on a frame; within a track, a keyframe."""

    id: int | None = None
    type: ShapeType
    frame: Count
    occluded: bool = False
    outside: bool = False
    z_order: Whole = 0
    rotation: Annotated[float, Field(ge=0, le=360)] = 0.0
    points: Annotated[list[float], Field(validate_default=True)] = []
    attributes: list[AttributeValue] = []

    @field_validator("points")
    @classmethod
    def _fit(cls, points: list[float], info: ValidationInfo) -> list[float]:
        kind = info.data.get("type")
        if kind is not None and not FITS[kind](len(points)):
            raise PydanticCustomError("points", "invalid length for shape type '{kind}'", {"kind": kind})
        return points


class Tag(Labelled):
    """A label of a whole frame."""


class Shape(Drawn, Labelled):
    """A shape on one frame."""

    score: Annotated[float, Field(ge=0, le=1)] = 1.0
    elements: Elements = []


class Track(Labelled):
    """One object through the frames."""

    shapes: Annotated[list[Drawn], Field(min_length=1)]
    elements: Elements = []


class Annotations(Fields):
    """The annotations of a request."""

    version: Whole = 0
    tags: list[Tag] = []
    shapes: list[Shape] = []
    tracks: list[Track] = []
