"""What holds, and who errs how: a model of each group of actions on a panel.

An exclusive group is one problem of many categories, a multi group one yes/no problem for each class; both are Dawid
and Skene's model (`dawid_skene`) whose confusions are pooled over the crew (`pooling`), from evidence in decisions
(`evidence`). What only one annotator rated teaches nothing about anybody: alone, everybody seems right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from ava_core.base.work.threads import side_by_side
from ava_core.quality.agreement.dawid_skene import Estimated, Patterns, dawid_skene
from ava_core.quality.agreement.doubt import unexplained
from ava_core.quality.agreement.evidence import decisions
from ava_core.quality.agreement.panel import Flags, Panel
from ava_core.quality.agreement.patterns import exclusive_patterns, multi_patterns
from ava_core.quality.agreement.pooling import (
    ALARMS,
    SENSITIVE,
    holding,
    of_two_coins,
    pool_exclusive,
    pool_multi,
)

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EVEN = 0.5
"""Chance from which a label of a multi group holds; it is what is left of a chance in full doubt."""

OF_TWO = 0.5
"""Where most is rated by two: how much of what the model takes one answer to be likelier than the other is believed.
That the two differ does not tell which of them errs more often; on planted batches .4 to .6 is right."""

SHARED_ERROR = 0.02
"""Share of answers on which everybody errs alike, of which votes know nothing: no chance that a label holds is
thought to be higher than what is left."""


@dataclass(frozen=True)
class LabelEstimate:
    """`posterior` `(n,)`: chance that each class that somebody named holds, in the order of `Panel.named`; `unnamed`
    `(P, G)`: labels that hold though nobody named them, as expected; `known` `(A,)`: decisions of each annotator that
    others rated too; `sensitivity` and `false_alarms` `(A,)`: share of the labels that hold, and that don't, which the
    annotator named, over all classes together; nan where nothing is known."""

    posterior: Array
    unnamed: Array
    known: Array
    sensitivity: Array
    false_alarms: Array


def estimate_labels(panel: Panel, say: Array | None = None) -> LabelEstimate:
    """Fit every group of a panel. `say` `(clips, K)`: what the answers of a slot count for, 1 by default."""
    evidence = decisions(panel)
    named = panel.named
    posterior, unnamed = np.zeros(len(named.place)), np.zeros(panel.raters.shape)
    sums = np.zeros((5, len(panel.annotators)))
    rows = [
        np.flatnonzero(panel.group_of[named.column] == number) for number in range(len(panel.ontology.groups))
    ]
    fits = side_by_side(
        partial(
            _exclusive if group.kind == "exclusive" else _multi,
            panel, number, rows[number], evidence[:, :, number], say,
        )
        for number, group in enumerate(panel.ontology.groups)
    )  # fmt: skip
    for number, (chance, left, rates) in enumerate(fits):
        posterior[rows[number]], unnamed[:, number] = chance, left
        sums += rates
    right, positive, wrong, negative, known = sums
    return LabelEstimate(
        posterior * (1 - SHARED_ERROR), unnamed, known, _ratio(right, positive), _ratio(wrong, negative)
    )


def _exclusive(
    panel: Panel, group: int, at: Ints, evidence: Array, say: Array | None
) -> tuple[Array, Array, Array]:
    """Posteriors of the rows `at` of `named`, `unnamed` `(P,)`, and the sums of `_sums_of_categories`."""
    columns = np.flatnonzero(panel.group_of == group)
    patterns, row = exclusive_patterns(panel, group, columns, evidence, say)
    given = patterns.observer >= 0
    votes = np.bincount(patterns.answer[given], _of(patterns)[given], len(columns)).astype(float)
    raters = given.sum(axis=1)
    two = patterns.count[raters == 2].sum() > patterns.count[raters > 2].sum()
    found = dawid_skene(
        _where_several(patterns), problems=1, observers=len(panel.annotators), categories=len(columns),
        learn=pool_exclusive(votes, mostly_two=bool(two)),
    )  # fmt: skip
    chance = found.posterior[row]
    place = panel.named.place[at]
    posterior = chance[place, np.searchsorted(columns, panel.named.column[at])]
    rated = panel.raters[:, group] > 0
    said = np.bincount(place, posterior, len(rated))
    left = np.where(rated, 1.0, 0.0) - said
    if two:
        mean = (said / np.maximum(np.bincount(place, minlength=len(rated)), 1))[place]
        posterior = mean + OF_TWO * (posterior - mean)
    return posterior, np.clip(left, 0, None), _sums_of_categories(patterns, found, len(panel.annotators))


def _multi(
    panel: Panel, group: int, at: Ints, evidence: Array, say: Array | None
) -> tuple[Array, Array, Array]:
    """As `_exclusive`."""
    columns = np.flatnonzero(panel.group_of == group)
    patterns, row, silent = multi_patterns(panel, group, columns, at, evidence, say)
    share = np.where(patterns.observer >= 0, patterns.answer, 0).sum(axis=1) / np.maximum(
        (patterns.observer >= 0).sum(axis=1), 1
    )
    rate = holding(_counted(patterns.problem, patterns.count, share, len(columns)))
    observers = len(panel.annotators)
    start = of_two_coins(rate, np.full(observers, SENSITIVE), np.full(observers, ALARMS))
    several = _where_several(patterns)
    found = dawid_skene(several, problems=len(columns), observers=observers, learn=pool_multi, start=start)
    holds = found.posterior[:, 1]
    quiet = holds[silent.row]  # (ways, classes): nobody named the class
    unnamed = quiet.sum(axis=1)[silent.of_place]
    column = np.searchsorted(columns, panel.named.column[at])
    place = panel.named.place[at]
    unnamed -= np.bincount(place, quiet[silent.of_place[place], column], len(unnamed))
    unnamed = np.where(panel.raters[:, group] > 0, np.clip(unnamed, 0, None), 0.0)
    chance = holds[row]
    disputed = panel.named.yes[at] < panel.raters[place, group]
    doubt = np.where(disputed & (chance > EVEN), unexplained(several, found)[column], 0.0)
    chance = EVEN + (chance - EVEN) * (1 - doubt)
    return chance, unnamed, _sums_of_classes(patterns, found, observers)


def _of(patterns: Patterns) -> Array:
    assert patterns.evidence is not None
    return patterns.evidence


def _where_several(patterns: Patterns) -> Patterns:
    """The same without evidence about who rated alone; that of people who share a vote is shared out too."""
    say = np.ones(patterns.observer.shape) if patterns.say is None else patterns.say
    return replace(patterns, evidence=np.where(_several(patterns), _of(patterns) * say, 0.0))


def _several(patterns: Patterns) -> Flags:
    """Whether the raters of a pattern have two votes or more `(N, 1)`."""
    say = 1.0 if patterns.say is None else patterns.say
    votes = np.where(patterns.observer >= 0, say, 0.0).sum(axis=1, keepdims=True)
    flags: Flags = votes > 2 - 1e-9
    return flags


def _counted(problem: Ints, count: Array, share: Array, problems: int) -> Array:
    return np.stack(
        [np.bincount(problem, count * (1 - share), problems), np.bincount(problem, count * share, problems)],
        axis=1,
    )


def _answers(patterns: Patterns) -> tuple[Ints, Ints, Ints, Array]:
    """Row, annotator, answer and evidence of each answer of a pattern that several gave."""
    row, slot = np.nonzero((patterns.observer >= 0) & _several(patterns))
    return row, patterns.observer[row, slot], patterns.answer[row, slot], _of(patterns)[row, slot]


def _sums_of_categories(patterns: Patterns, found: Estimated, observers: int) -> Array:
    """`(5, A)`: what holds and was named, what holds, what was named and doesn't hold, what doesn't hold, decisions."""
    row, who, said, weight = _answers(patterns)
    right = np.bincount(who, weight * found.posterior[row, said], observers)
    every = np.bincount(who, weight, observers)
    others = found.posterior.shape[1] - 1
    return np.stack([right, every, every - right, every * others, every])


def _sums_of_classes(patterns: Patterns, found: Estimated, observers: int) -> Array:
    """As `_sums_of_categories`."""
    row, who, said, weight = _answers(patterns)
    holds = found.posterior[row, 1]
    parts = [weight * holds * said, weight * holds, weight * (1 - holds) * said, weight * (1 - holds)]
    sums = [np.bincount(who, part, observers) for part in parts]
    return np.stack([*sums, (sums[1] + sums[3]) / max(found.prior.shape[0], 1)])


def _ratio(part: Array, whole: Array) -> Array:
    result: Array = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return result
