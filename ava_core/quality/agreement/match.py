"""Who is whom: tracks of different annotators that show the same person.

CVAT renumbers tracks and annotators redraw them, so a track's number says nothing. Tracks that descend from the
same pre-drawn one belong together if they also lie together; what is left is matched by where it is, by
constrained average-link clustering: a cluster never holds two boxes of one annotator at one second, so pieces of
a split track may join, two people never do. Where two tracks lie is judged at the seconds that both have: one that
somebody ended early is the same person all the same. All clips of a batch go through at once.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.schemas import BOX_COLUMNS
from ava_core.base.work.threads import side_by_side
from ava_core.quality.agreement.overlap import area

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEAST_TUBE_IOU: Final = 0.3
"""Tracks that overlap less show different people: over the seconds that both have where they descend from the same
pre-drawn track, else over all seconds in which either is seen."""

LEAST_PIECE_IOU: Final = 0.5
"""A part of a person belongs to a track that it overlaps by more: a piece of a split track over its own seconds, a
track that ends early over the seconds that both have."""

LEAST_SHARED: Final = 0.5
"""Share of the shorter track's seconds that both must have, for those seconds to tell who it is."""

CHUNK: Final = 10_000
"""Pairs of tracks compared at once; bounds the memory."""

TRACK: Final = ["clip", "who", "track"]


def match_persons(boxes: pl.DataFrame) -> pl.DataFrame:
    """The person of every annotator's track: `TRACK`, `person_id`, 1-based within the clip, by first second and
    place.

    Takes `TRACK` as numbers (clip, annotator, track), `seed_track_id`, `second` and the box, one version of each
    job. The order of rows and annotators does not matter.
    """
    if boxes.is_empty():
        return boxes.select(TRACK).with_columns(person_id=pl.lit(0, dtype=pl.Int32))
    tracks = Tracks(boxes)
    cluster = _Clusters(tracks).name
    first, place = tracks.first_and_place(cluster)
    people = tracks.table.with_columns(
        cluster=cluster, first=first, **{f"at{side}": place[:, side].round(3) for side in range(4)}
    )
    order = people.unique("cluster").sort("clip", "first", "at0", "at1", "at2", "at3", "cluster")
    numbered = order.select("cluster", person_id=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("clip"))
    return people.join(numbered, on="cluster").select(*TRACK, "person_id").sort(TRACK)


class Tracks:
    """All annotators' tracks of all clips as arrays over seconds.

    `table`: `TRACK`, `seed_track_id`, one row a track; `boxes` `(tracks, seconds, 4)`, zero where `seen` `(tracks,
    seconds)` is false; `clip`, `owner`, `seed` `(tracks,)` as numbers, seed -1 for none.
    """

    def __init__(self, boxes: pl.DataFrame) -> None:
        rows = boxes.select(*TRACK, "seed_track_id", "second", *BOX_COLUMNS).sort(*TRACK, "second")
        number = rows.select(pl.struct(TRACK).rle_id()).to_series().to_numpy()
        starts = np.flatnonzero(np.diff(number.astype(np.int64), prepend=-1))
        self.table = rows[starts].select(*TRACK, "seed_track_id")
        self.clip: Ints = self.table["clip"].to_numpy().astype(np.int64)
        self.owner: Ints = self.table["who"].to_numpy().astype(np.int64)
        self.seed: Ints = self.table["seed_track_id"].fill_null(-1).to_numpy().astype(np.int64)
        second = rows["second"].to_numpy()
        shape = (len(starts), int(second.max()) + 1)
        self.boxes = np.zeros((*shape, 4))
        self.seen = np.zeros(shape, dtype=bool)
        self.boxes[number, second] = rows.select(BOX_COLUMNS).to_numpy()
        self.seen[number, second] = True
        self.area = area(self.boxes)

    def overlaps(self, i: Ints, j: Ints) -> tuple[Array, Array, Array]:
        """Tube IoU of tracks `i` with `j` `(pairs,)` each: over all seconds of either, over those of `i`, and over
        those of both (nan where they share too few)."""
        whole, within, common = np.zeros(len(i)), np.zeros(len(i)), np.full(len(i), np.nan)
        length = self.seen.sum(axis=1)

        def compare(at: int) -> None:
            part = slice(at, at + CHUNK)
            a, b = self.boxes[i[part]], self.boxes[j[part]]
            size = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
            shared = np.clip(size, 0, None).prod(axis=2).sum(axis=1)
            own, other = self.area[i[part]], self.area[j[part]]
            whole[part] = _share(shared, own.sum(axis=1) + other.sum(axis=1) - shared)
            other_within = np.where(self.seen[i[part]], other, 0).sum(axis=1)
            within[part] = _share(shared, own.sum(axis=1) + other_within - shared)
            own_within = np.where(self.seen[j[part]], own, 0).sum(axis=1)
            both = (self.seen[i[part]] & self.seen[j[part]]).sum(axis=1)
            told = (both > 0) & (both >= LEAST_SHARED * np.minimum(length[i[part]], length[j[part]]))
            common[part] = np.where(told, _share(shared, own_within + other_within - shared), np.nan)

        side_by_side(partial(compare, at) for at in range(0, len(i), CHUNK))
        return whole, within, common

    def first_and_place(self, cluster: Ints) -> tuple[Ints, Array]:
        """For each track, of its cluster: the first second, and the mean box `(tracks, 4)`."""
        size = int(cluster.max()) + 1
        first = np.full(size, self.seen.shape[1])
        np.minimum.at(first, cluster, self.seen.argmax(axis=1))
        sums = np.stack(
            [np.bincount(cluster, self.boxes[..., side].sum(axis=1), size) for side in range(4)], 1
        )
        count = np.bincount(cluster, self.seen.sum(axis=1), size)
        return first[cluster], (sums / np.maximum(count, 1)[:, None])[cluster]


class _Clusters:
    """Clusters of tracks while they grow; a cluster's name is one of its tracks."""

    def __init__(self, tracks: Tracks) -> None:
        self.tracks = tracks
        self.settled = _settled_by_seed(tracks)
        self.members: dict[int, list[int]] = defaultdict(list)
        for track, name in enumerate(self.settled.tolist()):
            self.members[name if name >= 0 else track].append(track)
        self.name = np.where(self.settled >= 0, self.settled, np.arange(len(self.settled)))
        self._join_by_place()

    def _join_by_place(self) -> None:
        """Match what no seed settled: whole tracks first, best overlap first, then pieces of split ones."""
        i, j = _pairs_to_compare(self.tracks, np.flatnonzero(self.settled < 0))
        whole, within, common = self.tracks.overlaps(i, j)
        whole = np.where(common > LEAST_PIECE_IOU, np.maximum(whole, common), whole)
        met = whole > 0
        i, j, whole, within = i[met], j[met], whole[met], within[met]
        keys = list(zip(i.tolist(), j.tolist(), strict=True))
        self.link = dict(zip(keys, whole.tolist(), strict=True))
        piece = dict(zip(keys, within.tolist(), strict=True))
        good = np.flatnonzero(whole >= LEAST_TUBE_IOU)
        same_seed = (self.tracks.seed[i] == self.tracks.seed[j]) & (self.tracks.seed[i] >= 0)
        for pair in good[np.lexsort((j[good], i[good], -whole[good], ~same_seed[good]))]:
            a, b = int(self.name[i[pair]]), int(self.name[j[pair]])
            if a != b and self._may_join(a, b):
                self._join(a, b)
        near = defaultdict(list)
        for (one, other), overlap in piece.items():
            if overlap > LEAST_PIECE_IOU:
                near[one].append(other)
        for one in sorted(near):
            if len(self.members[int(self.name[one])]) == 1:
                self._join_piece(one, near[one], piece)

    def _may_join(self, a: int, b: int) -> bool:
        if self.settled[a] >= 0 and self.settled[b] >= 0:
            return False
        links = []
        for one in self.members[a]:
            for other in self.members[b]:
                if self.tracks.owner[one] != self.tracks.owner[other]:
                    links.append(self.link.get((one, other)) or self.link.get((other, one), 0.0))
                elif self._clash(one, other):
                    return False
        return bool(links) and sum(links) / len(links) >= LEAST_TUBE_IOU

    def _join_piece(self, one: int, near: list[int], piece: dict[tuple[int, int], float]) -> None:
        """Give a piece that stayed alone to the person in whom its annotator's other pieces lie.

        A track that one annotator cut in two overlaps little with the others' whole tracks; over its own seconds
        alone it overlaps well.
        """
        owner = self.tracks.owner
        best, best_score = -1, LEAST_PIECE_IOU
        for name in sorted({int(self.name[other]) for other in near}):
            own = [other for other in self.members[name] if owner[other] == owner[one]]
            others = [
                piece.get((one, other), 0.0) for other in self.members[name] if owner[other] != owner[one]
            ]
            score = sum(others) / len(others)
            if own and score > best_score and not any(self._clash(one, other) for other in own):
                best, best_score = name, score
        if best >= 0:
            self._join(best, int(self.name[one]))

    def _clash(self, one: int, other: int) -> bool:
        return bool((self.tracks.seen[one] & self.tracks.seen[other]).any())

    def _join(self, a: int, b: int) -> None:
        keep, gone = (a, b) if self.settled[a] >= 0 or self.settled[b] < 0 else (b, a)
        self.name[self.members[gone]] = keep
        self.members[keep] += self.members.pop(gone)


def _settled_by_seed(tracks: Tracks) -> Ints:
    """The first track of each track's group `(tracks,)`, -1 where the pre-drawn track does not settle it.

    A group shares its seed, has one track of each annotator, and every two of them overlap well.
    """
    table = pl.DataFrame({"clip": tracks.clip, "seed": tracks.seed, "track": np.arange(len(tracks.clip))})
    seeded = table.filter(pl.col("seed") >= 0)
    pairs = seeded.join(seeded, on=["clip", "seed"], suffix="_b").filter(pl.col("track") < pl.col("track_b"))
    i, j = pairs["track"].to_numpy(), pairs["track_b"].to_numpy()
    whole, _, common = tracks.overlaps(i, j)
    together = np.where(np.isnan(common), whole, common)
    fits = (together >= LEAST_TUBE_IOU) & (tracks.owner[i] != tracks.owner[j])
    groups = (
        pairs.with_columns(fits=fits)
        .group_by("clip", "seed")
        .agg(pl.col("fits").all(), pl.col("track").min())
    )
    settled = np.full(len(tracks.clip), -1)
    found = seeded.join(groups.filter("fits"), on=["clip", "seed"], suffix="_first")
    settled[found["track"].to_numpy()] = found["track_first"].to_numpy()
    return settled


def _pairs_to_compare(tracks: Tracks, left: Ints) -> tuple[Ints, Ints]:
    """Each track of `left` with every track of another annotator in its clip that comes near it."""
    table = pl.DataFrame({"clip": tracks.clip, "owner": tracks.owner, "track": np.arange(len(tracks.clip))})
    pairs = table[left].join(table, on="clip", suffix="_b").filter(pl.col("owner") != pl.col("owner_b"))
    i, j = pairs["track"].to_numpy(), pairs["track_b"].to_numpy()
    unseen = ~tracks.seen[:, :, None]
    low = np.where(unseen, np.inf, tracks.boxes[..., :2]).min(axis=1)
    high = np.where(unseen, -np.inf, tracks.boxes[..., 2:]).max(axis=1)
    near = ((low[i] < high[j]) & (low[j] < high[i])).all(axis=1)
    return i[near], j[near]


def _share(part: Array, whole: Array) -> Array:
    result: Array = np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
    return result
