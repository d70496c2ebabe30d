"""What two annotators of a clip have in common, as sums per clip and pair: every figure of a pair is a ratio of them.

Boxes without a partner count against both F1 scores, so misses and extras are scored. F1 asks whether a box lies
where the other's does, IDF1 whether also the same track says so (Ristani et al., 2016).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from ava_core.base.work.threads import side_by_side
from ava_core.quality.agreement.alpha import LabelSums, pooled
from ava_core.quality.agreement.bootstrap import ClipBootstrap, Estimate, estimate, share
from ava_core.quality.agreement.overlap import area, areas
from ava_core.quality.agreement.panel import Flags, Panel

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SAME_BOX: Final = 0.5
TIGHT: Final = 0.75
EDGES: Final = ("left", "top", "right", "bottom")

MASI_OVERLAP: Final = np.array([0.0, 1 / 3, 2 / 3, 1.0])
"""Weight of disjoint, overlapping, nested and equal label sets (Passonneau, 2006)."""

BOX_SUMS: Final = ("boxes_a", "boxes_b", "shared", "iou", "same", "tight", "edited", "edited_iou",
                   *(f"shift_{edge}" for edge in EDGES), "identical", "tubes", "tube_iou")  # fmt: skip
SET_SUMS: Final = ("units", "masi", "episodes", "temporal_iou")
SUMS: Final = (*BOX_SUMS, *SET_SUMS)


@dataclass(frozen=True)
class PairSums:
    """R rows, one for each clip and two of its crew: `clip` (ascending), `a`, `b` as numbers, names in order.

    `table` `(R, len(SUMS) + 4 C)`: the sums by name (`shift_…` is b minus a in shares of the mean size, `units` and
    `masi` are of label sets, `episodes` and `temporal_iou` of actions of people), then of each class how often both
    said yes, a did, b did, and both rated.
    """

    clip: Ints
    a: Ints
    b: Ints
    table: Array

    def __getitem__(self, name: str) -> Array:
        return self.table[:, SUMS.index(name)]

    def only(self, rows: Flags) -> PairSums:
        """Some rows."""
        return PairSums(self.clip[rows], self.a[rows], self.b[rows], self.table[rows])

    def minus(self, part: PairSums) -> PairSums:
        """What is left of sums without a part of them."""
        return replace(self, table=self.table - part.table)

    def by_class(self) -> tuple[Array, Array, Array, Array]:
        """Both yes, a yes, b yes, units: `(R, C)` each."""
        both, yes_a, yes_b, units = np.split(self.table[:, len(SUMS) :], 4, axis=1)
        return both, yes_a, yes_b, units

    @property
    def labels(self) -> LabelSums:
        """For alpha."""
        both, yes_a, yes_b, units = self.by_class()
        return LabelSums(yes_a + yes_b - 2 * both, yes_a + yes_b, 2 * units)


@dataclass(frozen=True)
class PairFigures:
    """Sums of some rows and their resampled sums, for estimates."""

    total: PairSums
    drawn: PairSums
    clips: int

    @classmethod
    def of(cls, pairs: PairSums, bootstrap: ClipBootstrap) -> PairFigures:
        """All rows together."""
        total = replace(pairs, table=pairs.table.sum(axis=0, keepdims=True))
        drawn = replace(pairs, table=bootstrap.resampled(pairs.table, pairs.clip))
        return cls(total, drawn, len(np.unique(pairs.clip)))

    def estimate(self, figure: Callable[[PairSums], Array], reason: str) -> Estimate:
        """A figure; undefined for `reason`."""
        return estimate(figure, self.total, self.drawn, self.clips, reason)

    def count(self, name: str) -> int:
        """A sum as a whole number."""
        return int(self.total[name][0])


def ratio(part: str, whole: str) -> Callable[[PairSums], Array]:
    """The figure Σ part / Σ whole."""
    return lambda pairs: share(pairs[part], pairs[whole])


def f1(right: str) -> Callable[[PairSums], Array]:
    """The figure F1 of boxes, `right` of which are shared."""
    return lambda pairs: share(2 * pairs[right], pairs["boxes_a"] + pairs["boxes_b"])


def pooled_alpha(pairs: PairSums) -> Array:
    """Alpha of the pair."""
    return pooled(pairs.labels)


def kappa(pairs: PairSums) -> Array:
    """Cohen's kappa (1960) pooled over classes `(rows,)`: 1 - Σ disagreement / Σ expected disagreement.

    Over the classes of an exclusive group it is the multi-category kappa. nan where chance alone agrees fully.
    """
    return 1 - share(*disagreements(pairs))


def kappa_by_clip(pairs: PairSums, clips: int) -> Array:
    """The same pooled over the pairs of each clip too `(clips,)`; each pair has its own chance."""
    observed, expected = (np.bincount(pairs.clip, part, clips) for part in disagreements(pairs))
    return 1 - share(observed, expected)


def disagreements(pairs: PairSums) -> tuple[Array, Array]:
    """Observed and expected disagreements over all classes: `(rows,)` each."""
    both, yes_a, yes_b, units = pairs.by_class()
    chance = yes_a * (units - yes_b) + yes_b * (units - yes_a)
    expected = np.divide(chance, units, out=np.zeros_like(chance), where=units > 0)
    return (yes_a + yes_b - 2 * both).sum(axis=1), expected.sum(axis=1)


def pair_sums(panel: Panel, tangled: Panel | None = None) -> PairSums:
    """Sums of every clip and pair. `tangled`: the panel before swapped identities were undone, for IDF1."""
    slots = combinations(range(panel.crew.shape[1]), 2)
    parts = side_by_side(partial(_slot_pair, panel, tangled or panel, i, j) for i, j in slots)
    width = len(SUMS) + 4 * len(panel.action_ids)
    none = np.zeros(0, np.int64)
    parts.append(PairSums(none, none, none, np.zeros((0, width))))
    clip, a, b, table = (
        np.concatenate([getattr(p, name) for p in parts]) for name in ("clip", "a", "b", "table")
    )
    order = np.argsort(clip, kind="stable")
    return PairSums(clip[order], a[order], b[order], table[order])


def _slot_pair(panel: Panel, tangled: Panel, i: int, j: int) -> PairSums:
    """One row for each clip in which both slots are taken."""
    table = np.concatenate([_box_sums(panel, tangled, i, j), *_label_sums(panel, i, j)], axis=1)
    rows = PairSums(np.arange(len(panel.clips)), panel.crew[:, i], panel.crew[:, j], table)
    return rows.only((rows.a >= 0) & (rows.b >= 0))


def _box_sums(panel: Panel, tangled: Panel, i: int, j: int) -> Array:
    """`BOX_SUMS`, a column each: `(clips, …)`."""
    a, b = panel.boxes[:, i], panel.boxes[:, j]
    shared_area, union = areas(a, b)
    both = ~np.isnan(union)
    shared_area = np.nan_to_num(shared_area)
    iou = np.divide(shared_area, union, out=np.zeros(len(union)), where=union > 0)
    edited = both & panel.edited[:, i] & panel.edited[:, j]
    size = np.tile(a[:, 2:] - a[:, :2] + b[:, 2:] - b[:, :2], 2) / 2
    shift = np.divide(b - a, size, out=np.zeros_like(a), where=size > 0)
    columns = [panel.present[:, i], panel.present[:, j], both, iou, iou >= SAME_BOX, iou >= TIGHT, edited,
               np.where(edited, iou, 0), *shift.T, _same(tangled, i, j)]  # fmt: skip
    summed = panel.by_clip(np.stack(columns, axis=1, dtype=float))
    covered = np.where(both, union, np.nan_to_num(area(a)) + np.nan_to_num(area(b)))
    tube = panel.by_tube(np.stack([both, shared_area, covered], axis=1, dtype=float))
    met = tube[:, 0] > 0  # people whom both have at some second
    tube_iou = np.divide(tube[:, 1], tube[:, 2], out=np.zeros(len(tube)), where=met & (tube[:, 2] > 0))
    return np.concatenate(
        [summed, panel.tubes_by_clip(np.stack([met, tube_iou], axis=1, dtype=float))], axis=1
    )


def _same(panel: Panel, i: int, j: int) -> Flags:
    shared, union = areas(panel.boxes[:, i], panel.boxes[:, j])
    result: Flags = shared >= SAME_BOX * union  # nan where either is absent: false
    return result


def _label_sums(panel: Panel, i: int, j: int) -> list[Array]:
    """`SET_SUMS`, then of each class both yes, a yes, b yes, units: `(clips, …)` each."""
    named = panel.named
    rated = panel.rated[:, i] & panel.rated[:, j]
    asked = rated[named.place, panel.group_of[named.column]]
    a, b = named.votes[:, i] & asked, named.votes[:, j] & asked
    count = len(panel.second)
    size_a, size_b, common = (np.bincount(named.place[said], minlength=count) for said in (a, b, a & b))
    compared = rated.any(axis=1)
    similarity = np.where(compared, masi(size_a, size_b, common), 0.0)
    sets = panel.by_clip(np.stack([compared, similarity], axis=1, dtype=float))
    units = panel.by_clip(rated)[:, panel.group_of]
    return [sets, _episodes(panel, a, b), *(panel.named_by_clip(said) for said in (a & b, a, b)), units]


def masi(size_a: Ints, size_b: Ints, common: Ints) -> Array:
    """MASI similarity of label sets from their sizes and what they share (Passonneau, 2006); 1 of two empty ones."""
    union = size_a + size_b - common
    nested = common == np.minimum(size_a, size_b)
    equal = (common == size_a) & (common == size_b)
    kind = np.where(common == 0, 0, np.where(equal, 3, np.where(nested, 2, 1)))
    jaccard = np.divide(common, union, out=np.ones(np.shape(union)), where=union > 0)
    result: Array = np.where(union > 0, jaccard * MASI_OVERLAP[kind], 1.0)
    return result


def _episodes(panel: Panel, a: Flags, b: Flags) -> Array:
    """Actions of people that either names, and their temporal IoU: seconds of both by seconds of either."""
    common, union = panel.named_by_tube(a & b), panel.named_by_tube(a | b)
    overlap = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return panel.tubes_by_clip(np.stack([(union > 0).sum(axis=1), overlap.sum(axis=1)], axis=1, dtype=float))
