"""Other coefficients that papers print, for comparison: of units rated with exclusive categories.

`counts` `(units, categories)`: how many raters gave each category; raters may be missing. Alpha is the headline:
on rare classes percent agreement and AC1 are high whatever the annotators do.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def percent_agreement(counts: Array) -> float:
    """Mean share of a unit's pairs of raters who agree; nan where no unit has two raters."""
    raters = counts.sum(axis=1)
    paired = counts[raters >= 2]
    m = raters[raters >= 2]
    return float(((paired * (paired - 1)).sum(axis=1) / (m * (m - 1))).mean()) if len(m) else float("nan")


def fleiss_kappa(counts: Array) -> float:
    """Fleiss (1971), for missing ratings as Gwet (2014); of two raters, Scott's pi (1955)."""
    return _corrected(counts, float((_prevalence(counts) ** 2).sum()))


def gwet_ac1(counts: Array) -> float:
    """Gwet (2008): chance agreement from how even the categories are."""
    prevalence = _prevalence(counts)
    return _corrected(counts, float((prevalence * (1 - prevalence)).sum()) / (counts.shape[1] - 1))


def brennan_prediger(counts: Array) -> float:
    """Brennan and Prediger (1981): chance agreement of guesses that are even over categories."""
    return _corrected(counts, 1 / counts.shape[1])


def conger_kappa(counts: Array, by_rater: Array) -> float:
    """Conger (1980), Cohen's kappa (1960) for more raters. `by_rater` `(raters, categories)`: how often each
    rater gave each category."""
    own = by_rater / by_rater.sum(axis=1, keepdims=True)
    spread = own.var(axis=0, ddof=1) / len(own)
    return _corrected(counts, float((own.mean(axis=0) ** 2 - spread).sum()))


def _prevalence(counts: Array) -> Array:
    raters = counts.sum(axis=1, keepdims=True)
    result: Array = (counts[raters[:, 0] > 0] / raters[raters[:, 0] > 0]).mean(axis=0)
    return result


def _corrected(counts: Array, chance: float) -> float:
    """Agreement beyond chance; nan where chance alone agrees fully."""
    if not chance < 1:
        return float("nan")
    return (percent_agreement(counts) - chance) / (1 - chance)
