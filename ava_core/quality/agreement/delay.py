"""Who notices a change late: answers that annotators changed at different seconds, though they saw one change.

An action that begins or ends does so at one second. Some notice it a second later, always or at times; hardly anybody
notices it before it happens. From how far apart annotators change the same answer about the same person it is
estimated how often each is late or early, and so when each change happened (expectation and maximisation, each
annotator's shares pooled with what is thought of everybody). What was changed late counts from when it happened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
import os
from typing import Final

import numpy as np
import numpy.typing as npt

from ava_core.quality.agreement.panel import Flags, Panel

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FARTHEST: Final = 2
"""Seconds by which a change is noticed late or early at most; what lies farther apart are two changes."""

DELAYS: Final = np.arange(-FARTHEST, FARTHEST + 1)

THOUGHT: Final = np.array([0.002, 0.008, 0.85, 0.12, 0.02])
"""Shares of `DELAYS` that everybody is thought to have at the start: late at times, early hardly ever."""

STRENGTH: Final = 10.0
"""Changes that what is thought counts for in what is estimated of somebody."""

STEPS: Final = 50
UNSURE = -9
KAP=float(os.environ.get('KAP','.05'))
TOO_FAR = -20.0
SURE = float(os.environ.get('SURE','.9'))
if 'TH' in os.environ: THOUGHT = np.array(eval(os.environ['TH']))
if 'ST' in os.environ: STRENGTH=float(os.environ['ST'])


@dataclass(frozen=True)
class Changes:
    """Answers that somebody changed, n of them: `place` at which the new one begins, `slot`, `column` and whether
    the class is `on` from there; `event` `(n,)`, of those who changed the same at about the same time."""

    place: Ints
    slot: Ints
    column: Ints
    on: Flags
    event: Ints


def aligned(panel: Panel) -> Panel:
    """The panel with every change where it happened rather than where each noticed it."""
    found = _changes(panel)
    if not len(found.place):
        return panel
    first = np.full(found.event[-1] + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, found.event, panel.second[found.place])
    after = panel.second[found.place] - first[found.event]
    who = panel.who[found.place, found.slot]
    happened = _happened(after, who, found.event, len(panel.annotators))
    happened = happened[found.event]
    return _moved(panel, found, np.where(happened == UNSURE, 0, np.maximum(after - happened, 0)))


def _changes(panel: Panel) -> Changes:
    """What is told by the rows of `named`, and by those a second before where a class goes off."""
    named, classes = panel.named, len(panel.action_ids)
    key = named.place * classes + named.column
    group = panel.group_of[named.column]
    exclusive = np.array([each.kind == "exclusive" for each in panel.ontology.groups])
    parts = []
    for on in (True, False):
        step = -1 if on else 1
        at = np.minimum(np.searchsorted(key, key + step * classes), len(key) - 1)
        other = np.where((key[at] == key + step * classes)[:, None], named.votes[at], False)
        row, slot = np.nonzero(named.votes & ~other)
        place = named.place[row] + (0 if on else 1)
        inside = place < len(panel.second)
        row, slot, place = row[inside], slot[inside], place[inside]
        both = panel.follows[place] & panel.rated[place, slot, group[row]] & panel.rated[place - 1, slot, group[row]]
        if not on:
            both &= ~exclusive[group[row]]  # there the new answer tells all
        parts.append((place[both], slot[both], named.column[row][both], np.full(both.sum(), on)))
    place, slot, column, turned = (np.concatenate(each) for each in zip(*parts, strict=True))
    kind = (panel.tube[place] * classes + column) * 2 + turned
    order = np.lexsort((slot, panel.second[place], kind))
    place, slot, column, turned, kind = place[order], slot[order], column[order], turned[order], kind[order]
    apart = (np.diff(kind, prepend=-1) != 0) | (np.diff(panel.second[place], prepend=-99) > FARTHEST)
    event = np.cumsum(apart) - 1
    return Changes(place, slot, column, turned, event)


def _happened(after: Ints, who: Ints, event: Ints, annotators: int) -> Ints:
    """Seconds after its first change at which each event happened; `UNSURE` where that is in doubt."""
    several = np.bincount(event)[event] > 1
    shares = np.tile(THOUGHT, (annotators, 1))
    for _ in range(STEPS):
        chance, cell = _chances(after, who, event, shares, 0)
        weight = np.where((cell >= 0) & several[:, None], chance[event], 0.0)
        counted = np.bincount(np.maximum(cell, 0).ravel(), weight.ravel(), shares.size).reshape(shares.shape)
        before, shares = shares, (counted + STRENGTH * THOUGHT) / (counted.sum(axis=1, keepdims=True) + STRENGTH)
        if np.abs(shares - before).max() < 1e-6:
            break
    global LAST; LAST = shares
    chance, _ = _chances(after, who, event, shares, KAP)
    result: Ints = np.where(chance.max(axis=1) >= SURE, DELAYS[chance.argmax(axis=1)], UNSURE)
    return result


def _chances(after: Ints, who: Ints, event: Ints, shares: Array, kappa: float) -> tuple[Array, Ints]:
    """Chance that each event happened `when` seconds after its first change; the cell of `shares` that tells how
    likely each change is then, -1 where it would be too far off."""
    delay = after[:, None] - DELAYS + FARTHEST
    cell = np.where((delay >= 0) & (delay < len(DELAYS)), who[:, None] * len(DELAYS) + delay, -1)
    told = np.where(cell >= 0, np.log(shares.ravel()[cell] * (1 - kappa) + kappa / len(DELAYS)), TOO_FAR)
    chance = np.stack([np.bincount(event, column) for column in told.T], axis=1)
    chance = np.exp(chance - chance.max(axis=1, keepdims=True))
    return chance / chance.sum(axis=1, keepdims=True), cell


def _moved(panel: Panel, found: Changes, late: Ints) -> Panel:
    """Changes `late` by some seconds (early, below 0) put where they belong."""
    votes = panel.votes.copy()
    group_of = panel.group_of
    for seconds in DELAYS[DELAYS != 0]:
        own = np.flatnonzero(late == seconds)
        for step in range(abs(seconds)):
            place = found.place[own] - 1 - step if seconds > 0 else found.place[own] + step
            ok = (place >= 0) & (place < len(panel.second))
            place_, slot, column, on = place[ok], found.slot[own][ok], found.column[own][ok], found.on[own][ok]
            ok = (panel.tube[place_] == panel.tube[found.place[own][ok]]) & panel.rated[place_, slot, group_of[column]]
            place_, slot, column, on = place_[ok], slot[ok], column[ok], on[ok]
            source = place_ + 1 + step if seconds > 0 else place_ - 1 - step
            for number, group in enumerate(panel.ontology.groups):
                mine = group_of[column] == number
                if group.kind == "exclusive":
                    columns = np.flatnonzero(group_of == number)
                    votes[place_[mine, None], slot[mine, None], columns] = panel.votes[source[mine, None], slot[mine, None], columns]
                else:
                    votes[place_[mine], slot[mine], column[mine]] = on[mine] if seconds > 0 else ~on[mine]
    return replace(panel, votes=votes)
