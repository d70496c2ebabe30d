"""Who notices a change late, or early: what an annotator changed counts from when it happened.

An action begins and ends at one second. Some notice it a second later, always or at times; few press before it happens.
How far apart annotators change the same answer about the same person shows how often each is late or early, and so
when each change happened (expectation and maximisation; of whom little is seen, what is thought of everybody).

Where two are always a second behind the third, either those are late or that one is early. What they do where a person
is first and last seen tells: nobody late changes an answer in the first second, and nobody early in the last. So each
change must have happened while the person was there, and the search begins anew from "all but the first are late" and
"all but the last are early". Where several explanations are about as likely, only what all of them say is believed.
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

THOUGHT: Final = np.array([0.006, 0.03, 0.844, 0.1, 0.02])
"""Shares of changes with each of `DELAYS` that everybody is thought to have: late at times, early seldom."""

ALL_LATE: Final = np.array([0.0005, 0.002, 0.6, 0.35, 0.0475])
ALL_EARLY: Final = ALL_LATE[::-1]
"""Where the search begins anew: as if the first who changed an answer, or the last, were right about when."""

EVIDENT: Final = 10.0
"""Log-likelihood by which one explanation must be better than another before what it alone says is believed."""

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
    """The panel with every change that was noticed late, or early, where it happened."""
    found = _changes(panel)
    if not len(found.place):
        return panel
    second = panel.second[found.place]
    starts = np.flatnonzero(np.diff(found.event, prepend=-1))
    opened = second[starts]  # each event's first change
    after = second - opened[found.event]
    noticed = np.full((len(starts), panel.crew.shape[1]), -1, np.int16)
    noticed[found.event, found.slot] = after
    crew = panel.who[found.place[starts]]
    room = _room(panel, found.place[starts])
    # Few ways in which few crews notice a change stand for all.
    rows = np.ascontiguousarray(np.concatenate([noticed, crew, room], axis=1).astype(np.int16))
    _, first, way, count = np.unique(
        rows.view(np.dtype((np.void, rows.strides[0])))[:, 0],
        return_index=True, return_inverse=True, return_counts=True,
    )  # fmt: skip
    ways = noticed[first].astype(np.int64), crew[first], room[first], count
    happened = _happened(*ways, len(panel.annotators))[way]
    late = np.clip(after - happened[found.event], -FARTHEST, FARTHEST)
    return _moved(panel, found, np.where(happened[found.event] == UNKNOWN, 0, late))


def _changes(panel: Panel) -> _Changes:
    """Classes that go on; of multi groups those that go off too: in an exclusive one the new answer tells all."""
    named, classes = panel.named, len(panel.action_ids)
    group = panel.group_of[named.column]
    multi = np.array([each.kind != "exclusive" for each in panel.ontology.groups])
    near = {step: panel.votes_beside(step) for step in (-2, -1, 1, 2)}
    begins = np.diff(panel.tube, prepend=-1) != 0
    parts = []
    for on in (True, False):
        back = -1 if on else 1
        outermost = (np.roll(begins, -1) if on else begins)[named.place]  # nobody knows how long it lasts
        turned = named.votes & (near[-back] | outermost[:, None]) & ~near[back] & ~near[2 * back]
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


def _room(panel: Panel, place: Ints) -> Ints:
    """Seconds before and after each of some places at which the same person's answers could have changed `(n, 2)`, as
    far as they matter. At a person's first second nothing changes."""
    own = panel.tube[place]
    first, last = panel.tubes[own], np.append(panel.tubes[1:], len(panel.second))[own] - 1
    rest = np.stack(
        [panel.second[place] - panel.second[first] - 1, panel.second[last] - panel.second[place]], 1
    )
    room: Ints = np.clip(rest, 0, FARTHEST)
    return room


def _happened(noticed: Ints, who: Ints, room: Ints, count: Ints, annotators: int) -> Ints:
    """Seconds after its first change at which each event happened `(n,)`, `UNKNOWN` where that is in doubt.

    `noticed`, `who` `(n, K)`: seconds after the first change at which each noticed it, -1 where one didn't; `room`
    `(n, 2)`: seconds before and after it at which it could have happened; `count` `(n,)`.
    """
    possible = (room[:, :1] >= -DELAYS) & (room[:, 1:] >= DELAYS)
    delay = noticed[:, :, None] - DELAYS  # if the event happened so many seconds after its first change
    near = (noticed >= 0)[:, :, None] & (np.abs(delay) <= FARTHEST)
    cell = np.where(near, who[:, :, None] * len(DELAYS) + delay + FARTHEST, 0)
    far = (noticed >= 0)[:, :, None] & ~near
    telling = ((noticed >= 0).sum(axis=1) > 1) | ~possible.all(axis=1)
    shared = np.where(telling & (noticed.max(axis=1) <= FARTHEST), count, 0)

    def chance(shares: Array) -> tuple[Array, float]:
        told = np.where(near, np.log(shares.ravel()[cell]), np.where(far, TOO_FAR, 0.0)).sum(axis=1)
        told = np.where(possible, told, -np.inf)
        top = told.max(axis=1, keepdims=True)
        likely = np.exp(told - top)
        total = likely.sum(axis=1, keepdims=True)
        return likely / total, float(shared @ (np.log(total) + top)[:, 0])

    def fitted(start: Array) -> tuple[float, Array]:
        shares = np.tile(start, (annotators, 1))
        for _ in range(STEPS):
            weight = np.where(near, chance(shares)[0][:, None] * shared[:, None, None], 0.0)
            counted = np.bincount(cell.ravel(), weight.ravel(), shares.size).reshape(shares.shape)
            before, total = shares, counted.sum(axis=1, keepdims=True)
            shares = (counted + STRENGTH * THOUGHT) / (total + STRENGTH)
            if np.abs(shares - before).max(initial=0) < STILL:
                break
        blurred = (1 - UNRELATED) * shares + UNRELATED / len(DELAYS)
        return chance(blurred)[1] + float((STRENGTH * THOUGHT * np.log(shares)).sum()), blurred

    def known(shares: Array) -> Ints:
        each, _ = chance(shares)
        when: Ints = np.where(each.max(axis=1) >= SURE, DELAYS[each.argmax(axis=1)], UNKNOWN)
        return when

    found = [fitted(start) for start in (THOUGHT, ALL_LATE, ALL_EARLY)]
    best = max(support for support, _ in found)
    told = np.stack([known(shares) for support, shares in found if support > best - EVIDENT])
    return np.where((told == told[0]).all(axis=0), told[0], UNKNOWN)


def _moved(panel: Panel, found: _Changes, late: Ints) -> Panel:
    """The panel in which changes hold from so many seconds before, or after where that is negative."""
    votes = panel.votes.copy()
    for by in (step for step in DELAYS.tolist() if step):
        own = np.flatnonzero(late >= by if by > 0 else late <= by)
        slot, column, from_ = found.slot[own], found.column[own], found.place[own]
        source, step = (from_, -by) if by > 0 else (from_ - 1, -by - 1)
        place = np.clip(from_ + step, 0, len(panel.second) - 1)
        group = panel.group_of[column]
        kept = (panel.tube[place] == panel.tube[from_]) & (panel.second[place] - panel.second[from_] == step)
        kept &= panel.rated[place, slot, group]
        for number, each in enumerate(panel.ontology.groups):
            at = np.flatnonzero(kept & (group == number))
            if each.kind == "exclusive":
                columns = np.flatnonzero(panel.group_of == number)
                said = panel.votes[source[at, None], slot[at, None], columns]
                votes[place[at, None], slot[at, None], columns] = said
            else:
                votes[place[at], slot[at], column[at]] = found.on[own[at]] == (by > 0)
    return replace(panel, votes=votes)
