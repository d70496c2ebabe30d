"""Marking: each answer of a practice clip beside the right one, and a sentence for each stretch that was not right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np

from ava_core.annotation.practice.choosing import Truth
from ava_core.annotation.reading import Box, box_at
from ava_core.base.schemas import CLIP_FPS
from ava_core.base.text import plural
from ava_core.ontology import CANNOT_TELL, Ontology
from ava_core.video.tracking.iou import pairwise_iou

Json = dict[str, Any]

LEAST_IOU: Final = 0.3
"""Boxes that overlap less at a second show different people, as when annotators are compared."""

MISSING: Final = "missing"
EXTRA: Final = "extra"
"""In the place of a group: nobody was drawn where somebody is; somebody was drawn who is nobody."""

_KEY: Final = ("frame", "xtl", "ytl", "xbr", "ybr", "outside")


@dataclass(frozen=True)
class Marks:
    """Answers that were `asked`, those that were `correct`, and `{"frame", "said"}` of what was not, by second."""

    asked: int
    correct: int
    remarks: list[Json]


@dataclass(frozen=True)
class _Wrong:
    """An answer that is not the right one: about whom, of which group, when, what was said and what is right."""

    who: str
    group: str
    second: int
    said: str
    right: str


def mark(truth: Truth, tracks: Sequence[Mapping[str, Any]], ontology: Ontology, frames: int) -> Marks:
    """Mark tracks, as the label sheet has them, against what is right; `frames`: the clip's.

    Counted is each group of each person at each second for which the truth has an answer; "cannot tell", unset and a
    person who is missing are not right. A track that is nobody all along counts as one answer that is wrong.
    """
    names = page_names(tracks)
    seen = [_living(track, frames) for track in tracks]
    asked, met, wrong = 0, set[int](), list[_Wrong]()
    for second, person, track in _pairs(truth, seen):
        _, _, _, right = person
        asked += len(right)
        if track is None:
            wrong += [_Wrong(str(person[1]), MISSING, second, "", "")] * len(right)
            continue
        met.add(track)
        for group, ids in right.items():
            said = answer_at(tracks[track], group, second * CLIP_FPS)
            if not isinstance(said, list) or sorted(said) != ids:
                words = _words(ontology, said), _words(ontology, ids)
                wrong.append(_Wrong(names[track], group, second, *words))
    ghosts = [
        _Wrong(names[number], EXTRA, min(own), "", "")
        for number, own in enumerate(seen)
        if own and number not in met
    ]
    return Marks(asked + len(ghosts), asked - len(wrong), _remarks([*wrong, *ghosts]))


def page_names(tracks: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the page calls the tracks, in their order: the tracker's number, or `+1`, `+2` … for drawn ones."""
    drawn = iter(range(1, len(tracks) + 1))
    return [track["seed"] or f"+{next(drawn)}" for track in tracks]


def answer_at(track: Mapping[str, Any], group: str, frame: int) -> Any:
    """What a track of the label sheet says of a group at a frame: action ids, `CANNOT_TELL`, or `None`."""
    at = max(frame, track["keys"][0][0])
    held = [answer for since, answer in track["said"].get(group, []) if since <= at]
    return held[-1] if held else None


def _living(track: Mapping[str, Any], frames: int) -> dict[int, Box]:
    """Boxes of a track at the whole seconds at which it is seen."""
    keys = [dict(zip(_KEY, key, strict=True)) for key in track["keys"]]
    found = {frame // CLIP_FPS: box_at(keys, frame) for frame in range(0, frames, CLIP_FPS)}
    return {second: box for second, box in found.items() if box is not None}


def _pairs(truth: Truth, seen: Sequence[Mapping[int, Box]]) -> Iterator[tuple[int, list[Any], int | None]]:
    """For each person and second of the truth, the track that is them there.

    At each second the boxes are matched as a whole; among neighbours the track that lies with the person all along
    has it, so that two who pass each other keep their answers.
    """
    from scipy.optimize import linear_sum_assignment

    by_second = {second: list(rows) for second, rows in groupby(truth, key=lambda row: int(row[0]))}
    overlaps, together = {}, defaultdict[tuple[int, int], float](float)
    for second, people in by_second.items():
        there = [number for number, own in enumerate(seen) if second in own]
        boxes = np.array([seen[number][second] for number in there], dtype=float).reshape(-1, 4)
        iou = pairwise_iou(np.array([row[2] for row in people], dtype=float), boxes)
        overlaps[second] = there, iou
        for row, person in enumerate(people):
            for column, number in enumerate(there):
                together[person[1], number] += float(iou[row, column])
    for second, people in by_second.items():
        there, iou = overlaps[second]
        along = np.array([[together[person[1], n] for n in there] for person in people]).reshape(iou.shape)
        rows, columns = linear_sum_assignment(np.where(iou >= LEAST_IOU, iou + along, 0.0), maximize=True)
        matched = {
            row: there[column]
            for row, column in zip(rows, columns, strict=True)
            if iou[row, column] >= LEAST_IOU
        }
        for row, person in enumerate(people):
            yield second, person, matched.get(row)


def _words(ontology: Ontology, answer: Any) -> str:
    if answer is None:
        return "nothing"
    if answer == CANNOT_TELL:
        return f"“{CANNOT_TELL}”"
    return " + ".join(ontology.action(number).name.replace("_", " ") for number in answer) or "none of these"


def _remarks(wrong: Sequence[_Wrong]) -> list[Json]:
    """A sentence for each stretch of seconds at which the same was wrong in the same way."""
    kinds: defaultdict[tuple[str, str, str, str], set[int]] = defaultdict(set)
    for one in wrong:
        kinds[one.who, one.group, one.said, one.right].add(one.second)
    found = []
    for (who, group, said, right), seconds in kinds.items():
        for first, last in _stretches(sorted(seconds)):
            lasts = "" if first == last else f", up to second {last}"
            found.append({"frame": first * CLIP_FPS, "said": _sentence(who, group, said, right) + lasts})
    return sorted(found, key=lambda remark: (remark["frame"], remark["said"]))


def _sentence(who: str, group: str, said: str, right: str) -> str:
    if group == MISSING:
        return "you missed a person, or drew their box in the wrong place"
    if group == EXTRA:
        return f"person {who} is not a person: press “Not a person” to remove the box"
    return f"person {who}, {group.replace('_', ' ')}: you said {said}; the correct answer is {right}"


def _stretches(seconds: Sequence[int]) -> Iterator[tuple[int, int]]:
    for _, run in groupby(enumerate(seconds), key=lambda pair: pair[1] - pair[0]):
        own = [second for _, second in run]
        yield own[0], own[-1]


def result(asked: int, correct: int) -> str:
    """A result in words."""
    return f"{correct} of {plural(asked, 'answer')} right ({share(asked, correct):.0%})"


def share(asked: int, correct: int) -> float:
    """The share of answers that were right; 1 where none was asked."""
    return correct / asked if asked else 1.0
