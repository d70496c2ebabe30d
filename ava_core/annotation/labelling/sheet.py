"""A track as the label sheet has it, made of CVAT's track, and CVAT's track made of it.

CVAT keeps one list of keyframes that hold a box and the values of all attributes at once. The sheet keeps the two
apart, so that saying something never bends a box, and drawing never says anything:

* `keys`: `[frame, x1, y1, x2, y2, outside]`, the keyframes of geometry, sparse, by frame;
* `said`: by group `[[frame, answer], …]`, by frame: from that frame on the answer holds. An answer is a list of action
  ids (`[]`: none of these) or `CANNOT_TELL`. A group of which nothing is said is absent.

Written back, each change has a keyframe, and every keyframe says all that holds there: CVAT's own page shows the same
as this one, and whatever reads step by step reads what was meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ava_core.annotation.prefill import DECIMALS
from ava_core.annotation.reading import box_at, steps
from ava_core.annotation.shapes import Shape, content_hash, shapes_from_api
from ava_core.ontology import CANNOT_TELL, Ontology
from ava_core.ontology.form import (
    SEED_TRACK_ATTRIBUTE,
    fields_of,
    labels_from_values,
    values_from_answers,
)

Json = dict[str, Any]
Keys = list[list[Any]]

SAME_PX: Final = 0.02
"""A keyframe whose box is no further from the line between its neighbours only carries answers."""


def sheet_track(
    track: Mapping[str, Any], ontology: Ontology, specs: Mapping[int, str], label_id: int
) -> Json:
    """The sheet's track of one of the API's: `seed` (the pre-drawn track's id or ""), `keys`, `said`, `hash`.

    Raises `UnreadableJobError` where it is no track of a person.
    """
    shapes = _shapes(track, specs, label_id)
    said: dict[str, list[list[Any]]] = {}
    before: Mapping[str, Any] = {}
    for step in steps(shapes, ontology):
        answers: dict[str, Any] = dict(step.labels) | dict.fromkeys(step.cannot_tell, CANNOT_TELL)
        for group, answer in answers.items():
            if before.get(group) != answer:
                said.setdefault(group, []).append([step.frame, answer])
        before = answers
    seed = str(shapes[0]["attributes"].get(SEED_TRACK_ATTRIBUTE, "")) if shapes else ""
    return {"seed": seed, "keys": _sparse(shapes), "said": said, "hash": content_hash(shapes)}


def track_hash(track: Mapping[str, Any], specs: Mapping[int, str], label_id: int) -> str:
    """Hash of what a track of the API says; the server's numbers do not matter."""
    return content_hash(_shapes(track, specs, label_id))


def api_track(
    sheet: Mapping[str, Any],
    ontology: Ontology,
    specs: Mapping[str, int],
    label_id: int,
    now: Mapping[str, Any] | None = None,
) -> Json:
    """The API's track that says what the sheet's track says.

    `specs`: attribute ids by name. `now`: what the server has in its place: its number, and what the sheet knows
    nothing of (`occluded`, values of other attributes, values that the ontology does not have, of groups that were
    left alone), stay.
    """
    keys, said = sheet["keys"], sheet["said"]
    first = keys[0][0]
    aside = _aside(now, ontology, said, specs, label_id) if now else []
    at = {max(frame, first) for group in said.values() for frame, _ in group}
    at |= {frame for frame, _ in aside if frame > first} | {key[0] for key in keys}
    shapes = []
    for frame in sorted(at):
        box, outside = _geometry(keys, frame)
        before = [kept for begun, kept in aside if begun <= frame]
        occluded, others = before[-1] if before else (False, {})
        values = values_from_answers(ontology, _holding(said, frame)) | others
        shapes.append({
            "frame": frame, "points": [round(side, DECIMALS) for side in box], "outside": outside,
            "occluded": occluded,
            "attributes": [{"spec_id": specs[name], "value": value} for name, value in values.items()],
        })  # fmt: skip
    seed = {"spec_id": specs[SEED_TRACK_ATTRIBUTE], "value": str(sheet.get("seed", ""))}
    same = (
        {name: now[name] for name in ("id", "group", "source") if name in now}
        if now
        else {"source": "manual"}
    )
    fixed = [one for one in (now or {}).get("attributes", []) if one["spec_id"] != seed["spec_id"]]
    return {"label_id": label_id, "frame": first, "attributes": [seed, *fixed], "shapes": shapes, **same}


def _shapes(track: Mapping[str, Any], specs: Mapping[int, str], label_id: int) -> list[Shape]:
    return shapes_from_api({"tracks": [track]}, specs, label_id)


def _sparse(shapes: Sequence[Shape]) -> Keys:
    """Keyframes of geometry alone: without those that lie on the line between their neighbours."""
    keys = [[s["frame"], s["xtl"], s["ytl"], s["xbr"], s["ybr"], s["outside"]] for s in shapes]
    kept: Keys = keys[:1]
    passed: Keys = []
    for place, key in enumerate(keys[1:], start=1):
        between = [*passed, key]
        if key[5] and kept[-1][5]:
            continue  # hidden, and still hidden
        if not kept[-1][5] and not key[5] and _on_line(kept[-1], between, keys[place + 1 : place + 2]):
            passed = between
        else:
            kept, passed = [*kept, key], []
    return kept


def _on_line(start: list[Any], between: Keys, after: Keys) -> bool:
    """Whether boxes lie on the line from `start` to the one `after` them, or stand still where there is none."""
    end = after[0] if after else [between[-1][0], *start[1:]]

    def off(key: list[Any]) -> float:
        share = (key[0] - start[0]) / (end[0] - start[0])
        return float(max(abs(start[i] + (end[i] - start[i]) * share - key[i]) for i in range(1, 5)))

    return all(off(key) <= SAME_PX for key in between)


def _geometry(keys: Keys, frame: int) -> tuple[Sequence[float], bool]:
    """The box at a frame and whether the track is hidden there; hidden, it is where it was seen last."""
    last = [key for key in keys if key[0] <= frame][-1]
    if last[5] or last[0] == frame:
        return last[1:5], bool(last[5])
    names = ("frame", "xtl", "ytl", "xbr", "ybr", "outside")
    box = box_at([dict(zip(names, key, strict=True)) for key in keys], frame)
    return box or last[1:5], box is None


def _holding(said: Mapping[str, Any], frame: int) -> dict[str, Any]:
    held = {group: [answer for at, answer in changes if at <= frame] for group, changes in said.items()}
    return {group: answers[-1] for group, answers in held.items() if answers}


def _aside(
    now: Mapping[str, Any],
    ontology: Ontology,
    said: Mapping[str, Any],
    specs: Mapping[str, int],
    label_id: int,
) -> list[tuple[int, tuple[bool, dict[str, str]]]]:
    """What the sheet knows nothing of, by the frames from which it holds: `occluded`, and values by attribute."""
    names = {number: name for name, number in specs.items()}
    old = _shapes(now, names, label_id)
    own = {name for group in ontology.groups for name in fields_of(group)} - set(
        _foreign(old, said, ontology)
    )
    own |= {SEED_TRACK_ATTRIBUTE} | {names[one["spec_id"]] for one in now["attributes"]}
    occluded = {shape["frame"]: bool(shape.get("occluded")) for shape in now["shapes"]}
    found: list[tuple[int, tuple[bool, dict[str, str]]]] = []
    for shape in old:
        values = {name: value for name, value in shape["attributes"].items() if name not in own}
        kept = (occluded[shape["frame"]], values)
        if not found or found[-1][1] != kept:
            found.append((shape["frame"], kept))
    return found


def _foreign(old: Sequence[Shape], said: Mapping[str, Any], ontology: Ontology) -> list[str]:
    """Attributes with values that the ontology does not have, of groups of which the sheet says nothing."""
    found = []
    for group in ontology.groups:
        if group.name in said:
            continue
        names = fields_of(group)
        flags = {f for s in old for f in labels_from_values(ontology, s["attributes"])[1]}
        if any(f"invalid_value:{name}" in flags for name in names):
            found += [name for name in names if any(name in s["attributes"] for s in old)]
    return found
