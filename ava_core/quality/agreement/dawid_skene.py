"""Dawid and Skene's estimate of what is true and how reliable each observer is (Appl. Stat. 28, 1979).

Each observer has a confusion matrix: how often they answer l where k is true. Expectation and maximisation take
turns until neither changes. Rows are patterns, not items: all items on which the same observers gave the same
answers share a row, so 150,000 people × 80 classes become some thousand rows. Many problems (one per class) are
solved side by side. What is learnt from the counted answers is a choice: by counting them, as Dawid and Skene do, or
by pooling them over observers (`pooling`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_ITERATIONS: Final = 100
TOLERANCE: Final = 1e-9
"""Largest change of a posterior at which the iteration ends."""

TWO_COIN: Final = np.array([[0.0, 0.0], [1.0, 1.0]])
"""Smoothing for yes/no classes: one invented answer of each kind where the truth is yes (Laplace). Yes is rare:
without it, an observer who never met a class has no sensitivity, and one answer decides it."""


@dataclass(frozen=True)
class Patterns:
    """N patterns of answers by at most S observers.

    `problem` `(N,)`; `observer` `(N, S)`, -1 where there is no answer; `answer` `(N, S)`, a category; `count`
    `(N,)`, items that show the pattern. `evidence` `(N, S)`: what the answers of a pattern count for when observers are
    judged, `count` each by default; `say` `(N, S)`: what each counts for when the truth is judged, 1 by default.
    """

    problem: Ints
    observer: Ints
    answer: Ints
    count: Array
    evidence: Array | None = None
    say: Array | None = None


@dataclass(frozen=True)
class Learnt:
    """`prior` `(Q, L)`; `confusion` `(Q, A, L, L)`: answer given truth, rows sum to 1; `log_prior` of the confusion."""

    prior: Array
    confusion: Array
    log_prior: float = 0.0


Learn = Callable[[Array, Array], Learnt]
"""From truths `(Q, L)` and answers `(Q, A, L, L)`, both counted with the chance that they are so."""


@dataclass(frozen=True)
class Estimated:
    """Q problems, A observers, L categories.

    `prior` `(Q, L)`; `confusion` `(Q, A, L, L)`: answer given truth; `posterior` `(N, L)` of each pattern;
    `objective`: log-likelihood, plus the smoothing's log-prior, after each iteration: by counting, it never falls.
    """

    prior: Array
    confusion: Array
    posterior: Array
    objective: list[float]


def by_counting(smoothing: Array) -> Learn:
    """Learn each observer's confusion of each problem alone. `smoothing` `(L, L)`: invented answers."""

    def learn(truths: Array, answers: Array) -> Learnt:
        confusion = _shares(answers + smoothing)
        smoothed = smoothing > 0
        invented = (np.log(confusion[..., smoothed]) * smoothing[smoothed]).sum()
        return Learnt(_shares(truths), confusion, float(invented))

    return learn


def dawid_skene(
    patterns: Patterns,
    *,
    problems: int,
    observers: int,
    categories: int = 2,
    smoothing: Array = TWO_COIN,
    learn: Learn | None = None,
    start: Learnt | None = None,
    most_iterations: int = MOST_ITERATIONS,
) -> Estimated:
    """Solve all problems: from each pattern's vote shares, or from what is thought of observers at the `start`.

    `learn`: how, `by_counting` with `smoothing` by default.
    """
    fit = _Fit(patterns, problems, observers, categories)
    learning = learn or by_counting(smoothing)
    posterior = fit.vote_shares() if start is None else fit.expect(start)[0]
    objective: list[float] = []
    for _ in range(most_iterations):
        before, (posterior, value) = posterior, fit.expect(learning(*fit.counted(posterior)))
        objective.append(value)
        if np.abs(posterior - before).max(initial=0) < TOLERANCE:
            break
    learnt = learning(*fit.counted(posterior))
    return Estimated(learnt.prior, learnt.confusion, posterior, objective)


class _Fit:
    """The two steps, with the indices that they share."""

    def __init__(self, patterns: Patterns, problems: int, observers: int, categories: int) -> None:
        self.patterns = patterns
        self.shape = (problems, observers, categories, categories)
        self.row, slot = np.nonzero(patterns.observer >= 0)
        self.given = patterns.answer[self.row, slot]
        who = patterns.problem[self.row] * observers + patterns.observer[self.row, slot]
        # Flat index into (Q, A, L, L) of what was answered, for each truth: (answers, L).
        self.cell = (who[:, None] * categories + np.arange(categories)) * categories + self.given[:, None]
        given = np.broadcast_to(patterns.count[:, None], patterns.observer.shape)
        self.evidence = (given if patterns.evidence is None else patterns.evidence)[self.row, slot]
        self.say = np.ones(len(self.row)) if patterns.say is None else patterns.say[self.row, slot]

    def vote_shares(self) -> Array:
        size = (len(self.patterns.count), self.shape[2])
        flat = np.bincount(self.row * size[1] + self.given, self.say, size[0] * size[1])
        return _shares(flat.reshape(size).astype(float))

    def counted(self, posterior: Array) -> tuple[Array, Array]:
        """Truths and answers, as `Learn` takes them."""
        problems, categories = self.shape[0], self.shape[2]
        weight = posterior * self.patterns.count[:, None]
        truths = np.stack(
            [np.bincount(self.patterns.problem, weight[:, k], problems) for k in range(categories)], 1
        )
        weight = posterior[self.row] * self.evidence[:, None]
        answers: Array = np.bincount(self.cell.ravel(), weight.ravel(), int(np.prod(self.shape))).astype(
            float
        )
        return truths.astype(float), answers.reshape(self.shape)

    def expect(self, learnt: Learnt) -> tuple[Array, float]:
        with np.errstate(divide="ignore"):
            log_prior, log_confusion = np.log(learnt.prior), np.log(learnt.confusion)
        joint = log_prior[self.patterns.problem]
        said = log_confusion.reshape(-1)[self.cell] * self.say[:, None]
        for k in range(self.shape[2]):
            joint[:, k] += np.bincount(self.row, said[:, k], len(joint))
        top = joint.max(axis=1, keepdims=True)
        scaled = np.exp(joint - top)
        total = scaled.sum(axis=1, keepdims=True)
        return scaled / total, float(self.patterns.count @ (np.log(total) + top)[:, 0]) + learnt.log_prior


def _shares(counts: Array) -> Array:
    """Each row as shares of its sum; even where there is nothing."""
    total = counts.sum(axis=-1, keepdims=True)
    even = np.full(counts.shape, 1 / counts.shape[-1])
    result: Array = np.divide(counts, total, out=even, where=total > 0)
    return result
