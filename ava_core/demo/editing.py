"""What an annotator changes in a job's tracks: boxes moved, ends shifted, false tracks deleted, people added.

Works on tracks as CVAT's API gives them. Whom a pre-drawn track follows is found as a person finds it, by looking
where the boxes lie, never by a number. An answer goes where CVAT's interface writes it: into the keyframe that is
shown, and no other; the next pre-drawn keyframe goes on saying `unset`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np

from ava_core.base.schemas import CLIP_FPS
from ava_core.demo.behaviour import generator
from ava_core.demo.perception import Box, Labels, Perception, Profile, drawn_by_hand
from ava_core.ontology import UNSET, Ontology
from ava_core.ontology.form import SEED_TRACK_ATTRIBUTE, values_from_labels
from ava_core.video.tracking.iou import pairwise_iou

Track = dict[str, Any]
"""`{id, label_id, frame, attributes, shapes: [{frame, points, outside, attributes, …}]}`."""

SAME_PERSON_IOU: Final = 0.3
"""Overlap from which a pre-drawn box is taken to mean that person."""


@dataclass(frozen=True)
class Form:
    """The job's form: id of the label, ids of its attributes by name, and the ontology that it asks for."""

    label_id: int
    specs: Mapping[str, int]
    ontology: Ontology

    def values(self, labels: Labels) -> dict[int, str]:
        """Values by attribute id that say `labels`; `unset` where they say nothing."""
        said = values_from_labels(self.ontology, labels)
        return {self.specs[name]: value for name, value in said.items()}


@dataclass
class Edits:
    """Tracks to create, update and delete, in the API's form, and how many boxes were drawn by hand."""

    create: list[Track] = field(default_factory=list)
    update: list[Track] = field(default_factory=list)
    delete: list[Track] = field(default_factory=list)
    drawn: int = 0


def edit_tracks(
    tracks: list[Track], view: Perception, profile: Profile, form: Form, frames: int, key: tuple[object, ...]
) -> Edits:
    """All changes to a job of `frames` frames. `key` seeds this annotator's hand on this job."""
    edits = Edits()
    seconds = range(-(-frames // CLIP_FPS))
    shown = [
        {s: box for s in seconds if (box := box_at(track["shapes"], s * CLIP_FPS)) is not None}
        for track in tracks
    ]
    owners = _owners(shown, view)
    followed = _share_out(shown, owners, view, profile, key)
    for number, track in enumerate(tracks):
        if followed[number]:
            hand = _Hand(profile, generator(*key, "hand", owners[number]))
            edits.update.append(_redraw(track, owners[number], followed[number], view, form, hand, frames))
            edits.drawn += hand.drawn
        elif shown[number] and generator(*key, "delete", number).random() < profile.deletes:
            edits.delete.append(track)
    for walker in view.walkers:
        if walker not in owners and generator(*key, "add", walker).random() < profile.adds:
            hand = _Hand(profile, generator(*key, "hand", walker))
            empty = {"label_id": form.label_id, "shapes": [], "attributes": [
                {"spec_id": form.specs[SEED_TRACK_ATTRIBUTE], "value": ""}]}  # fmt: skip
            visible = [second for second in seconds if (walker, second) in view.boxes]
            edits.create.append(_redraw(empty, walker, visible, view, form, hand, frames))
            edits.drawn += hand.drawn
    return edits


def box_at(shapes: list[dict[str, Any]], frame: int) -> Box | None:
    """Where CVAT shows a track at a frame; `None` where it is hidden."""
    ordered = sorted(shapes, key=lambda shape: int(shape["frame"]))
    before = [shape for shape in ordered if shape["frame"] <= frame]
    after = [shape for shape in ordered if shape["frame"] > frame]
    if not before or before[-1]["outside"]:
        return None
    start = np.array(before[-1]["points"], dtype=float)
    if after and not after[0]["outside"]:
        share = (frame - before[-1]["frame"]) / (after[0]["frame"] - before[-1]["frame"])
        start = start + (np.array(after[0]["points"], dtype=float) - start) * share
    x1, y1, x2, y2 = (float(value) for value in start)
    return x1, y1, x2, y2


def _owners(shown: list[dict[int, Box]], view: Perception) -> list[str]:
    """Whom each track follows for most of its seconds; "" for nobody."""
    votes: list[Counter[str]] = [Counter() for _ in shown]
    for number, boxes in enumerate(shown):
        for second, box in boxes.items():
            near = {
                walker: overlap
                for walker in view.walkers
                if (walker, second) in view.boxes
                and (overlap := _iou(box, view.boxes[walker, second])) >= SAME_PERSON_IOU
            }
            if near:
                votes[number][max(near, key=lambda walker: near[walker])] += 1
    return [count.most_common(1)[0][0] if count else "" for count in votes]


def _share_out(
    shown: list[dict[int, Box]],
    owners: list[str],
    view: Perception,
    profile: Profile,
    key: tuple[object, ...],
) -> list[list[int]]:
    """At which seconds each track is to follow its owner: one track a person, the one that fits best.

    Seconds at which none of a person's tracks is shown go to the nearest one, if the annotator cares.
    """
    followed: list[list[int]] = [[] for _ in shown]
    for walker, second in sorted(view.boxes):
        own = [number for number, owner in enumerate(owners) if owner == walker]
        there = [number for number in own if second in shown[number]]
        if there:
            true = view.boxes[walker, second]
            best = max(there, key=lambda number: _iou(shown[number][second], true))
            followed[best].append(second)
        elif own and generator(*key, "extend", walker, second).random() < profile.adds:
            nearest = min(own, key=lambda number: min(abs(second - other) for other in shown[number]))
            followed[nearest].append(second)
    return followed


class _Hand:
    """Draws boxes and counts them."""

    def __init__(self, profile: Profile, rng: np.random.Generator) -> None:
        self.profile, self._rng, self.drawn = profile, rng, 0

    def draw(self, box: Box) -> Box:
        self.drawn += 1
        return drawn_by_hand(box, self.profile, self._rng)


def _redraw(
    track: Track, walker: str, seconds: list[int], view: Perception, form: Form, hand: _Hand, frames: int
) -> Track:
    """The track following `walker` at `seconds` and hidden otherwise, labelled.

    Boxes that fit well enough stay as they are; where one is drawn anew, the neighbouring seconds get keyframes
    too, so that they do not move with it.
    """
    boxes: dict[int, Box] = {}
    redrawn: set[int] = set()
    for second in seconds:
        old = box_at(track["shapes"], second * CLIP_FPS)
        true = view.boxes[walker, second]
        if old is None or _iou(old, true) < hand.profile.redraws_below:
            redrawn.add(second)
        boxes[second] = old if old is not None and second not in redrawn else hand.draw(true)
    points: dict[int, Box | None] = {}
    for run in _runs(seconds):
        points |= _run_points(track["shapes"], run, boxes, redrawn, frames)
    for second in _anchors(seconds, redrawn, walker, view):
        points[second * CLIP_FPS] = boxes[second]
    shapes = []
    sheet = _Sheet(track, form)
    answers = {s * CLIP_FPS: view.labels[walker, s] for s in _changes(seconds, walker, view)}
    last: Box = boxes[seconds[0]]
    for frame in sorted(points):
        box = points[frame]
        shapes.append({
            "type": "rectangle", "frame": frame, "points": list(box or last), "outside": box is None,
            "occluded": False, "z_order": 0, "rotation": 0, "attributes": sheet.filled(frame, answers.get(frame, {})),
        })  # fmt: skip
        last = box or last
    return {**track, "frame": shapes[0]["frame"], "group": 0, "shapes": shapes}


class _Sheet:
    """A track's attributes while somebody goes through its keyframes."""

    def __init__(self, track: Track, form: Form) -> None:
        self._form = form
        self._keyframes = {
            int(shape["frame"]): {int(a["spec_id"]): str(a["value"]) for a in shape["attributes"]}
            for shape in track["shapes"]
        }
        self._shown = form.values({})
        self._said: dict[int, str] = {}

    def filled(self, frame: int, labels: Labels) -> list[dict[str, Any]]:
        """The keyframe's attributes: its own, or copies of those before it; with what `labels` say anew.

        What was said before is not said again: to whoever works, it holds.
        """
        self._shown = self._keyframes.get(frame, self._shown)
        answers = {spec: value for spec, value in self._form.values(labels).items() if value != UNSET}
        new = {spec: value for spec, value in answers.items() if self._said.get(spec) != value}
        self._said |= new
        self._shown = self._shown | new
        return [{"spec_id": spec, "value": value} for spec, value in self._shown.items()]


def _runs(seconds: list[int]) -> list[list[int]]:
    """Consecutive seconds together."""
    breaks = [place for place, (a, b) in enumerate(pairwise(seconds), start=1) if b != a + 1]
    return [seconds[a:b] for a, b in pairwise([0, *breaks, len(seconds)])]


def _anchors(seconds: list[int], redrawn: set[int], walker: str, view: Perception) -> set[int]:
    """Seconds that need a keyframe: drawn anew or next to such, ends of runs, and where a label changes."""
    ends = {end for run in _runs(seconds) for end in (run[0], run[-1])}
    moved = {second for second in seconds if {second - 1, second, second + 1} & redrawn}
    return ends | moved | _changes(seconds, walker, view)


def _changes(seconds: list[int], walker: str, view: Perception) -> set[int]:
    """Seconds at which there is something to say: the first one, and where a label changes."""
    return {seconds[0]} | {
        b for a, b in pairwise(seconds) if view.labels[walker, a] != view.labels[walker, b]
    }


def _run_points(
    old: list[dict[str, Any]], run: list[int], boxes: dict[int, Box], redrawn: set[int], frames: int
) -> dict[int, Box | None]:
    """Old keyframes that stay within a run, the frames at which it comes and goes (`None`: hidden from there)."""
    first, last = run[0] * CLIP_FPS, run[-1] * CLIP_FPS
    begin, end = first, last + CLIP_FPS // 2
    if run[0] not in redrawn:
        while begin > first - CLIP_FPS + 1 and begin > 0 and box_at(old, begin - 1) is not None:
            begin -= 1
    if run[-1] not in redrawn:
        end = last + 1
        while end < last + CLIP_FPS and box_at(old, end) is not None:
            end += 1
    points: dict[int, Box | None] = {}
    for frame in {begin, *(int(shape["frame"]) for shape in old)}:
        # Keyframes beside a box drawn anew would pull the line between them back to where it was.
        near = {frame // CLIP_FPS, -(-frame // CLIP_FPS)} & redrawn
        if begin <= frame < end and not near:
            points[frame] = box_at(old, frame)
    points[first], points[last] = boxes[run[0]], boxes[run[-1]]
    if end < frames:
        points[end] = None
    return points


def _iou(a: Box, b: Box) -> float:
    return float(pairwise_iou(np.array([a]), np.array([b]))[0, 0])
