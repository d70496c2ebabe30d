"""Undo swapped identities: at some seconds an annotator's track follows another person.

A track belongs to one person as a whole, but CVAT users drag a box on to the wrong person now and then, and two
tracks change places. Where a box overlaps nobody else's box of its person, and at the same second fits another
person at whom this annotator has no fitting box, the annotator's work of that second is theirs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from ava_core.agreement.overlap import box_iou
from ava_core.agreement.panel import Panel

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SAME_BOX: Final = 0.5


def untangle(panel: Panel) -> Panel:
    """The panel with such seconds moved to the person whom they show."""
    loose = best_overlap(panel.boxes) < SAME_BOX
    if not loose.any():
        return panel
    panel = replace(
        panel, boxes=panel.boxes.copy(), edited=panel.edited.copy(), rated=panel.rated.copy(),
        votes=panel.votes.copy(),
    )  # fmt: skip
    moment = panel.clip << 20 | panel.second
    order = np.argsort(moment, kind="stable")
    starts = np.flatnonzero(np.diff(moment[order], prepend=-1))
    busy = np.add.reduceat(loose[order].sum(axis=1), starts) > 0
    for places in (part for part, some in zip(np.split(order, starts[1:]), busy, strict=True) if some):
        _mend(panel, places)
    return panel


def best_overlap(boxes: Array) -> Array:
    """Each box's best IoU with another's box of the same person `(P, K)`, of `(P, K, 4)`; nan without another."""
    best = np.full(boxes.shape[:2], np.nan)
    for i in range(boxes.shape[1]):
        for j in range(i):
            iou = box_iou(boxes[:, i], boxes[:, j])
            best[:, i], best[:, j] = np.fmax(best[:, i], iou), np.fmax(best[:, j], iou)
    return best


def _mend(panel: Panel, places: Ints) -> None:
    """One second of one clip: annotators with most loose boxes first, until nothing moves."""
    for _ in range(panel.crew.shape[1]):
        loose = best_overlap(panel.boxes[places]) < SAME_BOX
        count = loose.sum(axis=0)
        slots = [int(slot) for slot in np.argsort(-count, kind="stable") if count[slot]]
        if not any(_reassign(panel, places, slot, loose[:, slot]) for slot in slots):
            return


def _reassign(panel: Panel, places: Ints, slot: int, loose: npt.NDArray[np.bool_]) -> bool:
    """Give the slot's loose boxes to the people whom they fit; false where none moves."""
    absent = np.isnan(panel.boxes[places, slot, 0])
    sources, targets = places[loose], places[loose | absent]
    others = np.delete(panel.boxes[targets], slot, axis=1)
    overlap = np.nan_to_num(box_iou(panel.boxes[sources, slot][:, None, None], others[None])).max(
        axis=2, initial=0
    )
    rows, columns = linear_sum_assignment(-overlap)
    good = overlap[rows, columns] >= SAME_BOX
    if not good.any():
        return False
    moved, goal = sources[rows[good]], targets[columns[good]]
    displaced = np.setdiff1d(np.intersect1d(goal, sources), moved)  # boxes that fit nobody and must make way
    freed = np.setdiff1d(moved, goal)
    if len(displaced) > len(freed):
        return False
    source = np.concatenate([moved, displaced])
    target = np.concatenate([goal, freed[: len(displaced)]])
    for array, nothing in (
        (panel.boxes, np.nan),
        (panel.edited, False),
        (panel.rated, False),
        (panel.votes, False),
    ):
        content = array[source, slot].copy()
        array[source, slot] = nothing
        array[target, slot] = content
    return True
