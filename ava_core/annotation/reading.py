"""What an annotator said, at each keyframe.

Boxes are where CVAT shows them: between two keyframe shapes they move linearly; a track is hidden from an `outside`
shape to the next one, and otherwise lasts to the end of the job.

Answers are read otherwise than CVAT shows them. CVAT gives every keyframe of a track explicit values of all
attributes, and its interface writes a change into the keyframe that is shown and no other: on a pre-drawn track
whatever is said ends at the next keyframe, which nobody has touched and which says `unset`. So `unset` means that
nothing was said there. A value holds until the next keyframe at which a person gave another one, also while the track
is hidden; taking it back needs an answer of its own, as `none` is. `steps` is that rule, and the only place where it
stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ava_core.annotation.shapes import Shape, content_hash, shapes_from_api
from ava_core.base.schemas import CLIP_FPS
from ava_core.ontology import CANNOT_TELL, NONE, UNSET, Ontology
from ava_core.ontology.form import (
    SEED_TRACK_ATTRIBUTE,
    cannot_tell,
    fields_of,
    form_fields,
    labels_from_values,
    plain,
)

Box = tuple[float, float, float, float]
SAME_BOX_PX: Final = 0.5
"""A box that moved by less was not moved by a person: it is rounding."""


__all__ = [
    "NOTHING", "Box", "Shape", "Step", "box_at", "content_hash", "extent", "held_answers", "read_shapes", "said_at",
    "shapes_from_api", "steps", "unclear_answers",
    "unknown_values",
]  # fmt: skip


@dataclass(frozen=True)
class Step:
    """What holds of a track from `frame` on: action ids by group, and flags for what could not be read.

    `over_unset`: groups whose answer was given earlier, while the keyframe itself says less: read literally, as CVAT
    shows it, the answer or a part of it would be lost. `cannot_tell`: groups that the annotator cannot tell; they are
    not among the labels.
    """

    frame: int
    labels: Mapping[str, list[int]]
    flags: tuple[str, ...]
    over_unset: tuple[str, ...]
    cannot_tell: tuple[str, ...] = ()


NOTHING: Final = Step(-1, {}, (), ())
"""What is said before a track begins."""


def read_shapes(
    shapes: Sequence[Shape],
    ontology: Ontology,
    *,
    frames: int,
    width: int,
    height: int,
    predrawn: Sequence[Mapping[str, Any]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of `schemas.RAW_BOXES` and `schemas.RAW_LABELS`, without the columns that name the job.

    `frames`, `width`, `height`: the clip's; `predrawn`: what `prefill.prefill_tracks` drew, to tell edited
    boxes from untouched ones.
    """
    drawn = {int(track["seed_track"]): track["shapes"] for track in predrawn}
    boxes: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    for number, track in _by_track(shapes).items():
        seed = _seed(track[0]["attributes"], drawn)
        for second, box, said in _living(track, ontology, frames):
            where = {"track_key": f"t{number}", "second": second}
            corners, box_flags = _tidy(box, width, height)
            before = _drawn_box(drawn[seed], second * CLIP_FPS) if seed is not None else None
            boxes.append({
                **where,
                "seed_track_id": seed,
                **dict(zip(("x1", "y1", "x2", "y2"), corners, strict=True)),
                "edited": before is None or max(abs(a - b) for a, b in zip(box, before, strict=True)) > SAME_BOX_PX,
                "flags": [*box_flags, *said.flags],
            })  # fmt: skip
            labels += [{**where, "group": group, "action_ids": ids} for group, ids in said.labels.items()]
    return boxes, labels


def extent(shapes: Sequence[Shape], ontology: Ontology, frames: int) -> tuple[int, int]:
    """How much a job says: people at whole seconds, and answers given about them, "cannot tell" among them."""
    living = [said for track in _by_track(shapes).values() for _, _, said in _living(track, ontology, frames)]
    return len(living), sum(len(said.labels) + len(said.cannot_tell) for said in living)


def unknown_values(shapes: Sequence[Shape], ontology: Ontology) -> dict[tuple[str, str], int]:
    """Values that the ontology does not have, by `(attribute, value)`: in how many keyframes they stand."""
    known = {field.name: {CANNOT_TELL, *map(plain, field.values)} for field in form_fields(ontology)}
    found: Counter[tuple[str, str]] = Counter()
    for shape in shapes:
        found.update(
            (name, value) for name, value in shape["attributes"].items()
            if name in known and plain(value) not in known[name]
        )  # fmt: skip
    return dict(found)


def held_answers(shapes: Sequence[Shape], ontology: Ontology, frames: int) -> list[dict[str, Any]]:
    """Rows of `schemas.HELD_ANSWERS`, without the columns that name the job: answers that hold over an `unset`."""
    return _groups_at(shapes, ontology, frames, lambda said: said.over_unset)


def unclear_answers(shapes: Sequence[Shape], ontology: Ontology, frames: int) -> list[dict[str, Any]]:
    """As `held_answers`: of which groups the annotator said at which seconds that they cannot tell."""
    return _groups_at(shapes, ontology, frames, lambda said: said.cannot_tell)


def steps(track: Sequence[Shape], ontology: Ontology) -> list[Step]:
    """What a track says, from each of its shapes on; `track` is in order of frames.

    Slots of a multi group are answered one by one. `none` that is newly said in the first slot, while the others say
    nothing, means none of these, of the whole group.
    """
    said: dict[str, str] = {}
    shown: dict[str, str] = {}
    found: list[Step] = []
    for shape in track:
        before, shown = shown, shown | shape["attributes"]
        if found and shown == before:  # most keyframes only move the box
            found.append(replace(found[-1], frame=shape["frame"]))
            continue
        for group in ontology.groups:
            first, *_ = slots = fields_of(group)
            now = {name: shown[name] for name in slots if plain(shown.get(name, UNSET)) != UNSET}
            alone = group.kind == "multi" and list(now) == [first] and plain(now[first]) == NONE
            new = shown.get(first) != before.get(first)
            said |= dict.fromkeys(slots, NONE) if alone and new else now
        labels, flags = labels_from_values(ontology, said)
        literal, _ = labels_from_values(ontology, shown)
        over = tuple(group for group, ids in labels.items() if literal.get(group) != ids)
        found.append(Step(shape["frame"], labels, tuple(flags), over, tuple(cannot_tell(ontology, said))))
    return found


def said_at(track: Sequence[Shape], frame: int, ontology: Ontology) -> Step:
    """What a track says at a frame; `NOTHING` before it begins."""
    return next((step for step in reversed(steps(track, ontology)) if step.frame <= frame), NOTHING)


def _groups_at(
    shapes: Sequence[Shape], ontology: Ontology, frames: int, groups: Callable[[Step], Sequence[str]]
) -> list[dict[str, Any]]:
    return [
        {"track_key": f"t{number}", "second": second, "group": group}
        for number, track in _by_track(shapes).items()
        for second, _, said in _living(track, ontology, frames)
        for group in groups(said)
    ]


def _by_track(shapes: Sequence[Shape]) -> dict[int, list[Shape]]:
    by_track: dict[int, list[Shape]] = {}
    for shape in sorted(shapes, key=lambda shape: (shape["track_id"], shape["frame"])):
        by_track.setdefault(shape["track_id"], []).append(shape)
    return by_track


def _living(track: Sequence[Shape], ontology: Ontology, frames: int) -> Iterator[tuple[int, Box, Step]]:
    """The whole seconds at which a track is seen, with its box and what it says there."""
    said = steps(track, ontology)
    place = -1
    for second in range(-(-frames // CLIP_FPS)):
        frame = second * CLIP_FPS
        while place + 1 < len(said) and said[place + 1].frame <= frame:
            place += 1
        box = box_at(track, frame)
        if box is not None:
            yield second, box, said[place]


def box_at(track: Sequence[Shape], frame: int) -> Box | None:
    """Where a track's box is at a frame, `None` where it is hidden; `track` is in order of frames."""
    before = None
    for shape in track:
        if shape["frame"] > frame:
            if before is None or before["outside"]:
                return None
            share = (frame - before["frame"]) / (shape["frame"] - before["frame"])
            moved = (a + (b - a) * share for a, b in zip(_corners(before), _corners(shape), strict=True))
            x1, y1, x2, y2 = moved
            return x1, y1, x2, y2
        before = shape
    return None if before is None or before["outside"] else _corners(before)


def _seed(attributes: Mapping[str, str], drawn: Mapping[int, Any]) -> int | None:
    value = str(attributes.get(SEED_TRACK_ATTRIBUTE, "")).strip()
    return int(value) if value.isdigit() and int(value) in drawn else None


def _drawn_box(shapes: Sequence[Mapping[str, Any]], frame: int) -> Box | None:
    names = ("xtl", "ytl", "xbr", "ybr")
    return box_at([dict(shape) | dict(zip(names, shape["box"], strict=True)) for shape in shapes], frame)


def _corners(shape: Mapping[str, Any]) -> Box:
    return shape["xtl"], shape["ytl"], shape["xbr"], shape["ybr"]


def _tidy(box: Box, width: int, height: int) -> tuple[Box, list[str]]:
    """The box with its corners in order and inside the picture, and flags for what had to be mended."""
    flags = []
    x1, x2 = sorted((box[0], box[2]))
    y1, y2 = sorted((box[1], box[3]))
    inside = (
        min(max(x1, 0), width),
        min(max(y1, 0), height),
        min(max(x2, 0), width),
        min(max(y2, 0), height),
    )
    if max(abs(a - b) for a, b in zip(inside, (x1, y1, x2, y2), strict=True)) > SAME_BOX_PX:
        flags.append("outside_picture")
    if inside[2] <= inside[0] or inside[3] <= inside[1]:
        flags.append("degenerate_box")
    return inside, flags
