"""A group's answers as patterns: all places at which the same annotators said the same are one row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ava_core.quality.agreement.dawid_skene import Patterns
from ava_core.quality.agreement.panel import Panel

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Silent:
    """Patterns in which nobody named a class: `row` `(ways, classes)`, and the way in which each place was rated
    `(P,)`: by whom."""

    row: Ints
    of_place: Ints


def exclusive_patterns(
    panel: Panel, group: int, columns: Ints, evidence: Array, say: Array | None
) -> tuple[Patterns, Ints]:
    """Patterns of which category each annotator chose, and the pattern of each place `(P,)`."""
    answer = _choices(panel, group, columns)
    crews, crew = _crews(panel, say)
    key, size = crew.copy(), len(crews)
    for slot in range(answer.shape[1]):
        if size > 2**62 // (len(columns) + 1):
            unique, key = np.unique(key, return_inverse=True)
            key, size = key.reshape(-1), len(unique)
        key = key * (len(columns) + 1) + answer[:, slot] + 1
        size *= len(columns) + 1
    _, first, row = np.unique(key, return_index=True, return_inverse=True)
    row = row.reshape(-1)
    chosen = answer[first]
    patterns = _patterns(
        np.zeros(len(first), np.int64), np.where(chosen >= 0, panel.who[first], -1), np.maximum(chosen, 0),
        _sums(row, evidence, len(first)), _says(panel, say, crew[first], crews),
    )  # fmt: skip
    return patterns, row


def multi_patterns(
    panel: Panel, group: int, columns: Ints, at: Ints, evidence: Array, say: Array | None
) -> tuple[Patterns, Ints, Silent]:
    """Patterns of who said yes to a class; the pattern of each of the rows `at` of `panel.named`."""
    slots, classes = panel.crew.shape[1], len(columns)
    bit = 1 << np.arange(slots, dtype=np.int64)
    crews, crew = _crews(panel, say)
    asked = (crew << slots) | (panel.rated[:, :, group] @ bit)
    ways, of_place = np.unique(asked, return_inverse=True)
    of_place = of_place.reshape(-1)
    place, column = panel.named.place[at], np.searchsorted(columns, panel.named.column[at])
    key = ((of_place[place] * classes + column) << slots) | (panel.named.votes[at] @ bit)
    keys, row = np.unique(key, return_inverse=True)
    way, problem = (keys >> slots) // max(classes, 1), (keys >> slots) % max(classes, 1)
    told = _sums(row.reshape(-1), evidence[place], len(keys))
    # What is left of the places that the same annotators rated: nobody named the class.
    left = np.repeat(_sums(of_place, evidence, len(ways))[:, None], classes, axis=1)
    np.subtract.at(left, (way, problem), told)
    every_way = np.concatenate([way, np.repeat(np.arange(len(ways)), classes)])
    bits = np.concatenate([keys & ((1 << slots) - 1), np.zeros(len(ways) * classes, np.int64)])
    rated = (ways[every_way][:, None] & bit) > 0
    which = ways[every_way] >> slots
    patterns = _patterns(
        np.concatenate([problem, np.tile(np.arange(classes), len(ways))]),
        np.where(rated, _names(panel, crews)[which], -1), ((bits[:, None] & bit) > 0).astype(np.int64),
        np.concatenate([told, np.clip(left.reshape(len(ways) * classes, slots), 0, None)]),
        _says(panel, say, which, crews),
    )  # fmt: skip
    silent = len(keys) + np.arange(len(ways) * classes).reshape(len(ways), classes)
    return patterns, row.reshape(-1), Silent(silent, of_place)


def _patterns(problem: Ints, observer: Ints, answer: Ints, evidence: Array, say: Array | None) -> Patterns:
    """A pattern counts for as many items as its raters made decisions on it, in the mean."""
    raters = (observer >= 0).sum(axis=1)
    total = np.where(observer >= 0, evidence, 0).sum(axis=1)
    count = np.divide(total, raters, out=np.zeros(len(raters)), where=raters > 0)
    return Patterns(problem, observer, answer, count, evidence, say)


def _choices(panel: Panel, group: int, columns: Ints) -> Ints:
    """The category that each annotator chose `(P, K)`, -1 where there is none."""
    first = np.full(panel.rated.shape[:2], -1)
    at = np.flatnonzero(panel.group_of[panel.named.column] == group)[::-1]
    place, chosen = panel.named.place[at], np.searchsorted(columns, panel.named.column[at])
    for slot, said in enumerate(panel.named.votes[at].T):
        first[place[said], slot] = chosen[said]
    result: Ints = np.where(panel.rated[:, :, group], first, -1)
    return result


def _crews(panel: Panel, say: Array | None) -> tuple[Array, Ints]:
    """Different crews with what their answers count for, and the one of each place."""
    whole = panel.crew.astype(float) if say is None else np.concatenate([panel.crew, say], axis=1)
    crews, crew = np.unique(whole, axis=0, return_inverse=True)
    return crews, crew.reshape(-1)[panel.clip]


def _names(panel: Panel, crews: Array) -> Ints:
    return crews[:, : panel.crew.shape[1]].astype(np.int64)


def _says(panel: Panel, say: Array | None, crew: Ints, crews: Array) -> Array | None:
    return None if say is None else crews[crew, panel.crew.shape[1] :]


def _sums(row: Ints, evidence: Array, count: int) -> Array:
    sums = [np.bincount(row, column, count) for column in evidence.T]
    return np.stack(sums, axis=1) if sums else np.zeros((count, 0))
