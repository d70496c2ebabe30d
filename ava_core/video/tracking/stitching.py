"""Joining the pieces of one person: where a track ends and another begins soon after, near where it was going.

Short gaps are joined first: what is joined then knows better where it comes from and goes to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS

Array = npt.NDArray[np.float64]

VELOCITY_S: Final = 1.0
"""Span over which a track's velocity at its end is measured."""
VELOCITY_BOXES: Final = 3
"""Boxes that a velocity needs; with fewer a person counts as standing."""
HEIGHT_BOXES: Final = 5
"""Boxes at an end whose median height is the person's."""
REACH_PER_S: Final = 0.2
"""How much farther a piece may lie for every second in between, as a share of the reach."""
SURE_S: Final = 0.3
"""Span from which a velocity counts by 1 - 1/e; what was seen for less counts as nearly standing."""
HEIGHT_RATIO: Final = 1.4
"""How much taller one piece may be than the other."""


@dataclass(frozen=True)
class _Ends:
    """One end of every piece: time in seconds, centre `(N, 2)`, velocity `(N, 2)` in px/s, height in px."""

    time: Array
    centre: Array
    velocity: Array
    height: Array


def stitch(pieces: pl.DataFrame, longest_gap_s: float, reach: float) -> pl.DataFrame:
    """Give the pieces of one person the id of the first.

    `pieces`: `track_id, frame, x1, y1, x2, y2`, …, sorted by `track_id, frame`; at most `longest_gap_s` lie between
    two pieces, and `reach` heights between where they are and where they should be. The assignment is the best over
    all pieces of the clip (Hungarian), gated before it. Adds `mismatch`: at the first row of a piece that was joined
    to another how badly they fit, 0 to 1; else 0.
    """
    from scipy.optimize import linear_sum_assignment

    tracks = pieces.with_columns(mismatch=pl.lit(0.0))
    for longest in (longest_gap_s / 2, longest_gap_s):
        table = tracks.select("track_id", pl.col("frame") / CLIP_FPS, *BOX_COLUMNS).to_numpy()
        whole = np.split(table, np.flatnonzero(np.diff(table[:, 0])) + 1)
        if len(whole) < 2:
            return tracks
        ids = np.array([piece[0, 0] for piece in whole], dtype=np.int64)
        cost = _mismatch(_ends(whole, last=True), _ends(whole, last=False), longest, reach)
        before, after = linear_sum_assignment(np.where(cost < 1, cost - 1, 0.0))
        joined = cost[before, after] < 1
        before, after = before[joined], after[joined]
        heir = dict(zip(ids[after].tolist(), ids[before].tolist(), strict=True))
        fit = dict(zip(ids[after].tolist(), cost[before, after].tolist(), strict=True))
        root = {piece: _root(piece, heir) for piece in heir}
        first = pl.col("frame") == pl.col("frame").min().over("track_id")
        tracks = tracks.with_columns(
            pl.when(first & pl.col("track_id").is_in(list(fit)))
            .then(pl.col("track_id").replace_strict(fit, default=0.0, return_dtype=pl.Float64))
            .otherwise("mismatch")
            .alias("mismatch"),
            pl.col("track_id").replace(root),
        ).sort("track_id", "frame")
    return tracks


def _root(piece: int, heir: dict[int, int]) -> int:
    while piece in heir:
        piece = heir[piece]
    return piece


def _mismatch(ends: _Ends, starts: _Ends, longest_gap_s: float, reach: float) -> Array:
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
    cost: Array = ((forward + backward) / 2 / height + ratio) / (
        reach * (1 + REACH_PER_S * np.maximum(gap, 0))
    )
    possible = (gap > 0) & (gap <= longest_gap_s) & (ratio < np.log(HEIGHT_RATIO))
    return np.where(possible, cost, np.inf)


def _ends(pieces: list[Array], *, last: bool) -> _Ends:
    rows = [_end(piece, last=last) for piece in pieces]
    time, centre, velocity, height = (np.array(column) for column in zip(*rows, strict=True))
    return _Ends(time, centre, velocity, height)


def _end(piece: Array, *, last: bool) -> tuple[float, Array, Array, float]:
    """`piece`: rows of id, seconds, box."""
    piece = piece[::-1] if last else piece
    time, boxes = piece[:, 1], piece[:, 2:]
    height = float(np.median(boxes[:HEIGHT_BOXES, 3] - boxes[:HEIGHT_BOXES, 1]))
    near = np.abs(time - time[0]) <= VELOCITY_S
    since = time[near] - time[0]
    centres = (boxes[near, :2] + boxes[near, 2:]) / 2
    velocity = np.zeros(2)
    if len(since) >= VELOCITY_BOXES:
        around = since - since.mean()
        sure = 1 - np.exp(-abs(since[-1]) / SURE_S)
        velocity = sure * (around @ centres) / (around @ around)
    return float(time[0]), centres[0], velocity, height
