"""Krippendorff's alpha for binary nominal ratings with missing values, pooled over classes, with intervals.

Per class and unit with m ≥ 2 raters of whom v say yes: observed disagreement 2 v (m − v) / (m − 1). Over all
units with n ratings, N of them yes: expected disagreement 2 N (n − N) / (n − 1). Alpha is 1 − Do / De
(Krippendorff, Content Analysis, 2004); pooled alpha 1 − ΣDo / ΣDe over classes. Intervals come from resampling
clips: boxes of one clip are not independent, and by box the standard error is 2.7 times too small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.agreement.ratings import UNIT, class_counts
from ava_core.ontology import Ontology

Array = npt.NDArray[np.float64]

RARE: Final = 20
"""Classes with fewer yes-ratings are left out of the macro mean: their alpha is mostly chance."""
INTERVAL: Final = (2.5, 97.5)


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; `value` is `None` where it is undefined, and `reason` says why."""

    value: float | None
    low: float | None
    high: float | None
    reason: str = ""


class ClassSums:
    """Sums per clip and class from which every alpha follows: `(clips, classes)` arrays.

    `disagreement`: Σ v (m − v) / (m − 1); `yes`: Σ v; `all`: Σ m.
    """

    def __init__(self, rated: pl.DataFrame, ontology: Ontology) -> None:
        self.actions = ontology.actions
        counts = class_counts(rated, ontology)
        units = rated.group_by(UNIT).agg(raters=pl.col("annotator").n_unique()).filter(pl.col("raters") >= 2)
        self.clips = units["clip_id"].unique().sort().to_list()
        row = {clip: number for number, clip in enumerate(self.clips)}
        column = {action.id: number for number, action in enumerate(self.actions)}
        shape = (len(self.clips), len(self.actions))
        self.disagreement, self.yes, self.all = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        v, m = pl.col("votes"), pl.col("raters")
        sums = counts.group_by("clip_id", "action_id").agg(d=(v * (m - v) / (m - 1)).sum(), v=v.sum())
        for clip, action, d, votes in sums.filter(pl.col("action_id").is_in(list(column))).rows():
            self.disagreement[row[clip], column[action]] = d
            self.yes[row[clip], column[action]] = votes
        for clip, group, total in units.group_by("clip_id", "group").agg(m.sum()).rows():
            if group in {g.name for g in ontology.groups}:
                for action_id in ontology.group(group).ids:
                    self.all[row[clip], column[action_id]] = total

    def resampled(self, repetitions: int, seed: int) -> list[Array]:
        """`disagreement`, `yes` and `all` of `repetitions` draws of clips: `(repetitions, classes)` each."""
        draw = np.random.default_rng(seed)
        count = len(self.clips)
        weights = draw.multinomial(count, np.full(count, 1 / count), size=repetitions).astype(float)
        return [weights @ sums for sums in (self.disagreement, self.yes, self.all)]

    def totals(self) -> list[Array]:
        """The sums over all clips: `(1, classes)` each."""
        return [sums.sum(axis=0, keepdims=True) for sums in (self.disagreement, self.yes, self.all)]


def expected(yes: Array, total: Array) -> Array:
    """Expected disagreement, on the scale of `ClassSums.disagreement`."""
    result: Array = np.divide(yes * (total - yes), total - 1, out=np.zeros_like(yes), where=total > 1)
    return result


def alphas(disagreement: Array, yes: Array, total: Array) -> Array:
    """Alpha of each class; `nan` where no disagreement can be expected."""
    chance = expected(yes, total)
    result: Array = 1 - np.divide(disagreement, chance, out=np.full_like(chance, np.nan), where=chance > 0)
    return result


def pooled(disagreement: Array, yes: Array, total: Array) -> Array:
    """Alpha pooled over classes; `nan` where no disagreement can be expected."""
    chance = expected(yes, total).sum(axis=1)
    result: Array = 1 - np.divide(
        disagreement.sum(axis=1), chance, out=np.full_like(chance, np.nan), where=chance > 0
    )
    return result


def macro(disagreement: Array, yes: Array, total: Array) -> Array:
    """Mean alpha of the classes that are not rare; `nan` where there is none."""
    each = alphas(disagreement, yes, total)
    each[yes < RARE] = np.nan
    known = ~np.isnan(each)
    count = known.sum(axis=1)
    result: Array = np.divide(
        np.where(known, each, 0).sum(axis=1), count, out=np.full(len(each), np.nan), where=count > 0
    )
    return result


def estimate(value: float, draws: Array, reason: str, clips: int) -> Estimate:
    """A figure with its interval; an undefined one is `None` with `reason`."""
    if np.isnan(value):
        return Estimate(None, None, None, reason)
    known = draws[~np.isnan(draws)]
    if clips < 2 or not len(known):
        return Estimate(float(value), None, None, "one clip gives no interval" if clips < 2 else "")
    low, high = np.percentile(known, INTERVAL)
    return Estimate(float(value), float(low), float(high))
