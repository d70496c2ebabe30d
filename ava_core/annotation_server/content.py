"""The content of annotations: checked and numbered when written, filled in when read.

What a body may hold, `shapes` says. Checked here: label and attribute ids, and that mutable ones stand on shapes
alone.
"""

from __future__ import annotations

from typing import Any, Final

from ava_core.annotation_server.fields import read
from ava_core.annotation_server.problems import refused
from ava_core.annotation_server.shapes import Annotations
from ava_core.annotation_server.state import Document, State

Labels = dict[int, Document]
"""Labels by id."""
KINDS = ("tags", "shapes", "tracks")
EMPTY: Final[Document] = {"tags": [], "shapes": [], "tracks": []}


def checked(body: Any, labels: Labels, *, known: bool = False) -> Document:
    """The annotations of a request; refuses what CVAT refuses, and what has no id where it must be `known`."""
    read_body = read(Annotations, body)
    content = {kind: [one.given() for one in getattr(read_body, kind)] for kind in KINDS}
    if known and any(one.get("id") is None for kind in KINDS for one in content[kind]):
        raise refused("Annotations that are changed or removed must have an id")
    for shape in content["shapes"] + content["tags"]:
        label = _label(shape, labels)
        _check_attributes(shape, {a["id"] for a in label["attributes"]})
    for track in content["tracks"]:
        label = _label(track, labels)
        mutable = {a["id"] for a in label["attributes"] if a["mutable"]}
        _check_attributes(track, {a["id"] for a in label["attributes"]} - mutable)
        for shape in track["shapes"]:
            _check_attributes(shape, mutable)
    return content


def _label(one: Document, labels: Labels) -> Document:
    if one["label_id"] not in labels:
        raise refused(f"label_id `{one['label_id']}` is invalid")
    return labels[one["label_id"]]


def _check_attributes(one: Document, allowed: set[int]) -> None:
    for attribute in one.get("attributes", ()):
        if attribute["spec_id"] not in allowed:
            raise refused(f"spec_id `{attribute['spec_id']}` is invalid")


def begun(content: Document) -> Document:
    """The same, each track beginning with its first keyframe.

    A track that says to begin earlier gets a keyframe there on which it is outside; one that says to begin later
    begins with the keyframe.
    """
    return content | {"tracks": [_begun(track) for track in content["tracks"]]}


def _begun(track: Document) -> Document:
    first = min(track["shapes"], key=lambda shape: shape["frame"])
    if first["frame"] <= track["frame"]:
        return track | {"frame": first["frame"]}
    before = first | {"id": None, "frame": track["frame"], "outside": True}
    return track | {"shapes": [*track["shapes"], before]}


def numbered(state: State, content: Document, *, kept: Document = EMPTY) -> Document:
    """Annotations with ids of the server's own, or those of `kept` ones, and every field that it adds."""
    own = {kind: {one["id"] for one in kept[kind]} for kind in KINDS}
    own["shapes"] |= {shape["id"] for track in kept["tracks"] for shape in track["shapes"]}

    def id_of(given: Document, counter: str) -> int:
        number: Any = given.get("id")
        is_own = number is not None and number in own[f"{counter}s"]
        return int(number) if is_own else state.new_id(counter)

    def shape_of(given: Document) -> Document:
        return {
            "type": given["type"],
            "occluded": given.get("occluded", False),
            "outside": given.get("outside", False),
            "z_order": given.get("z_order", 0),
            "rotation": given.get("rotation", 0.0),
            "points": given["points"],
            "id": id_of(given, "shape"),
            "frame": given["frame"],
            "attributes": given.get("attributes", []),
        }

    def common(given: Document) -> Document:
        return {
            "label_id": given["label_id"],
            "group": given.get("group", 0),
            "source": given.get("source", "manual"),
            "frame": given["frame"],
            "attributes": given.get("attributes", []),
        }

    return {
        "tags": [{"id": id_of(given, "tag"), **common(given)} for given in content["tags"]],
        "shapes": [
            shape_of(given) | common(given) | {"score": given.get("score", 1), "elements": []}
            for given in content["shapes"]
        ],
        "tracks": [
            {
                "id": id_of(given, "track"),
                **common(given),
                "shapes": [shape_of(shape) for shape in given["shapes"]],
                "elements": [],
            }
            for given in content["tracks"]
        ],
    }


def echoed(given: Document) -> Document:
    """What CVAT answers to a removal: the request's annotations with some fields filled in."""

    def shape_of(shape: Document) -> Document:
        return {
            "outside": False,
            "occluded": False,
            "z_order": 0,
            "rotation": 0.0,
            "attributes": [],
            "id": None,
        } | shape

    common = {"group": 0, "source": "manual", "attributes": []}
    tracks = [
        common | track | {"shapes": [shape_of(s) for s in track["shapes"]]} for track in given["tracks"]
    ]
    return {
        "tags": given["tags"],
        "shapes": [common | shape_of(s) for s in given["shapes"]],
        "tracks": tracks,
    }


def filled(content: Document, labels: Labels) -> Document:
    """Annotations as they are read: attributes complete, numbers as floats, keyframes in order."""
    shapes, tracks = [], []
    for shape in content["shapes"]:
        defaults = _defaults(shape, labels)
        values = _values(shape, defaults[True] | defaults[False])
        shapes.append(_plain(shape) | {"attributes": _listed(values), "score": float(shape["score"])})
    for track in content["tracks"]:
        defaults = _defaults(track, labels)
        held, keyframes = defaults[True], []
        for shape in sorted(track["shapes"], key=lambda shape: shape["frame"]):
            held = _values(shape, held)
            keyframes.append(_plain(shape) | {"attributes": _listed(held)})
        fixed = _values(track, defaults[False])
        tracks.append(track | {"shapes": keyframes, "attributes": _listed(fixed)})
    return {"tags": content["tags"], "shapes": shapes, "tracks": tracks}


def _defaults(one: Document, labels: Labels) -> dict[bool, dict[int, str]]:
    """The default value of each attribute of an annotation's label, the mutable ones under `True`."""
    specs = labels[one["label_id"]]["attributes"] if one["label_id"] in labels else []
    return {
        mutable: {a["id"]: a["default_value"] for a in specs if a["mutable"] is mutable}
        for mutable in (True, False)
    }


def _values(one: Document, before: dict[int, str]) -> dict[int, str]:
    """The values that hold with an annotation: its own in place of those before, none of attributes that are gone."""
    return before | {a["spec_id"]: str(a["value"]) for a in one["attributes"] if a["spec_id"] in before}


def _plain(shape: Document) -> Document:
    return shape | {"points": [float(p) for p in shape["points"]], "rotation": float(shape["rotation"])}


def _listed(values: dict[int, str]) -> list[Document]:
    return [{"spec_id": number, "value": value} for number, value in values.items()]
