"""Dawid and Skene's two-coin model on a panel: one sensitivity and one false-alarm rate per annotator and class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ava_core.quality.agreement.dawid_skene import Estimated, Patterns, dawid_skene
from ava_core.quality.agreement.panel import Panel

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LabelEstimate:
    """What Dawid–Skene makes of a panel: `row` is the pattern of each row of the panel's `named`."""

    patterns: Patterns
    row: Ints
    estimated: Estimated

    @property
    def posterior(self) -> Array:
        """Chance that each class that somebody named holds `(n,)`, in the order of `Panel.named`."""
        result: Array = self.estimated.posterior[self.row, 1]
        return result


def estimate_labels(panel: Panel) -> LabelEstimate:
    """Fit the two-coin model to everything that the panel's annotators rated."""
    patterns, row = vote_patterns(panel)
    estimated = dawid_skene(patterns, problems=len(panel.action_ids), observers=len(panel.annotators))
    return LabelEstimate(patterns, row, estimated)


def vote_patterns(panel: Panel) -> tuple[Patterns, Ints]:
    """One row for each class and way in which the same annotators voted on it; the row of each of `named`."""
    named, slots, classes = panel.named, panel.crew.shape[1], len(panel.action_ids)
    bit = 1 << np.arange(slots, dtype=np.int64)
    asked = _Asked(panel, bit)
    key = ((asked.of_place[named.place, panel.group_of[named.column]] * classes + named.column) << slots) | (
        named.votes @ bit
    )
    keys, row, count = np.unique(key, return_inverse=True, return_counts=True)
    who_asked, problem, bits = (
        (keys >> slots) // classes,
        (keys >> slots) % classes,
        keys & ((1 << slots) - 1),
    )

    # Patterns in which nobody named a class: what is left of the places that the same annotators rated.
    silent_asked, silent_class = np.nonzero(asked.group[:, None] == panel.group_of)
    left = asked.count[silent_asked].astype(float)
    cell = np.zeros((len(asked.count), classes), np.int64)
    cell[silent_asked, silent_class] = np.arange(len(left))
    np.subtract.at(left, cell[who_asked, problem], count)

    every = np.concatenate([who_asked, silent_asked])
    patterns = Patterns(
        problem=np.concatenate([problem, silent_class]),
        observer=asked.observer[every],
        answer=((np.concatenate([bits, np.zeros(len(left), np.int64)])[:, None] & bit) > 0).astype(np.int64),
        count=np.concatenate([count, left]),
    )
    return patterns, row


class _Asked:
    """Ways in which a group was rated: by whom. `of_place` `(P, G)`, and of each way its `group`, how many places
    show it (`count`), and the annotators who rated (`observer` `(ways, K)`, -1 for a slot that did not)."""

    def __init__(self, panel: Panel, bit: Ints) -> None:
        slots, groups = len(bit), panel.rated.shape[2]
        crews, crew_of_clip = np.unique(panel.crew, axis=0, return_inverse=True)
        crew = crew_of_clip.reshape(-1)[panel.clip]
        raters = np.zeros((len(crew), groups), np.int64)
        for slot in range(slots):
            raters |= panel.rated[:, slot] * bit[slot]
        key = ((crew[:, None] * groups + np.arange(groups)) << slots) | raters
        keys, of_place, self.count = np.unique(key, return_inverse=True, return_counts=True)
        self.of_place: Ints = of_place.reshape(key.shape)
        self.group: Ints = (keys >> slots) % max(groups, 1)
        rated = (keys[:, None] & bit) > 0
        self.observer: Ints = np.where(rated, crews[(keys >> slots) // max(groups, 1)], -1)


def annotator_rates(found: LabelEstimate, annotators: int) -> tuple[Array, Array]:
    """Sensitivity and false-alarm rate of each annotator over all classes together: `(A,)` each, nan where nothing
    is known. Only what two or more rated counts: alone, everybody seems right."""
    patterns = found.patterns
    several = (patterns.observer >= 0).sum(axis=1) >= 2
    row, slot = np.nonzero((patterns.observer >= 0) & several[:, None])
    who, said = patterns.observer[row, slot], patterns.answer[row, slot]
    rates = []
    for truth in (1, 0):
        weight = found.estimated.posterior[row, truth] * patterns.count[row]
        yes, every = (np.bincount(who, part, annotators) for part in (weight * said, weight))
        rates.append(np.divide(yes, every, out=np.full(annotators, np.nan), where=every > 0))
    return rates[0], rates[1]
