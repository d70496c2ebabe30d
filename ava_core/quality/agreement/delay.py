"""Who notices a change late: what an annotator changed late counts from when it happened.

An action begins and ends at one second. Some notice it a second later, always or at times; hardly anybody notices it
before. How far apart annotators change the same answer about the same person shows how often each is late or early,
and so when each change happened (expectation and maximisation; of whom little is seen, what is thought of everybody).
Votes alone can't tell two who are always late from one who is always early: the second is thought to be far rarer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ava_core.quality.agreement.panel import Flags, Panel

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FARTHEST: Final = 2
"""Seconds by which a change is noticed late or early at most. Changes farther apart are two."""

DELAYS: Final = np.arange(-FARTHEST, FARTHEST + 1)

THOUGHT: Final = np.array([0.0005, 0.002, 0.8575, 0.12, 0.02])
"""Shares of changes with each of `DELAYS` that everybody is thought to have: late at times, early hardly ever."""

STRENGTH: Final = 10.0
"""Changes that what is thought counts for in what is estimated of somebody."""

UNRELATED: Final = 0.05
"""Share of changes that lie near another one by chance, at any distance."""

SURE: Final = 0.9
"""Chance from which it is known when a change happened; below it, answers stay as they are."""

STEPS: Final = 50
STILL: Final = 1e-6
"""Steps, and the change of a share, at which the search ends."""

UNKNOWN: Final = 99

TOO_FAR: Final = -20.0
"""Log-likelihood of a change beyond `FARTHEST`."""


@dataclass(frozen=True)
class _Changes:
    """Answers that somebody changed, n of them: `place` where the new one begins, `slot`, `column`, whether the class
    is `on` from there; `event` `(n,)`, ascending: the same change of a person, noticed at about the same time."""

    place: Ints
    slot: Ints
    column: Ints
    on: Flags
    event: Ints


def aligned(panel: Panel) -> Panel:
    """The panel with every change that was noticed late where it happened."""
    found = _changes(panel)
    if not len(found.place):
        return panel
    second = panel.second[found.place]
    starts = np.flatnonzero(np.diff(found.event, prepend=-1))
    after = second - second[starts][found.event]  # its event's first change
    noticed = np.full((len(starts), panel.crew.shape[1]), -1, np.int16)
    noticed[found.event, found.slot] = after
    crew = panel.who[found.place[starts]]
    # Few ways in which few crews notice a change stand for all.
    rows = np.ascontiguousarray(np.concatenate([noticed, crew.astype(np.int16)], axis=1))
    _, first, way, count = np.unique(
        rows.view(np.dtype((np.void, rows.strides[0])))[:, 0],
        return_index=True, return_inverse=True, return_counts=True,
    )  # fmt: skip
    happened = _happened(noticed[first].astype(np.int64), crew[first], count, len(panel.annotators))[way]
    late = np.clip(after - happened[found.event], 0, FARTHEST)
    return _moved(panel, found, np.where(happened[found.event] == UNKNOWN, 0, late))


def _changes(panel: Panel) -> _Changes:
    """Classes that go on; of multi groups those that go off too: in an exclusive one the new answer tells all."""
    named, classes = panel.named, len(panel.action_ids)
    group = panel.group_of[named.column]
    multi = np.array([each.kind != "exclusive" for each in panel.ontology.groups])
    near = {step: panel.votes_beside(step) for step in (-2, -1, 1, 2)}
    parts = []
    for on in (True, False):
        back = -1 if on else 1
        turned = named.votes & near[-back] & ~near[back] & ~near[2 * back]
        row, slot = np.nonzero(turned)
        place = named.place[row] + (not on)
        inside = place < len(panel.second)
        row, slot, place = row[inside], slot[inside], place[inside]
        rated = panel.rated[place, slot, group[row]] & panel.rated[place - 1, slot, group[row]]
        kept = panel.follows[place] & rated & (on | multi[group[row]])
        parts.append((place[kept], slot[kept], named.column[row[kept]], np.full(int(kept.sum()), on)))
    place, slot, column, turned = (np.concatenate(each) for each in zip(*parts, strict=True))
    kind = (panel.tube[place] * classes + column) * 2 + turned
    order = np.lexsort((slot, panel.second[place], kind))
    place, kind = place[order], kind[order]
    apart = (np.diff(kind, prepend=-1) != 0) | (np.diff(panel.second[place], prepend=0) > FARTHEST)
    return _Changes(place, slot[order], column[order], turned[order], np.cumsum(apart) - 1)


def _happened(noticed: Ints, who: Ints, count: Ints, annotators: int) -> Ints:
    """Seconds after its first change at which each event happened `(n,)`, `UNKNOWN` where that is in doubt.

    `noticed`, `who` `(n, K)`: seconds after the first change at which each noticed it, -1 where one didn't; `count`.
    """
    delay = noticed[:, :, None] - DELAYS  # if the event happened so many seconds after its first change
    near = (noticed >= 0)[:, :, None] & (np.abs(delay) <= FARTHEST)
    cell = np.where(near, who[:, :, None] * len(DELAYS) + delay + FARTHEST, 0)
    far = (noticed >= 0)[:, :, None] & ~near
    shared = np.where((noticed >= 0).sum(axis=1) > 1, count, 0)[:, None, None]

    def chance(shares: Array) -> Array:
        told = np.where(near, np.log(shares.ravel()[cell]), np.where(far, TOO_FAR, 0.0)).sum(axis=1)
        likely = np.exp(told - told.max(axis=1, keepdims=True))
        result: Array = likely / likely.sum(axis=1, keepdims=True)
        return result

    shares = np.tile(THOUGHT, (annotators, 1))
    for _ in range(STEPS):
        weight = np.where(near, chance(shares)[:, None] * shared, 0.0)
        counted = np.bincount(cell.ravel(), weight.ravel(), shares.size).reshape(shares.shape)
        before, total = shares, counted.sum(axis=1, keepdims=True)
        shares = (counted + STRENGTH * THOUGHT) / (total + STRENGTH)
        if np.abs(shares - before).max(initial=0) < STILL:
            break
    known = chance((1 - UNRELATED) * shares + UNRELATED / len(DELAYS))
    when: Ints = np.where(known.max(axis=1) >= SURE, DELAYS[known.argmax(axis=1)], UNKNOWN)
    return when


def _moved(panel: Panel, found: _Changes, late: Ints) -> Panel:
    """The panel in which changes hold from so many seconds before."""
    votes = panel.votes.copy()
    for back in range(1, FARTHEST + 1):
        own = np.flatnonzero(late >= back)
        slot, column, from_ = found.slot[own], found.column[own], found.place[own]
        place = np.maximum(from_ - back, 0)
        group = panel.group_of[column]
        kept = (panel.tube[place] == panel.tube[from_]) & (panel.second[from_] - panel.second[place] == back)
        kept &= panel.rated[place, slot, group]
        for number, each in enumerate(panel.ontology.groups):
            at = np.flatnonzero(kept & (group == number))
            if each.kind == "exclusive":
                columns = np.flatnonzero(panel.group_of == number)
                said = panel.votes[from_[at, None], slot[at, None], columns]
                votes[place[at, None], slot[at, None], columns] = said
            else:
                votes[place[at], slot[at], column[at]] = found.on[own[at]]
    return replace(panel, votes=votes)
