"""Joining the pieces of one person: where a track ends and another begins soon after, near where it was going.

Short gaps are joined first: what is joined then knows better where it comes from and goes to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import linear_sum_assignment

from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS

Array = npt.NDArray[np.float64]

VELOCITY_S: Final = 1.0
"""Span over which a track's velocity at its end is measured."""
VELOCITY_BOXES: Final = 3
"""Boxes that a velocity needs; with fewer a person counts as standing."""
HEIGHT_BOXES: Final = 5
"""Boxes at an end whose median height is the person's."""
REACH: Final = 0.5
"""How far a piece may lie from where it was expected, in heights of the person, …"""
REACH_PER_S: Final = 0.1
"""… and how much farther for every second in between."""
HEIGHT_RATIO: Final = 1.4
"""How much taller one piece may be than the other."""


@dataclass(frozen=True)
class _Ends:
    """One end of every piece: time in seconds, centre `(N, 2)`, velocity `(N, 2)` in px/s, height in px."""

    time: Array
    centre: Array
    velocity: Array
    height: Array


def stitch(tracks: pl.DataFrame, longest_gap_s: float) -> pl.DataFrame:
    """Give the pieces of one person the id of the first.

    `tracks`: `track_id, frame, x1, y1, x2, y2`, …, sorted by `track_id, frame`; at most `longest_gap_s` lie between
    two pieces. The assignment is the best over all pieces (Hungarian), gated before it.
    """
    for longest in (longest_gap_s / 2, longest_gap_s):
        pieces = [piece for (_,), piece in tracks.group_by(["track_id"], maintain_order=True)]
        if len(pieces) < 2:
            return tracks
        ids = np.array([piece["track_id"][0] for piece in pieces])
        cost = _mismatch(_ends(pieces, last=True), _ends(pieces, last=False), longest)
        before, after = linear_sum_assignment(np.where(cost < 1, cost - 1, 0.0))
        joined = cost[before, after] < 1
        heir = dict(zip(ids[after[joined]].tolist(), ids[before[joined]].tolist(), strict=True))
        root = {piece: _root(piece, heir) for piece in heir}
        tracks = tracks.with_columns(pl.col("track_id").replace(root)).sort("track_id", "frame")
    return tracks


def _root(piece: int, heir: dict[int, int]) -> int:
    while piece in heir:
        piece = heir[piece]
    return piece


def _mismatch(ends: _Ends, starts: _Ends, longest_gap_s: float) -> Array:
    """How badly each end `(N)` and each start `(N)` fit, `(N, N)`; 1 and more is no fit.

    The distance between where each expects the other and where it is, the mean of both ways, in heights, and the
    difference of heights; as a share of what is allowed.
    """
    gap = starts.time[None, :] - ends.time[:, None]
    between = starts.centre[None, :] - ends.centre[:, None]
    forward = np.linalg.norm(between - ends.velocity[:, None] * gap[..., None], axis=2)
    backward = np.linalg.norm(between - starts.velocity[None, :] * gap[..., None], axis=2)
    height = (ends.height[:, None] + starts.height[None, :]) / 2
    ratio = np.abs(np.log(ends.height[:, None] / starts.height[None, :]))
    cost: Array = ((forward + backward) / 2 / height + ratio) / (REACH + REACH_PER_S * np.maximum(gap, 0))
    possible = (gap > 0) & (gap <= longest_gap_s) & (ratio < np.log(HEIGHT_RATIO))
    return np.where(possible, cost, np.inf)


def _ends(pieces: list[pl.DataFrame], *, last: bool) -> _Ends:
    rows = [_end(piece, last=last) for piece in pieces]
    time, centre, velocity, height = (np.array(column) for column in zip(*rows, strict=True))
    return _Ends(time, centre, velocity, height)


def _end(piece: pl.DataFrame, *, last: bool) -> tuple[float, Array, Array, float]:
    order = slice(None, None, -1) if last else slice(None)
    time = piece["frame"].to_numpy()[order] / CLIP_FPS
    boxes = piece.select(BOX_COLUMNS).to_numpy()[order]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    height = float(np.median(boxes[:HEIGHT_BOXES, 3] - boxes[:HEIGHT_BOXES, 1]))
    near = np.abs(time - time[0]) <= VELOCITY_S
    velocity = np.zeros(2)
    if near.sum() >= VELOCITY_BOXES:
        velocity = np.polyfit(time[near] - time[0], centres[near], 1)[0]
    return float(time[0]), centres[0], velocity, height
