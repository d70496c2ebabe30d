"""All annotators' work on a batch, laid side by side in arrays: the one form that every figure starts from.

A place is a person at a second. Each clip has its crew, the annotators who completed it, in slots by name. What
somebody did not do is missing, never a "no": an absent track has no box and no rating, a group left unset has no
rating, a job not completed has no slot.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.ontology import Ontology

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Named:
    """Places and classes to which somebody said yes: `place`, `column` `(n,)`, `votes` `(n, K)`."""

    place: Ints
    column: Ints
    votes: Flags

    @cached_property
    def yes(self) -> Ints:
        """How many said yes `(n,)`."""
        counts: Ints = self.votes.sum(axis=1)
        return counts


@dataclass(frozen=True)
class Panel:
    """Arrays over P places (sorted by clip, person, second), K slots, C classes (by id) and G groups."""

    ontology: Ontology
    clips: tuple[str, ...]
    annotators: tuple[str, ...]
    crew: Ints  # (clips, K): index into `annotators`, -1 for an empty slot
    persons: pl.DataFrame  # schemas.PERSONS
    clip: Ints  # (P,): index into `clips`
    person: Ints  # (P,)
    second: Ints  # (P,)
    boxes: Array  # (P, K, 4): x1, y1, x2, y2 in pixels; nan where absent
    edited: Flags  # (P, K)
    rated: Flags  # (P, K, G)
    votes: Flags  # (P, K, C)
    ignored: pl.DataFrame  # rows of the raw tables that do not count: `what, rows, reason`

    @cached_property
    def group_of(self) -> Ints:
        """Group of each class `(C,)`."""
        names = [group.name for group in self.ontology.groups]
        return np.array(
            [names.index(self.ontology.group_of(a.id).name) for a in self.ontology.actions], np.int64
        )

    @cached_property
    def action_ids(self) -> Ints:
        """Action id of each class `(C,)`."""
        return np.array([action.id for action in self.ontology.actions], np.int64)

    @cached_property
    def present(self) -> Flags:
        """Who has a box where: `(P, K)`."""
        return ~np.isnan(self.boxes[:, :, 0])

    @cached_property
    def who(self) -> Ints:
        """The annotator in each place's slots: `(P, K)`, -1 for an empty slot."""
        return self.crew[self.clip]

    @cached_property
    def raters(self) -> Ints:
        """Ratings of each group: `(P, G)`."""
        counts: Ints = self.rated.sum(axis=1)
        return counts

    @cached_property
    def named(self) -> Named:
        """Where anybody said yes: few of the P × C places and classes."""
        anybody = np.zeros((len(self.second), len(self.action_ids)), dtype=bool)
        for slot in range(self.votes.shape[1]):
            anybody |= self.votes[:, slot]
        place, column = np.divmod(np.flatnonzero(anybody), max(len(self.action_ids), 1))
        return Named(place, column, self.votes[place, :, column])

    def counts(self, columns: Ints) -> Array:
        """Votes for some classes: `(P, len(columns))`."""
        result = np.zeros((len(self.second), len(columns)))
        own = np.flatnonzero(np.isin(self.named.column, columns))
        result[self.named.place[own], np.searchsorted(columns, self.named.column[own])] = self.named.yes[own]
        return result

    @cached_property
    def tubes(self) -> Ints:
        """Where each person of a clip begins among the places."""
        return np.flatnonzero((np.diff(self.clip, prepend=-1) != 0) | (np.diff(self.person, prepend=-1) != 0))

    @cached_property
    def tube(self) -> Ints:
        """The person of each place, counted over all clips: `(P,)`."""
        starts = np.zeros(len(self.second), np.int64)
        starts[self.tubes] = 1
        return np.cumsum(starts) - 1

    @cached_property
    def follows(self) -> Flags:
        """Whether a place is the same person's a second after the place before it: `(P,)`."""
        flags: Flags = (np.diff(self.tube, prepend=-1) == 0) & (np.diff(self.second, prepend=-1) == 1)
        return flags

    @cached_property
    def changed(self) -> Flags:
        """Answers that differ from those one place before: `(P, K, G)`.

        At the first place of a person that tells nothing: look at `follows` too.
        """
        named, changed = self.named, np.zeros(self.rated.shape, dtype=bool)
        for step in (-1, 1):  # against the place before; and told at the place after
            row, slot = np.nonzero(named.votes & ~self.votes_beside(step))
            place = named.place[row] + (step > 0)
            kept = place < len(changed)
            changed[place[kept], slot[kept], self.group_of[named.column[row[kept]]]] = True
        return changed

    def votes_beside(self, step: int) -> Flags:
        """Votes for the class of each row of `named` so many places later `(n, K)`; none at another person's."""
        named, classes = self.named, len(self.action_ids)
        key = named.place * classes + named.column  # ascends
        at = np.minimum(np.searchsorted(key, key + step * classes), max(len(key) - 1, 0))
        found = (key[at] == key + step * classes) & (self.tube[named.place[at]] == self.tube[named.place])
        flags: Flags = found[:, None] & named.votes[at]
        return flags

    def by_clip(self, values: npt.NDArray[Any]) -> Array:
        """Sums over the places of each clip: `(clips, …)` of `(P, …)`."""
        return sum_by(values, self.clip, len(self.clips))

    def by_tube(self, values: npt.NDArray[Any]) -> Array:
        """Sums over the seconds of each person: `(tubes, …)` of `(P, …)`."""
        return sum_by(values, self.tube, len(self.tubes))

    def tubes_by_clip(self, values: npt.NDArray[Any]) -> Array:
        """Sums over the people of each clip: `(clips, …)` of `(tubes, …)`."""
        return sum_by(values, self.clip[self.tubes], len(self.clips))

    def named_by_clip(self, values: npt.NDArray[Any]) -> Array:
        """Sums of a value of each row of `named`: `(clips, C)`."""
        return self._named_by(self._cell_of_clip, len(self.clips), values)

    def named_by_tube(self, values: npt.NDArray[Any]) -> Array:
        """Sums of a value of each row of `named`: `(tubes, C)`."""
        return self._named_by(self._cell_of_tube, len(self.tubes), values)

    @property
    def _cell_of_clip(self) -> Ints:
        """Clip and class of each row of `named` as one number `(n,)`."""
        return self.clip[self.named.place] * len(self.action_ids) + self.named.column

    @property
    def _cell_of_tube(self) -> Ints:
        """The same of the person of a clip."""
        return self.tube[self.named.place] * len(self.action_ids) + self.named.column

    def _named_by(self, cell: Ints, count: int, values: npt.NDArray[Any]) -> Array:
        classes = len(self.action_ids)
        if values.dtype == bool:
            flat = np.bincount(cell[values], minlength=count * classes)
        else:
            flat = np.bincount(cell, values, count * classes)
        return flat.reshape(count, classes).astype(float)

    def without(self, annotators: Collection[str]) -> Panel:
        """The same places as if those annotators had never worked; who is whom stays as it was."""
        return self.without_slots(
            np.isin(self.crew, [self.annotators.index(a) for a in annotators if a in self.annotators])
        )

    def without_slots(self, gone: Flags) -> Panel:
        """The same places as if some jobs, `(clips, K)`, had never been done."""
        if not gone.any():
            return self
        place, slot = np.nonzero(gone[self.clip])
        boxes, edited = self.boxes.copy(), self.edited.copy()
        boxes[place, slot], edited[place, slot] = np.nan, False
        panel = replace(self, crew=np.where(gone, -1, self.crew), boxes=boxes, edited=edited)
        return panel.without_ratings(place, slot)

    def without_ratings(self, place: Ints, slot: Ints) -> Panel:
        """The same panel with some places and slots unrated."""
        rated, votes = self.rated.copy(), self.votes.copy()
        rated[place, slot], votes[place, slot] = False, False
        return replace(self, rated=rated, votes=votes)

    def place_columns(self, where: npt.NDArray[Any]) -> dict[str, pl.Series]:
        """`clip_id, second, person_id` of some places (indices or flags)."""
        clip_ids = pl.Series("clip_id", list(self.clips), dtype=pl.String)
        return {
            "clip_id": clip_ids[self.clip[where]] if len(self.clips) else clip_ids,
            "second": pl.Series("second", self.second[where], dtype=pl.Int32),
            "person_id": pl.Series("person_id", self.person[where], dtype=pl.Int32),
        }


def sum_by(values: npt.NDArray[Any], index: Ints, count: int) -> Array:
    """Sums of rows with the same index, which must ascend: `(count, …)` of `(rows, …)`."""
    result = np.zeros((count, *values.shape[1:]))
    if len(index):
        starts = np.flatnonzero(np.diff(index, prepend=-1))
        dtype = np.int64 if values.dtype.kind in "bui" else values.dtype
        result[index[starts]] = np.add.reduceat(values, starts, axis=0, dtype=dtype)
    return result
