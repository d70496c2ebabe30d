"""Undo swapped identities: at some seconds an annotator's track follows another person.

A track belongs to one person as a whole, but now and then two tracks change places. Where a box overlaps nobody
else's box of its person, and at the same second fits another person at whom this annotator has no fitting box, the
annotator's work of that second is theirs. At each second the annotator with most such boxes goes first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.quality.agreement.overlap import box_iou
from ava_core.quality.agreement.panel import Flags, Panel

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SAME_BOX: Final = 0.5

MOVING: Final = {"boxes": np.nan, "edited": False, "rated": False, "votes": False}
"""What goes along with a box, and what is left in its place."""


def untangle(panel: Panel) -> Panel:
    """The panel with such seconds moved to the person whom they show."""
    moment = np.unique(panel.clip << 20 | panel.second, return_inverse=True)[1]
    mine = False
    for _ in range(panel.crew.shape[1]):
        loose = best_overlap(panel.boxes) < SAME_BOX
        source, target, slot = _moves(panel, loose & _first_to_go(panel, loose, moment), moment)
        if not len(source):
            break
        panel = panel if mine else replace(panel, **{name: getattr(panel, name).copy() for name in MOVING})
        panel, mine = _moved(panel, source, target, slot), True
    return panel


def best_overlap(boxes: Array) -> Array:
    """Each box's best IoU with another's box of the same person `(P, K)`, of `(P, K, 4)`; nan without another."""
    best = np.full(boxes.shape[:2], np.nan)
    for i in range(boxes.shape[1]):
        for j in range(i):
            iou = box_iou(boxes[:, i], boxes[:, j])
            best[:, i], best[:, j] = np.fmax(best[:, i], iou), np.fmax(best[:, j], iou)
    return best


def _first_to_go(panel: Panel, loose: Flags, moment: Ints) -> Flags:
    """At each place, the slot that has most loose boxes in the clip at that second `(P, K)`.

    Two annotators who contradict each other have equally many; where their boxes lie then decides, not their names.
    """
    weight = np.where(loose, 1e9 + np.nan_to_num(panel.boxes).sum(axis=2), 0.0)
    count = np.stack([np.bincount(moment, column) for column in weight.T], axis=1)
    result: Flags = count.argmax(axis=1)[moment][:, None] == np.arange(loose.shape[1])
    return result


def _moves(panel: Panel, loose: Flags, moment: Ints) -> tuple[Ints, Ints, Ints]:
    """Which box goes from which place to which: indices of places, and the slot."""
    place, slot = np.nonzero(loose)
    boxes = pl.DataFrame({"moment": moment[place], "source": place, "slot": slot})
    spots = pl.DataFrame({"moment": moment, "target": np.arange(len(moment))})
    pairs = boxes.join(spots, on="moment").filter(pl.col("source") != pl.col("target"))
    source, target, slot = (pairs[name].to_numpy() for name in ("source", "target", "slot"))
    free = loose[target, slot] | ~panel.present[target, slot]
    source, target, slot = source[free], target[free], slot[free]
    others = np.where((np.arange(loose.shape[1]) == slot[:, None])[:, :, None], np.nan, panel.boxes[target])
    overlap = np.nan_to_num(box_iou(panel.boxes[source, slot][:, None], others)).max(axis=1, initial=0)
    best = np.lexsort((target, source, -overlap))
    best = best[overlap[best] >= SAME_BOX]
    best = best[np.sort(np.unique(source[best], return_index=True)[1])]
    best = best[np.sort(np.unique(target[best] * loose.shape[1] + slot[best], return_index=True)[1])]
    while True:  # a place is free only if what lies there moves too
        stays = panel.present[target[best], slot[best]] & ~np.isin(target[best], source[best])
        if not stays.any():
            return source[best], target[best], slot[best]
        best = best[~stays]


def _moved(panel: Panel, source: Ints, target: Ints, slot: Ints) -> Panel:
    """The panel, changed in place, without what it had derived from its arrays."""
    for name, nothing in MOVING.items():
        array = getattr(panel, name)
        content = array[source, slot]
        array[source, slot] = nothing
        array[target, slot] = content
    return replace(panel)
