"""Dawid and Skene's estimate of what is true and how reliable each observer is (Appl. Stat. 28, 1979).

Each observer has a confusion matrix: how often they answer l where k is true. Expectation and maximisation take
turns until neither changes. Rows are patterns, not items: all items on which the same observers gave the same
answers share a row with a count, so 150,000 people × 80 classes become some thousand rows. Many problems (one
per class) are solved side by side.
"""

from __future__ import annotations

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
    `(N,)`, items that show the pattern.
    """

    problem: Ints
    observer: Ints
    answer: Ints
    count: Array


@dataclass(frozen=True)
class Estimated:
    """Q problems, A observers, L categories.

    `prior` `(Q, L)`; `confusion` `(Q, A, L, L)`: answer given truth; `posterior` `(N, L)` of each pattern;
    `objective`: log-likelihood, plus the smoothing's log-prior, after each iteration: it never falls.
    """

    prior: Array
    confusion: Array
    posterior: Array
    objective: list[float]


def dawid_skene(
    patterns: Patterns,
    *,
    problems: int,
    observers: int,
    categories: int = 2,
    smoothing: Array = TWO_COIN,
    most_iterations: int = MOST_ITERATIONS,
) -> Estimated:
    """Solve all problems, starting at each pattern's vote shares. `smoothing` `(L, L)`: invented answers."""
    fit = _Fit(patterns, problems, observers, categories, smoothing)
    posterior = fit.vote_shares()
    objective: list[float] = []
    for _ in range(most_iterations):
        prior, confusion = fit.maximise(posterior)
        before, (posterior, value) = posterior, fit.expect(prior, confusion)
        objective.append(value)
        if np.abs(posterior - before).max(initial=0) < TOLERANCE:
            break
    prior, confusion = fit.maximise(posterior)
    return Estimated(prior, confusion, posterior, objective)


class _Fit:
    """The two steps, with the indices that they share."""

    def __init__(
        self, patterns: Patterns, problems: int, observers: int, categories: int, smoothing: Array
    ) -> None:
        self.patterns, self.smoothing = patterns, smoothing
        self.shape = (problems, observers, categories, categories)
        self.row, slot = np.nonzero(patterns.observer >= 0)
        self.given = patterns.answer[self.row, slot]
        who = patterns.problem[self.row] * observers + patterns.observer[self.row, slot]
        # Flat index into (Q, A, L, L) of what was answered, for each truth: (answers, L).
        self.cell = (who[:, None] * categories + np.arange(categories)) * categories + self.given[:, None]

    def vote_shares(self) -> Array:
        size = (len(self.patterns.count), self.shape[2])
        flat = np.bincount(self.row * size[1] + self.given, minlength=size[0] * size[1])
        shares = flat.reshape(size).astype(float)
        total = shares.sum(axis=1, keepdims=True)
        result: Array = np.divide(shares, total, out=np.full_like(shares, 1 / size[1]), where=total > 0)
        return result

    def maximise(self, posterior: Array) -> tuple[Array, Array]:
        problems, categories = self.shape[0], self.shape[2]
        weight = posterior * self.patterns.count[:, None]
        prior = np.stack(
            [np.bincount(self.patterns.problem, weight[:, k], problems) for k in range(categories)], 1
        )
        total = prior.sum(axis=1, keepdims=True)
        prior = np.divide(prior, total, out=np.full(prior.shape, 1 / categories), where=total > 0)
        cells = np.bincount(self.cell.ravel(), weight[self.row].ravel(), int(np.prod(self.shape)))
        confusion = cells.reshape(self.shape) + self.smoothing
        total = confusion.sum(axis=3, keepdims=True)
        confusion = np.divide(confusion, total, out=np.full(confusion.shape, 1 / categories), where=total > 0)
        return prior, confusion

    def expect(self, prior: Array, confusion: Array) -> tuple[Array, float]:
        with np.errstate(divide="ignore"):
            log_prior, log_confusion = np.log(prior), np.log(confusion)
        joint = log_prior[self.patterns.problem]
        said = log_confusion.reshape(-1)[self.cell]
        for k in range(self.shape[2]):
            joint[:, k] += np.bincount(self.row, said[:, k], len(joint))
        top = joint.max(axis=1, keepdims=True)
        scaled = np.exp(joint - top)
        total = scaled.sum(axis=1, keepdims=True)
        smoothed = self.smoothing > 0
        value = float(self.patterns.count @ (np.log(total) + top)[:, 0])
        value += float((log_confusion[..., smoothed] * self.smoothing[smoothed]).sum())
        return scaled / total, value
