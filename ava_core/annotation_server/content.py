"""The content of annotations: checked and numbered when written, filled in when read.

Not checked, as on the real server: attribute values, frame ranges, degenerate boxes. Checked: label and attribute
ids, and that mutable ones stand on shapes alone.
"""

from __future__ import annotations

from typing import Any, Final

from ava_core.annotation_server.problems import ServerFault, invalid, refused
from ava_core.annotation_server.state import Document, State

Labels = dict[int, Document]
"""Labels by id."""
KINDS = ("tags", "shapes", "tracks")
EMPTY: Final[Document] = {"tags": [], "shapes": [], "tracks": []}


def checked(body: Any, labels: Labels) -> Document:
    """The annotations of a request; refuses what CVAT refuses."""
    content = {kind: list(body.get(kind) or []) for kind in KINDS}
    for one in content["tags"] + content["shapes"] + content["tracks"]:
        if type(one.get("frame")) is not int:
            raise invalid("frame", "A valid integer is required.")
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


def numbered(state: State, content: Document, *, keep_ids: bool = False) -> Document:
    """Annotations with ids of the server's own, or their own where they are kept, and every field that it adds."""

    def id_of(given: Any, counter: str) -> int:
        return int(given["id"]) if keep_ids and given.get("id") else state.new_id(counter)

    def shape_of(given: Any) -> Document:
        return {
            "type": given.get("type", "rectangle"),
            "occluded": bool(given.get("occluded", False)),
            "outside": bool(given.get("outside", False)),
            "z_order": given.get("z_order", 0),
            "rotation": given.get("rotation", 0),
            "points": given.get("points") or [],
            "id": id_of(given, "shape"),
            "frame": given["frame"],
            "attributes": given.get("attributes") or [],
        }

    def common(given: Any) -> Document:
        return {
            "label_id": given["label_id"],
            "group": given.get("group", 0),
            "source": given.get("source", "manual"),
            "frame": given["frame"],
            "attributes": given.get("attributes") or [],
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
    tracks = []
    for track in content["tracks"]:
        specs = labels[track["label_id"]]["attributes"] if track["label_id"] in labels else []
        held = {a["id"]: a["default_value"] for a in specs if a["mutable"]}
        fixed = {a["id"]: a["default_value"] for a in specs if not a["mutable"]}
        shapes = []
        for shape in sorted(track["shapes"], key=lambda shape: shape["frame"]):
            own = {a["spec_id"]: str(a["value"]) for a in shape["attributes"]}
            held = own | {number: value for number, value in held.items() if number not in own}
            shapes.append(_plain(shape) | {"attributes": _listed(held)})
        fixed |= {a["spec_id"]: str(a["value"]) for a in track["attributes"]}
        tracks.append(track | {"shapes": shapes, "attributes": _listed(fixed)})
    shapes = []
    for shape in content["shapes"]:
        specs = labels[shape["label_id"]]["attributes"] if shape["label_id"] in labels else []
        values = {a["id"]: a["default_value"] for a in specs}
        values |= {a["spec_id"]: str(a["value"]) for a in shape["attributes"]}
        shapes.append(_plain(shape) | {"attributes": _listed(values), "score": float(shape["score"])})
    return {"tags": content["tags"], "shapes": shapes, "tracks": tracks}


def _plain(shape: Document) -> Document:
    return shape | {"points": [float(p) for p in shape["points"]], "rotation": float(shape["rotation"])}


def _listed(values: dict[int, str]) -> list[Document]:
    return [{"spec_id": number, "value": value} for number, value in values.items()]
