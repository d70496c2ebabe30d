"""What is learnt of somebody of whom little is seen: partial pooling over a crew.

Few decisions say little about a person, many say nearly everything. So each annotator is thought to be like the
crew, as if that had been seen in so many decisions, until own decisions outweigh it. In an exclusive group the crew
shares what is confused with what, and annotators differ in how often they err. In a multi group an annotator has one
sensitivity for all classes, and false alarms in proportion to how often a class holds.

Votes alone can't tell somebody who sees everything and invents much from somebody who overlooks and invents little
where only two rate, so one thing is assumed: a crew overlooks more than it invents (`INVENTS`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ava_core.quality.agreement.dawid_skene import Learn, Learnt

Array = npt.NDArray[np.float64]

COMPETENCE: Final = 8.0
"""Decisions that the crew's mean counts for in an annotator's competence. Like the numbers below it was chosen on
planted batches of several kinds (`benchmarks.consensus`); half or twice of it changes the results little."""

CONFUSION: Final = 60.0
"""Decisions that the crew's confusion counts for in each row of an annotator's own."""

CONFUSION_OF_TWO: Final = 20.0
"""The same where most is rated by two, who look alike from their votes alone unless they may differ."""

CLASS_ERROR: Final = 20.0
"""Decisions that the mean over classes counts for in how hard a class of an exclusive group is."""

CREW: Final = 30.0
"""Decisions that what is thought at the start counts for in the crew's mean."""

RIGHT: Final = 2 / 3
"""Share of right answers in an exclusive group that a crew is thought to give at the start."""

SENSITIVE: Final = 0.8
"""The same of a multi group: share of what holds that is named."""

ALARMS: Final = 0.1
"""The same: false alarms of a class, in shares of how often it holds."""

HOLDS: Final = 0.05
"""The same: share of people and seconds at which a class holds."""

CLASS: Final = 2.0
"""Decisions that the mean over classes counts for in how often a class holds."""

INVENTS: Final = 0.4
"""False alarms of the typical annotator are at most this share of what is overlooked."""

EXTREME: Final = 0.02
"""Nobody is thought to be surer or less sure than this."""


def pool_exclusive(votes: Array, *, mostly_two: bool) -> Learn:
    """Learn an exclusive group of L actions as one problem. `votes` `(L,)`: decisions for each."""
    size = len(votes)
    base = (votes + 1) / (votes.sum() + size)
    strength = CONFUSION_OF_TWO if mostly_two else CONFUSION
    other = 1 - np.eye(size)

    def learn(truths: Array, answers: Array) -> Learnt:
        own = answers[0]
        right, given = np.trace(own, axis1=1, axis2=2), own.sum(axis=(1, 2))
        crew = np.tensordot(_at_most_usual(given), own, axes=1)
        mean = (np.trace(crew) + CREW * RIGHT) / (crew.sum() + CREW)
        each = (right + CREW * mean) / (given + CREW)
        typical = np.average(each, weights=np.minimum(given, 10)) if given.any() else mean
        competence = (right + COMPETENCE * typical) / (given + COMPETENCE)
        hard = 1 - (np.diag(crew) + CLASS_ERROR * mean) / (crew.sum(axis=1) + CLASS_ERROR)
        keeps = np.clip(1 - (1 - competence)[:, None] * hard / (1 - mean), EXTREME, 1 - EXTREME / 2)
        thought = (1 - keeps)[:, :, None] * _taken_for(crew, base, other)
        thought[:, np.arange(size), np.arange(size)] = keeps
        confusion = (own + strength * thought) / (own.sum(axis=2, keepdims=True) + strength)
        prior = (truths + base) / (truths.sum() + 1)
        return Learnt(prior, confusion[None])

    return learn


def _at_most_usual(given: Array) -> Array:
    """What the decisions of each annotator count for in the crew's: who changes the answer at every second, as somebody
    who guesses does, does not tell more than the others what is confused with what."""
    usual = float(np.median(given[given > 0])) if (given > 0).any() else 0.0
    return np.divide(usual, given, out=np.ones(len(given)), where=given > usual)


def _taken_for(crew: Array, base: Array, other: Array) -> Array:
    """What each action is taken for where it is mistaken `(L, L)`, rows sum to 1 (0 where there is no other action)."""
    guess = base * other
    guess = guess / np.maximum(guess.sum(axis=1, keepdims=True), 1e-12)
    taken = crew * other + guess
    result: Array = taken / np.maximum(taken.sum(axis=1, keepdims=True), 1e-12)
    return result


def pool_multi(truths: Array, answers: Array) -> Learnt:
    """Learn a multi group of Q classes, each a yes/no problem."""
    rate = holding(truths)
    expected = (answers[:, :, 0].sum(axis=2) * rate[:, None]).sum(axis=0)  # false alarms of a guesser
    missed, named = answers[:, :, 1, 0].sum(axis=0), answers[:, :, 1, 1].sum(axis=0)
    alarms = answers[:, :, 0, 1].sum(axis=0)
    crew_named = (named.sum() + CREW * SENSITIVE) / (named.sum() + missed.sum() + CREW)
    crew_alarms = (alarms.sum() + CREW * ALARMS) / (expected.sum() + CREW)
    sensitivity = (named + COMPETENCE * crew_named) / (named + missed + COMPETENCE)
    scale = (alarms + COMPETENCE * crew_alarms) / (expected + COMPETENCE)
    seen = np.minimum(named + missed, 50.0)
    most = INVENTS * (1 + _typical(-sensitivity, seen))
    scale = scale * min(1.0, most / _typical(scale, seen))
    return of_two_coins(rate, sensitivity, scale)


def holding(truths: Array) -> Array:
    """How often each class holds `(Q,)`, of truths `(Q, 2)`: classes are thought to be like the mean one."""
    mean = (truths[:, 1].sum() + CREW * HOLDS) / (truths.sum() + CREW)
    rate: Array = np.clip((truths[:, 1] + CLASS * mean) / (truths.sum(axis=1) + CLASS), 1e-6, 0.9)
    return rate


def of_two_coins(rate: Array, sensitivity: Array, scale: Array) -> Learnt:
    """Classes that hold at a `rate` `(Q,)`; annotators with a `sensitivity` and a `scale` of false alarms `(A,)`."""
    named = np.broadcast_to(np.clip(sensitivity, EXTREME, 1 - EXTREME), (len(rate), len(sensitivity)))
    alarms = np.clip(scale * rate[:, None], 1e-5, 0.6)
    rows = np.stack([1 - alarms, alarms, 1 - named, named], axis=2)
    return Learnt(np.stack([1 - rate, rate], axis=1), rows.reshape(*named.shape, 2, 2))


def _typical(values: Array, weights: Array) -> float:
    """The weighted median; of two, the lower one: where half of a crew guesses, the other half is typical."""
    if not len(values):
        return 1.0
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    at = int(np.searchsorted(below, below[-1] / 2)) if below[-1] > 0 else len(order) // 2
    return float(values[order][at])
