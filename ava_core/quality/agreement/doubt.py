"""Classes that are in doubt though votes look clear: others confirm them less often than the model predicts.

Everybody may take one action for another, each on their own. Two of three then name what doesn't hold, and a model to
which each class is like any other is sure of it. It shows where each answer is predicted from the others' answers: a
class whose answers differ more often than predicted is either hard to see or not there. Votes can't tell which: of what
is beyond prediction, a label holds as often as not. Few decisions say little about a class: what differs is shrunk by
how much classes differ beyond chance (DerSimonian and Laird, Controlled Clinical Trials 7, 1986).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ava_core.quality.agreement.dawid_skene import Estimated, Patterns

Array = npt.NDArray[np.float64]

BEST = 0.1
"""Share of the answers, those about the classes that are confirmed best, by which the others are measured."""

SIGNIFICANT = 2.0
"""Standard deviations by which classes must differ more than chance lets them before any is doubted."""


def unexplained(patterns: Patterns, found: Estimated) -> Array:
    """Share `(Q,)`, 0 to 1, of the answers that contradict another's yes that the model, and the classes that are
    confirmed best, leave unexplained; for each yes/no problem."""
    given = patterns.observer >= 0
    named = given & (patterns.answer == 1)
    row, slot = np.nonzero(given & (named.sum(axis=1, keepdims=True) - named > 0))  # somebody else said yes
    problem = patterns.problem[row]
    rates = found.confusion[patterns.problem[:, None], patterns.observer]  # (N, S, truth, answer)
    said = np.take_along_axis(rates, patterns.answer[:, :, None, None], axis=3)[..., 0]
    say = np.ones(given.shape) if patterns.say is None else patterns.say
    told = np.where(given[:, :, None], np.log(said) * say[:, :, None], 0.0)
    others = np.log(found.prior)[problem] + told.sum(axis=1)[row] - told[row, slot]
    holds = 1 / (1 + np.exp(others[:, 0] - others[:, 1]))
    yes = holds * rates[row, slot, 1, 1] + (1 - holds) * rates[row, slot, 0, 1]
    weight = patterns.count[row] if patterns.evidence is None else patterns.evidence[row, slot]
    told_by_truth = np.clip(rates[row, slot, 1, 1] - rates[row, slot, 0, 1], 0, 1)
    weight = weight * told_by_truth  # who guesses contradicts nobody
    size = found.prior.shape[0]
    asked, no, predicted, variance = (
        np.bincount(problem, weight * part, size).astype(float)
        for part in (np.ones(len(row)), 1 - patterns.answer[row, slot], 1 - yes, yes * (1 - yes))
    )
    excess = _beyond_chance(no - predicted, asked, variance)
    share: Array = np.divide(excess, no, out=np.zeros(size), where=no > 0)
    return np.clip(share, 0, 1)


def _beyond_chance(excess: Array, asked: Array, variance: Array) -> Array:
    """`excess` over that of the classes with the least, as far as classes differ beyond chance, of which it has this
    `variance`. `asked`: answers of each class."""
    result = np.zeros(len(excess))
    known = (asked > 0) & (variance > 0)
    rate, noise = excess[known] / asked[known], variance[known] / asked[known] ** 2
    usual = len(rate) + SIGNIFICANT * (2 * len(rate)) ** 0.5  # of a chi-square of as many degrees of freedom
    spread = float((rate**2 / noise).sum()) - usual
    if spread > 0:
        between = spread / float((1 / noise).sum())
        shrunk = rate * between / (between + noise)
        result[known] = (shrunk - _best(shrunk, asked[known])) * asked[known]
    return result


def _best(rate: Array, asked: Array) -> float:
    """The rate below which `BEST` of the answers are."""
    order = np.argsort(rate, kind="stable")
    below = np.cumsum(asked[order])
    return float(rate[order][np.searchsorted(below, BEST * below[-1])])
