"""What a simulated annotator makes of what really happens: right mostly, wrong at a planted rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
import polars as pl

from ava_core.base.schemas import BOX_COLUMNS
from ava_core.demo.behaviour import generator
from ava_core.demo.truth import VISIBLE, ClipTruth
from ava_core.ontology import Group, Ontology

Box = tuple[float, float, float, float]
Labels = dict[str, list[int]]
"""Action ids by group; a group that was not rated is absent."""


@dataclass(frozen=True)
class Profile:
    """How well somebody works.

    Parameters: `accuracy` share of labels said rightly; `blank` share of groups left unset for a person; `late`
    share of changes noticed a second late; `jitter` how far a corner lands from where it belongs, as a share of
    the box's side (one standard deviation); `redraws_below` overlap with the person under which a box is drawn
    anew, raising it costs work; `deletes`, `adds` shares of false boxes removed and of missing ones drawn.
    """

    name: str
    accuracy: float
    blank: float
    late: float
    jitter: float
    redraws_below: float
    deletes: float
    adds: float


PROFILES: Final[Mapping[str, Profile]] = {
    profile.name: profile
    for profile in (
        Profile("careful", 0.95, 0.01, 0.05, 0.015, 0.80, 1.0, 0.95),
        Profile("average", 0.90, 0.02, 0.15, 0.025, 0.70, 0.9, 0.80),
        Profile("hasty", 0.80, 0.05, 0.30, 0.040, 0.55, 0.7, 0.40),
    )
}
"""Profiles by name."""


@dataclass(frozen=True)
class Perception:
    """One person's view of one clip, all by `(walker, second)`: true boxes of who can be seen, and labels said."""

    boxes: dict[tuple[str, int], Box]
    labels: dict[tuple[str, int], Labels]

    @property
    def walkers(self) -> list[str]:
        """Who can be seen at some second."""
        return sorted({walker for walker, _ in self.boxes})


def perceive(
    truth: ClipTruth, clip_id: str, ontology: Ontology, profile: Profile, who: str, seed: int
) -> Perception:
    """How `who` sees a clip. The same arguments give the same view; different people err independently."""
    here = pl.col("clip_id") == clip_id
    visible = truth.boxes.filter(here, pl.col("visible") >= VISIBLE)
    boxes: dict[tuple[str, int], Box] = {
        (row["walker"], row["second"]): tuple(row[name] for name in BOX_COLUMNS) for row in visible.to_dicts()
    }
    said: dict[tuple[str, int], Labels] = {spot: {} for spot in boxes}
    ordered = truth.labels.filter(here).sort("walker", "group", "second")
    for (walker, name), rows in ordered.group_by(["walker", "group"], maintain_order=True):
        rng = generator(seed, "label", who, clip_id, walker, name)
        true = dict(zip(rows["second"].to_list(), rows["action_ids"].to_list(), strict=True))
        for second, ids in _say(true, ontology.group(str(name)), profile, rng).items():
            if (str(walker), second) in said:
                said[str(walker), second][str(name)] = ids
    return Perception(boxes, said)


def _say(
    true: dict[int, list[int]], group: Group, profile: Profile, rng: np.random.Generator
) -> dict[int, list[int]]:
    """One group of one walker: errors hold as long as the truth does not change, as people's do."""
    if rng.random() < profile.blank:
        return {}
    said: dict[int, list[int]] = {}
    before: list[int] | None = None
    for ids, part in groupby(sorted(true), key=lambda second: true[second]):
        seconds = list(part)
        now = ids if rng.random() < profile.accuracy else _mistake(ids, group, rng)
        late = before is not None and len(seconds) > 1 and rng.random() < profile.late
        for place, second in enumerate(seconds):
            said[second] = before if late and place == 0 and before is not None else now
        before = now
    return said


def _mistake(ids: list[int], group: Group, rng: np.random.Generator) -> list[int]:
    """Something else that the form allows: one action swapped, left out or added."""
    others = [action for action in group.ids if action not in ids]
    if not others:
        return ids if group.kind == "exclusive" else []
    wrong = int(rng.choice(others))
    if group.kind == "exclusive" or not ids:
        return [wrong]
    kept = [action for action in ids if action != ids[int(rng.integers(len(ids)))]]
    return kept if rng.random() < 0.5 else sorted([*kept, wrong])


def drawn_by_hand(box: Box, profile: Profile, rng: np.random.Generator) -> Box:
    """A box as a hand draws it around the true one; corners keep their order."""
    width, height = box[2] - box[0], box[3] - box[1]
    sides = np.array([width, height, width, height])
    moved = np.array(box) + rng.normal(0.0, profile.jitter, 4).clip(-0.2, 0.2) * sides
    x1, y1, x2, y2 = (round(float(value), 2) for value in moved)
    return max(0.0, x1), max(0.0, y1), x2, y2
