"""One box from several: who is there by quorum, where by the mean of those that agree.

The best-supported box is the one that the others overlap most; boxes with IoU ≥ .5 to it go into the mean. How
much an annotator's boxes weigh is measured against the others' boxes alone (leave-one-out); a box left as it was
pre-drawn says little about where the person is and weighs less.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.schemas import BOX_COLUMNS, CONSENSUS_BOXES, PLACE, BoxRule, conform
from ava_core.quality.agreement.overlap import box_iou, edge_shifts
from ava_core.quality.agreement.panel import Panel

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SAME_BOX: Final = 0.5
"""IoU from which two boxes show the same."""

UNTOUCHED_WEIGHT: Final = 0.3

INDISTINCT: Final = 0.9
"""IoU beyond which two boxes of one second show the same person."""

ROUNDING: Final = 1e-9
"""Sums of shares of a vote are equal up to this."""

LEAST_ERROR: Final = 0.01
"""Mean edge error, in shares of the box's size, below which nobody gains weight: people do not see finer."""


@dataclass(frozen=True)
class Merged:
    """Over the P places: `box` `(P, 4)`; `used` `(P, K)`, whose boxes went in; `voters`, who might have drawn one
    (the trusted crew); `agreement`, mean IoU of the used boxes to the result, nan for a single one; `seen_by` and
    `asked`, the same two counts with the word of people who copy each other shared out among them; `present` and
    `absent`, where an expert said that somebody, or nobody, is there."""

    box: Array
    used: Flags
    voters: npt.NDArray[np.int64]
    agreement: Array
    seen_by: Array
    asked: Array
    present: Flags
    absent: Flags

    @property
    def votes(self) -> npt.NDArray[np.int64]:
        counts: npt.NDArray[np.int64] = self.used.sum(axis=1)
        return counts

    @property
    def kept(self) -> Flags:
        """Places that have a person: half of the voters or more saw one. An expert's word goes before the count."""
        flags: Flags = (
            (self.votes > 0) & ((2 * self.seen_by >= self.asked - ROUNDING) | self.present) & ~self.absent
        )
        return flags

    @property
    def tied(self) -> Flags:
        """Places where exactly half did, and no expert has spoken: kept, and disputed."""
        half: Flags = (self.votes > 0) & (np.abs(2 * self.seen_by - self.asked) < ROUNDING)
        flags: Flags = half & ~(self.present | self.absent)
        return flags

    def once(self, panel: Panel) -> Merged:
        """The same with everybody shown once: of two boxes that nobody could tell apart (`INDISTINCT`) the one that
        fewer drew is nobody's; of equals, that of the person seen at fewer seconds, then of the higher number."""
        rows = np.flatnonzero(self.kept)
        seconds = panel.by_tube(self.kept)[panel.tube[rows]]
        rank = np.lexsort((panel.person[rows], -seconds, -self.seen_by[rows]))
        place = np.empty(len(rows), np.int64)
        place[rank] = np.arange(len(rows))
        moment = panel.clip[rows] << 20 | panel.second[rows]
        gone = np.zeros(len(self.voters), dtype=bool)
        order = np.lexsort((self.box[rows, 0], moment))
        for step in range(1, len(rows)):
            one, other = order[:-step], order[step:]
            left, right = self.box[rows[one]], self.box[rows[other]]
            width = np.maximum(left[:, 2], right[:, 2]) - left[:, 0]
            near = (moment[one] == moment[other]) & (right[:, 0] - left[:, 0] <= (1 - INDISTINCT) * width)
            if not near.any():
                break
            same = near & (np.nan_to_num(box_iou(left, right)) > INDISTINCT)
            gone[rows[np.where(place[one] > place[other], one, other)[same]]] = True
        return replace(self, absent=self.absent | gone) if gone.any() else self

    def settled(self, panel: Panel, said: pl.DataFrame) -> Merged:
        """The same with an expert's word: `said` is `clip_id, second, person_id, present` (`presence.on_presence`)."""
        if said.is_empty():
            return self
        places = pl.DataFrame(panel.place_columns(np.arange(len(self.voters)))).with_row_index("place")
        found = places.join(said, on=PLACE)
        present, absent = self.present.copy(), self.absent.copy()
        present[found.filter("present")["place"].to_numpy()] = True
        absent[found.filter("present")["place"].to_numpy()] = False
        absent[found.filter(~pl.col("present"))["place"].to_numpy()] = True
        return replace(self, present=present, absent=absent)


def merge_boxes(panel: Panel, say: Array | None = None) -> Merged:
    """Merge the boxes of every place of a panel of trusted annotators. `say` `(clips, K)`: what the boxes of a slot
    count for, 1 by default."""
    places, slots = panel.present.shape
    weight = _annotator_weights(panel)[panel.who] * np.where(panel.edited, 1.0, UNTOUCHED_WEIGHT)
    each = np.ones(panel.crew.shape) if say is None else say
    counts = each[panel.clip]
    weight = np.where(panel.present, weight * counts, 0.0)
    support = np.zeros((places, slots))
    overlap = np.zeros((places, slots, slots))
    for i in range(slots):
        overlap[:, i, i] = panel.present[:, i]
        for j in range(i):
            overlap[:, i, j] = overlap[:, j, i] = np.nan_to_num(box_iou(panel.boxes[:, i], panel.boxes[:, j]))
    support = np.where(panel.present, (overlap * weight[:, None, :]).sum(axis=2), -1.0)
    best = support.argmax(axis=1) if slots else np.zeros(places, np.int64)
    used = (overlap[np.arange(places), best] >= SAME_BOX) & panel.present if slots else panel.present
    weight = np.where(used, weight, 0.0)
    total = weight.sum(axis=1)
    known = np.nan_to_num(panel.boxes)
    box = np.divide((known * weight[:, :, None]).sum(axis=1), total[:, None], where=total[:, None] > 0,
                    out=np.full((places, 4), np.nan))  # fmt: skip
    to_result = np.where(used, np.nan_to_num(box_iou(panel.boxes, box[:, None])), 0.0).sum(axis=1)
    count = used.sum(axis=1)
    agreement = np.divide(to_result, count, out=np.full(places, np.nan), where=count > 1)
    nowhere = np.zeros(places, dtype=bool)
    crew = panel.who >= 0
    seen_by, asked = np.where(used, counts, 0.0).sum(axis=1), np.where(crew, counts, 0.0).sum(axis=1)
    return Merged(box, used, crew.sum(axis=1), agreement, seen_by, asked, present=nowhere, absent=nowhere)


def _annotator_weights(panel: Panel) -> Array:
    """Weight of each annotator `(A + 1,)`: the inverse square of their median edge error against the mean of the
    others' boxes, relative to the best; 1 where nobody else drew a box. The last entry is nobody's."""
    error = np.abs(edge_shifts(panel.boxes)).mean(axis=2)
    weights = np.ones(len(panel.annotators) + 1)
    typical = np.full(len(panel.annotators), np.nan)
    for number in range(len(panel.annotators)):
        own = error[(panel.who == number) & ~np.isnan(error)]
        if len(own):
            typical[number] = max(float(np.median(own)), LEAST_ERROR)
    if not np.isnan(typical).all():
        relative = (np.nanmin(typical) / typical) ** 2
        weights[:-1] = np.where(np.isnan(typical), 1.0, relative)
    return weights


def box_table(panel: Panel, merged: Merged, where: Flags) -> pl.DataFrame:
    """`schemas.CONSENSUS_BOXES` of some places."""
    voters, votes = merged.voters[where], merged.votes[where]
    cases = [merged.present[where], voters == 1, merged.tied[where]]
    rules: list[BoxRule] = ["adjudicated", "single", "tie"]
    rule = np.select(cases, rules, "quorum")
    columns = panel.place_columns(where) | {
        **{name: merged.box[where, side] for side, name in enumerate(BOX_COLUMNS)},
        "votes": votes, "voters": voters,
        "agreement_iou": pl.Series(merged.agreement[where]).fill_nan(None), "rule": rule.tolist(),
    }  # fmt: skip
    return conform(pl.DataFrame(columns), CONSENSUS_BOXES, "consensus boxes").sort(PLACE)
