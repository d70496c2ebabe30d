"""Blind audit of approved items: what a simple random sample says about all of them.

Nobody who checks knows what was decided. None wrong of n bounds the error rate at about 3 / n with 95 % confidence
(the rule of three; Hanley & Lippman-Hand, JAMA 249, 1983); the exact bound is Clopper and Pearson's (1934).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from ava_core.base.errors import InputError

CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class AuditBound:
    """`rate`: wrong share of the sample; `bound`: the error rate that is not exceeded with `confidence`, null
    where nothing was checked; `sentence` says it in words."""

    checked: int
    wrong: int
    rate: float | None
    bound: float | None
    confidence: float
    sentence: str


def audit_bound(wrong: int, checked: int, confidence: float = CONFIDENCE) -> AuditBound:
    """One-sided upper bound of the error rate of all items from a simple random sample of them.

    Raises `InputError` for impossible counts.
    """
    if not 0 <= wrong <= checked:
        raise InputError(f"{wrong} of {checked} checked items cannot be wrong.", "Check the counts.")
    if checked == 0:
        return AuditBound(0, 0, None, None, confidence, "No items were checked, so there is no bound.")
    from scipy.stats import beta

    bound = 1.0 if wrong == checked else float(beta.ppf(confidence, wrong + 1, checked - wrong))
    sentence = (
        f"{wrong} of {checked} items, drawn at random, were wrong: with {confidence:.0%} confidence "
        f"at most {bound:.1%} of all are."
    )
    return AuditBound(checked, wrong, wrong / checked, bound, confidence, sentence)


def audit_size(rate: float, confidence: float = CONFIDENCE) -> int:
    """Items to check so that none wrong bounds the error rate at `rate` (0 … 1): 59 for 5 %."""
    if not 0 < rate < 1:
        raise InputError(f"An error rate of {rate} cannot be audited.", "Give one between 0 and 1.")
    return math.ceil(math.log(1 - confidence) / math.log(1 - rate))


def audit_sample(items: pl.DataFrame, size: int, *, seed: int) -> pl.DataFrame:
    """A simple random sample of `size` rows (all where there are fewer), in an order that tells nothing.

    The same items, in whatever order, and the same seed give the same sample.
    """
    ordered = items.sort(pl.all())
    chosen = np.random.default_rng(seed).permutation(ordered.height)[:size]
    return ordered[chosen]
