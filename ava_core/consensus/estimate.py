"""Dawid and Skene's two-coin model on a panel: one sensitivity and one false-alarm rate per annotator and class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ava_core.agreement.panel import Panel
from ava_core.consensus.dawid_skene import Estimated, Patterns, dawid_skene

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PanelPatterns:
    """The panel's vote patterns and the pattern of each place and class `(P, C)`, -1 where nobody rated."""

    patterns: Patterns
    of_place: Ints


def vote_patterns(panel: Panel) -> PanelPatterns:
    """One row for each class and way in which the same annotators voted on it."""
    crews, crew_of_clip = np.unique(panel.crew, axis=0, return_inverse=True)
    slots, classes, groups = panel.crew.shape[1], len(panel.action_ids), panel.rated.shape[2]
    bit = 1 << np.arange(slots, dtype=np.int64)
    asked = (panel.rated * bit[:, None]).sum(axis=1)  # (P, G): who rated, as bits
    crew = crew_of_clip.reshape(-1)[panel.clip]
    key = ((crew[:, None] * groups + np.arange(groups)) << slots) | asked
    asked_keys, asked_of, asked_count = np.unique(key, return_inverse=True, return_counts=True)
    asked_of = asked_of.reshape(key.shape)

    place, column = np.nonzero(panel.yes)
    votes = (panel.votes[place, :, column] * bit).sum(axis=1)
    group = panel.group_of[column]
    key = ((asked_of[place, group] * classes + column) << slots) | votes
    keys, row, count = np.unique(key, return_inverse=True, return_counts=True)

    # Patterns in which nobody voted for a class: what is left of the items that the same annotators rated.
    silent_asked, silent_class = np.nonzero(
        ((asked_keys >> slots) % groups)[:, None] == panel.group_of[None, :]
    )
    left = np.zeros((len(asked_keys), classes))
    left[silent_asked, silent_class] = asked_count[silent_asked]
    np.subtract.at(left, ((keys >> slots) // classes, (keys >> slots) % classes), count)

    asked_id = np.concatenate([(keys >> slots) // classes, silent_asked])
    problem = np.concatenate([(keys >> slots) % classes, silent_class])
    bits = np.concatenate([keys & ((1 << slots) - 1), np.zeros(len(silent_asked), np.int64)])
    counts = np.concatenate([count, left[silent_asked, silent_class]])
    who_rated = (asked_keys[asked_id][:, None] & bit) > 0
    observer = np.where(who_rated, crews[(asked_keys[asked_id] >> slots) // groups], -1)
    patterns = Patterns(problem, observer, ((bits[:, None] & bit) > 0).astype(np.int64), counts)

    silent_row = np.full((len(asked_keys), classes), -1)
    silent_row[silent_asked, silent_class] = len(keys) + np.arange(len(silent_asked))
    of_place = silent_row[asked_of[:, panel.group_of], np.arange(classes)]
    of_place[place, column] = row
    return PanelPatterns(patterns, np.where(panel.raters[:, panel.group_of] > 0, of_place, -1))


@dataclass(frozen=True)
class LabelEstimate:
    """What Dawid–Skene makes of a panel."""

    patterns: PanelPatterns
    estimated: Estimated

    @cached_property
    def posterior(self) -> Array:
        """Chance that each class holds: `(P, C)`; nan where nobody rated it."""
        row = self.patterns.of_place
        result: Array = np.where(row >= 0, self.estimated.posterior[row, 1], np.nan)
        return result

    @property
    def sensitivity(self) -> Array:
        """Of the times a class holds, the share in which an annotator says so: `(C, A)`."""
        return self.estimated.confusion[:, :, 1, 1]

    @property
    def false_alarms(self) -> Array:
        """Of the times a class does not hold, the share in which an annotator says it does: `(C, A)`."""
        return self.estimated.confusion[:, :, 0, 1]


def estimate_labels(panel: Panel) -> LabelEstimate:
    """Fit the two-coin model to everything that the panel's annotators rated."""
    found = vote_patterns(panel)
    estimated = dawid_skene(found.patterns, problems=len(panel.action_ids), observers=len(panel.annotators))
    return LabelEstimate(found, estimated)
