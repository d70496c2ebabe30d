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

THOUGHT: Final = np.array([0.002, 0.008, 0.85, 0.12, 0.02])
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
    first = np.full(found.event[-1] + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, found.event, second)
    after = second - first[found.event]
    who = panel.who[found.place, found.slot]
    return _moved(panel, found, _late(after, who, found.event, len(panel.annotators)))


def _changes(panel: Panel) -> _Changes:
    """Classes that go on; of multi groups those that go off too: in an exclusive one the new answer tells all."""
    named, classes = panel.named, len(panel.action_ids)
    key, group = named.place * classes + named.column, panel.group_of[named.column]
    multi = np.array([each.kind != "exclusive" for each in panel.ontology.groups])
    parts = []
    for on in (True, False) if len(key) else ():
        beside = key + (-classes if on else classes)
        at = np.minimum(np.searchsorted(key, beside), len(key) - 1)
        row, slot = np.nonzero(named.votes & ~((key[at] == beside)[:, None] & named.votes[at]))
        place = np.minimum(named.place[row] + (not on), len(panel.second) - 1)
        rated = panel.rated[place, slot, group[row]] & panel.rated[place - 1, slot, group[row]]
        kept = (
            panel.follows[place] & rated & (on | multi[group[row]]) & (named.place[row] + (not on) == place)
        )
        parts.append((place[kept], slot[kept], named.column[row[kept]], np.full(int(kept.sum()), on)))
    if not parts:
        none = np.zeros(0, np.int64)
        return _Changes(none, none, none, none > 0, none)
    place, slot, column, turned = (np.concatenate(each) for each in zip(*parts, strict=True))
    kind = (panel.tube[place] * classes + column) * 2 + turned
    order = np.lexsort((slot, panel.second[place], kind))
    place, kind = place[order], kind[order]
    apart = (np.diff(kind, prepend=-1) != 0) | (np.diff(panel.second[place], prepend=0) > FARTHEST)
    return _Changes(place, slot[order], column[order], turned[order], np.cumsum(apart) - 1)


def _late(after: Ints, who: Ints, event: Ints, annotators: int) -> Ints:
    """Seconds by which each change was noticed late `(n,)`; 0 where that is in doubt. `after`: its event's first."""
    shared = np.bincount(event)[event] > 1
    delay = after[:, None] - DELAYS  # if the event happened so many seconds after its first change
    near = np.abs(delay) <= FARTHEST
    cell = np.where(near, who[:, None] * len(DELAYS) + delay + FARTHEST, 0)
    shares = np.tile(THOUGHT, (annotators, 1))
    for _ in range(STEPS):
        weight = np.where(near & shared[:, None], _chance(shares, cell, near, event)[event], 0.0)
        counted = np.bincount(cell.ravel(), weight.ravel(), shares.size).reshape(shares.shape)
        before, total = shares, counted.sum(axis=1, keepdims=True)
        shares = (counted + STRENGTH * THOUGHT) / (total + STRENGTH)
        if np.abs(shares - before).max(initial=0) < STILL:
            break
    chance = _chance((1 - UNRELATED) * shares + UNRELATED / len(DELAYS), cell, near, event)
    happened = DELAYS[chance.argmax(axis=1)][event]
    sure = chance.max(axis=1)[event] >= SURE
    late: Ints = np.where(sure, np.clip(after - happened, 0, FARTHEST), 0)
    return late


def _chance(shares: Array, cell: Ints, near: Flags, event: Ints) -> Array:
    """Chance that each event happened `DELAYS` seconds after its first change `(events, D)`."""
    told = np.where(near, np.log(shares.ravel()[cell]), TOO_FAR)
    sums = np.stack([np.bincount(event, column) for column in told.T], axis=1)
    likely = np.exp(sums - sums.max(axis=1, keepdims=True))
    result: Array = likely / likely.sum(axis=1, keepdims=True)
    return result


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
