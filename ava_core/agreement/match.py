"""Who is whom: tracks of different annotators that show the same person.

CVAT renumbers tracks and annotators redraw them, so tracks are matched by where they are; the pre-drawn track's
own id only decides the order in which pairs are tried. Constrained average-link clustering: a cluster never
holds two boxes of one annotator at one second, so pieces of a split track may join, two people never do.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.tables import BOX_COLUMNS, Schema

Array = npt.NDArray[np.float64]

LEAST_TUBE_IOU: Final = 0.3
"""Tracks that overlap less, over all seconds in which either is seen, show different people."""

PERSONS: Final[Schema] = {
    "clip_id": pl.String,
    "annotator": pl.String,
    "track_key": pl.String,
    "person_id": pl.Int32,  # 1-based within the clip, by first second and place
}


def match_persons(raw_boxes: pl.DataFrame) -> pl.DataFrame:
    """The person of every annotator's track: `PERSONS`, from `tables.RAW_BOXES`.

    The order of rows and annotators does not matter.
    """
    rows: list[dict[str, Any]] = []
    ordered = raw_boxes.sort("clip_id", "annotator", "track_key", "second")
    for (clip_id,), boxes in ordered.group_by(["clip_id"], maintain_order=True):
        for person_id, members in enumerate(_clusters(_Tracks(boxes)), start=1):
            rows += [
                {"clip_id": clip_id, "annotator": annotator, "track_key": key, "person_id": person_id}
                for annotator, key in members
            ]
    return pl.DataFrame(rows, schema=dict(PERSONS)).sort("clip_id", "annotator", "track_key")


class _Tracks:
    """All annotators' tracks of a clip as one array of boxes over seconds."""

    def __init__(self, boxes: pl.DataFrame) -> None:
        keys = boxes.select("annotator", "track_key", "seed_track_id").unique(
            ["annotator", "track_key"], keep="first", maintain_order=True
        )
        self.names: list[tuple[str, str]] = [(a, k) for a, k, _ in keys.rows()]
        self.seeds = [seed for _, _, seed in keys.rows()]
        place = {name: number for number, name in enumerate(self.names)}
        seconds = int(boxes["second"].max() or 0) + 1  # type: ignore[arg-type]
        self.boxes = np.full((len(self.names), seconds, 4), np.nan)
        for annotator, key, second, *box in boxes.select(
            "annotator", "track_key", "second", *BOX_COLUMNS
        ).iter_rows():
            self.boxes[place[annotator, key], second] = box
        self.seen = ~np.isnan(self.boxes[:, :, 0])

    def similarity(self) -> Array:
        """Tube IoU of every pair: shared area over united area, summed over the seconds of either."""
        b = np.nan_to_num(self.boxes)
        areas = (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])
        left_top = np.maximum(b[:, None, :, :2], b[None, :, :, :2])
        right_bottom = np.minimum(b[:, None, :, 2:], b[None, :, :, 2:])
        shared = np.clip(right_bottom - left_top, 0, None).prod(axis=3).sum(axis=2)
        total = areas.sum(axis=1)
        union = total[:, None] + total[None, :] - shared
        similarity: Array = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
        return similarity


def _clusters(tracks: _Tracks) -> list[list[tuple[str, str]]]:
    """Clusters of tracks, each a person, in order of first second, then place."""
    count = len(tracks.names)
    similarity = tracks.similarity()
    cluster = list(range(count))
    members = {number: [number] for number in range(count)}
    owners = [name for name, _ in tracks.names]
    pairs = [
        (tracks.seeds[i] is None or tracks.seeds[i] != tracks.seeds[j], -similarity[i, j], i, j)
        for i in range(count)
        for j in range(i + 1, count)
        if owners[i] != owners[j] and similarity[i, j] >= LEAST_TUBE_IOU
    ]
    for _, _, i, j in sorted(pairs):
        a, b = cluster[i], cluster[j]
        if a != b and _may_join(members[a], members[b], similarity, tracks, owners):
            members[a] += members.pop(b)
            for number in members[a]:
                cluster[number] = a
    _join_pieces(members, tracks, owners)
    ordered = sorted(members.values(), key=lambda numbers: _place(numbers, tracks))
    return [sorted(tracks.names[number] for number in numbers) for numbers in ordered]


def _may_join(a: list[int], b: list[int], similarity: Array, tracks: _Tracks, owners: list[str]) -> bool:
    for i in a:
        for j in b:
            if owners[i] == owners[j] and bool((tracks.seen[i] & tracks.seen[j]).any()):
                return False
    links = [similarity[i, j] for i in a for j in b if owners[i] != owners[j]]
    return bool(np.mean(links) >= LEAST_TUBE_IOU) if links else False


def _join_pieces(members: dict[int, list[int]], tracks: _Tracks, owners: list[str]) -> None:
    """Give a piece that stayed alone to the cluster that it lies in for its own seconds.

    A track that one annotator cut in two overlaps little with the others' whole tracks; over its own seconds
    alone it overlaps well.
    """
    for number in sorted(n for n, own in members.items() if len(own) == 1):
        best, best_score = None, 0.5
        for other, own in sorted(members.items()):
            clash = any(
                owners[i] == owners[number] and (tracks.seen[i] & tracks.seen[number]).any() for i in own
            )
            if other == number or clash or not any(owners[i] == owners[number] for i in own):
                continue
            score = float(
                np.mean(
                    [_overlap_within(tracks, number, i) for i in own if owners[i] != owners[number]] or [0]
                )
            )
            if score > best_score:
                best, best_score = other, score
        if best is not None:
            members[best] += members.pop(number)


def _overlap_within(tracks: _Tracks, piece: int, whole: int) -> float:
    """Tube IoU over the seconds of `piece` alone."""
    within = tracks.seen[piece]
    a, b = tracks.boxes[piece][within], np.nan_to_num(tracks.boxes[whole][within])
    shared = np.clip(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0, None).prod(axis=1)
    union = (a[:, 2:] - a[:, :2]).prod(axis=1) + (b[:, 2:] - b[:, :2]).prod(axis=1) - shared
    return float(shared.sum() / union.sum()) if union.sum() > 0 else 0.0


def _place(numbers: list[int], tracks: _Tracks) -> tuple[float, ...]:
    first = min(int(np.flatnonzero(tracks.seen[n])[0]) for n in numbers)
    boxes = np.concatenate([tracks.boxes[n][tracks.seen[n]] for n in numbers])
    return (first, *boxes.mean(axis=0).round(3))
