"""Krippendorff's alpha for nominal ratings with missing values, per class and pooled over classes.

Per class and unit with m ≥ 2 raters of whom v say yes: observed disagreement v (m - v) / (m - 1). Over all units
with n ratings, N of them yes: expected disagreement N (n - N) / (n - 1). Alpha is 1 - Do / De (Krippendorff, Content
Analysis, 2004); pooled alpha 1 - ΣDo / ΣDe. Pooled over the classes of an exclusive group it is the group's
multi-category alpha, to the last digit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ava_core.quality.agreement.bootstrap import ClipBootstrap, Estimate, estimate, share, times
from ava_core.quality.agreement.panel import Panel

Array = npt.NDArray[np.float64]

RARE: Final = 20
"""Classes with fewer yes-ratings are left out of the macro mean: their alpha is mostly chance."""

NO_PAIRS: Final = "no person was labelled by two annotators"
CONSTANT: Final = "everyone always gave the same answer, so chance disagreement is zero"
UNUSED: Final = "no one used this class"


@dataclass(frozen=True)
class LabelSums:
    """Sums from which every alpha follows, `(rows, C)` each: `disagreement` Σ v (m - v) / (m - 1), `yes` Σ v,
    `ratings` Σ m, over units with two raters or more."""

    disagreement: Array
    yes: Array
    ratings: Array

    def of_classes(self, columns: npt.NDArray[Any]) -> LabelSums:
        """The same for some classes."""
        return LabelSums(self.disagreement[:, columns], self.yes[:, columns], self.ratings[:, columns])

    def total(self) -> LabelSums:
        """Over all rows: `(1, C)`."""
        return LabelSums(*(part.sum(axis=0, keepdims=True) for part in self._parts))

    def resampled(self, bootstrap: ClipBootstrap) -> LabelSums:
        """Of each repetition, where rows are all clips: `(repetitions, C)`."""
        return LabelSums(*(times(bootstrap.weights, part) for part in self._parts))

    @property
    def expected(self) -> Array:
        """Expected disagreement, on the scale of `disagreement`."""
        chance = self.yes * (self.ratings - self.yes)
        result: Array = np.divide(chance, self.ratings - 1, out=np.zeros_like(chance), where=self.ratings > 1)
        return result

    @property
    def _parts(self) -> tuple[Array, Array, Array]:
        return self.disagreement, self.yes, self.ratings


@dataclass(frozen=True)
class Resampled:
    """Label sums by clip, of all clips, and of every repetition."""

    by_clip: LabelSums
    total: LabelSums
    drawn: LabelSums

    @classmethod
    def of(cls, by_clip: LabelSums, bootstrap: ClipBootstrap) -> Resampled:
        return cls(by_clip, by_clip.total(), by_clip.resampled(bootstrap))

    def estimate(self, figure: Callable[[LabelSums], Array], reason: str) -> Estimate:
        """A figure; undefined for `reason`, or because nobody was labelled by two."""
        why = reason if self.total.ratings.any() else NO_PAIRS
        return estimate(figure, self.total, self.drawn, len(self.by_clip.yes), why)

    def of_classes(self, columns: npt.NDArray[Any]) -> Resampled:
        """The same for some classes."""
        return Resampled(*(part.of_classes(columns) for part in (self.by_clip, self.total, self.drawn)))


def label_sums(panel: Panel) -> LabelSums:
    """Per clip and class: rows are the panel's clips."""
    counted = np.where(panel.raters >= 2, panel.raters, 0)
    named = panel.named
    m = counted[named.place, panel.group_of[named.column]]
    v = np.where(m > 0, named.yes, 0)
    disagreement = v * (m - v) / np.maximum(m - 1, 1)
    ratings = panel.by_clip(counted)[:, panel.group_of]
    return LabelSums(panel.named_by_clip(disagreement), panel.named_by_clip(v), ratings)


def alphas(sums: LabelSums) -> Array:
    """Alpha of each class `(rows, C)`; nan where no disagreement can be expected."""
    return 1 - share(sums.disagreement, sums.expected)


def pooled(sums: LabelSums) -> Array:
    """Alpha pooled over classes `(rows,)`; nan where no disagreement can be expected."""
    return 1 - share(sums.disagreement.sum(axis=1), sums.expected.sum(axis=1))


def macro(sums: LabelSums) -> Array:
    """Mean alpha of the classes that are not rare `(rows,)`; nan where there is none."""
    each = alphas(sums)
    known = ~np.isnan(each) & (sums.yes >= RARE)
    return share(np.where(known, each, 0).sum(axis=1), known.sum(axis=1))


def positive_agreement(sums: LabelSums) -> Array:
    """Of the pairs of ratings of which one says yes, the share in which the other does too `(rows, C)`."""
    return 1 - share(sums.disagreement, sums.yes)
