"""Peers of the consensus: plain majority vote, and a per-frame medoid merge.

Majority vote takes the same matched people, and every class that more than half of its raters named. The medoid merge
knows no tracks: at each second boxes that overlap are one person, the box that overlaps the others most stands for
them and keeps the number of its own pre-drawn track; only a box without one is followed from second to second by
overlap.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment

from ava_core.base.schemas import BOX_COLUMNS
from ava_core.quality.agreement.build import build_panel
from ava_core.quality.agreement.panel import Panel
from ava_core.quality.agreement.untangle import untangle
from ava_core.quality.consensus.boxes import box_table, merge_boxes
from ava_core.video.tracking.iou import pairwise_iou
from tests.support.planted_score import Score, score
from tests.support.planted_work import Planted


def majority_vote(planted: Planted, *, one_per_group: bool = False, excluded: Collection[str] = ()) -> Score:
    """More than half of the raters; with `one_per_group`, of an exclusive group the action with most votes."""
    panel = untangle(build_panel(*planted.work)).without(excluded)
    return score(planted, *voted(panel, one_per_group=one_per_group))


def voted(
    panel: Panel, *, one_per_group: bool, draw: np.random.Generator | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Boxes and labels of a majority. `draw` breaks ties of an exclusive group, by default the lower id does."""
    merged = merge_boxes(panel)
    there = 2 * merged.votes > merged.voters
    named = panel.named
    group = panel.group_of[named.column]
    holds = 2 * named.yes > panel.raters[named.place, group]
    if one_per_group:
        for number, each in enumerate(panel.ontology.groups):
            if each.kind == "exclusive":
                holds[group == number] = most_votes(panel, group == number, draw)
    row = np.flatnonzero(holds & there[named.place])
    labels = pl.DataFrame(panel.place_columns(named.place[row])).with_columns(
        group=pl.Series([each.name for each in panel.ontology.groups])[group[row]],
        action_id=pl.Series(panel.action_ids[named.column[row]], dtype=pl.Int32),
    )
    return box_table(panel, merged, there), labels


def most_votes(panel: Panel, rows: np.ndarray, draw: np.random.Generator | None = None) -> np.ndarray:
    """Of some rows of `named`, one of each place that has most votes: the first, or any by a `draw`."""
    place, yes = panel.named.place[rows], panel.named.yes[rows]
    chance = np.zeros(len(place)) if draw is None else draw.random(len(place))
    order = np.lexsort((chance, -yes, place))
    first = order[np.flatnonzero(np.diff(place[order], prepend=-1))]
    holds = np.zeros(len(place), dtype=bool)
    holds[first] = True
    return holds


def medoid_merge(planted: Planted) -> Score:
    """Per-frame merge: overlapping boxes of different annotators, majority quorum, medoid box."""
    crew = planted.completed.group_by("clip_id").agg(pl.col("annotator").n_unique())
    voters = dict(crew.rows())
    rows: list[dict] = []
    for (clip_id,), clip in planted.raw_boxes.sort("clip_id", "second").group_by(
        ["clip_id"], maintain_order=True
    ):
        frames = {}
        for (second,), frame in clip.group_by(["second"], maintain_order=True):
            boxes = frame.select(BOX_COLUMNS).to_numpy()
            chosen = medoids(boxes, frame["annotator"].to_list(), voters[clip_id])
            frames[int(second)] = boxes[chosen], frame["seed_track_id"].fill_null(-1).to_numpy()[chosen]
        for (second, person), box in followed(frames).items():
            rows.append({"clip_id": clip_id, "second": second, "person_id": person}
                        | dict(zip(BOX_COLUMNS, box.tolist(), strict=True)))  # fmt: skip
    boxes = pl.DataFrame(rows).cast({"second": pl.Int64, "person_id": pl.Int64})
    return score(planted, boxes, planted.true_labels.clear())


def medoids(boxes: np.ndarray, owners: list[str], voters: int) -> np.ndarray:
    """One box of each cluster that more than half of the annotators have a box in: indices."""
    overlap = pairwise_iou(boxes, boxes)
    free, out = set(range(len(boxes))), []
    for seed in np.argsort(-overlap.sum(axis=1)):
        if seed not in free:
            continue
        members = {owners[seed]: int(seed)}
        for other in np.argsort(-overlap[seed]):
            if other in free and overlap[seed, other] >= 0.5:
                members.setdefault(owners[other], int(other))
        chosen = sorted(members.values())
        free -= set(chosen)
        if 2 * len(chosen) > voters:
            best = overlap[np.ix_(chosen, chosen)].sum(axis=1).argmax()
            out.append(chosen[best])
    return np.array(out, dtype=int)


def followed(frames: dict[int, tuple[np.ndarray, np.ndarray]]) -> dict[tuple[int, int], np.ndarray]:
    """Person numbers for boxes at each second: of the pre-drawn track; without one, of whom they overlap a second
    before, or a new one. `frames`: boxes and pre-drawn tracks (-1 for none) at each second."""
    result: dict[tuple[int, int], np.ndarray] = {}
    last: dict[int, np.ndarray] = {}
    people = 1000
    for second in sorted(frames):
        boxes, seeds = frames[second]
        now: dict[int, int] = {}
        for box, seed in enumerate(seeds.tolist()):
            if seed >= 0:
                now.setdefault(seed, box)
        loose = sorted(set(range(len(boxes))) - set(now.values()))
        names = [name for name in last if name not in now]
        if names and loose:
            overlap = pairwise_iou(np.array([last[name] for name in names]), boxes[loose])
            for row, column in zip(*linear_sum_assignment(-overlap), strict=True):
                if overlap[row, column] >= 0.3:
                    now[names[row]] = loose[column]
        for box in sorted(set(loose) - set(now.values())):
            people += 1
            now[people] = box
        found = {name: boxes[box] for name, box in now.items()}
        result |= {(second, name): box for name, box in found.items()}
        last = found
    return result
