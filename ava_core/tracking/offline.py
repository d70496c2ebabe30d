"""The offline pass: what an online tracker cannot know, since it has not seen the rest of the clip.

First hits count although a track was confirmed later (no back-fill is needed: all hits are kept); pieces of one
person are stitched; gaps of confident, long tracks are filled and flagged; short tracks are dropped. No box is
ever emitted after a track's last detection.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import linear_sum_assignment

from ava_core.tables import CLIP_FPS
from ava_core.tracking.parameters import TrackerParameters

Array = npt.NDArray[np.float64]

BOX: Final = ["x1", "y1", "x2", "y2"]
VELOCITY_S: Final = 1.0
"""Span over which a track's velocity at its end is measured."""
REACH: Final = 0.6
"""How far, in heights of the person, a stitched piece may lie from where it was expected."""
SIZE_RATIO: Final = 1.5
"""How much taller one piece may be than the other."""
IMPOSSIBLE: Final = 1e6


def refine(hits: pl.DataFrame, step: int, parameters: TrackerParameters) -> pl.DataFrame:
    """Tracks from the online tracker's hits.

    `hits`: `track_id, frame, x1, y1, x2, y2, score`; `step`: frames from one look to the next. Returns the same
    columns and `interpolated`, ids from 1 in order of first frame.
    """
    tracks = hits.sort("track_id", "frame")
    tracks = tracks.filter(pl.len().over("track_id") >= parameters.min_hits)
    tracks = _stitch(tracks, parameters)
    tracks = _fill(tracks, step, parameters)
    span = pl.col("frame").max().over("track_id") - pl.col("frame").min().over("track_id") + step
    tracks = tracks.filter(span >= parameters.min_track_s * CLIP_FPS)
    return _renumbered(tracks)


def _renumbered(tracks: pl.DataFrame) -> pl.DataFrame:
    first = tracks.group_by("track_id").agg(pl.col("frame").min().alias("first")).sort("first", "track_id")
    numbers = first.select("track_id", pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias("number"))
    joined = tracks.join(numbers, on="track_id").with_columns(track_id=pl.col("number")).drop("number")
    return joined.sort("track_id", "frame")


def _stitch(tracks: pl.DataFrame, parameters: TrackerParameters) -> pl.DataFrame:
    """Join pieces: where one ends and another begins soon after, near where the first was going."""
    pieces = [piece for (_,), piece in tracks.group_by(["track_id"], maintain_order=True)]
    if len(pieces) < 2:
        return tracks
    costs = np.full((len(pieces), len(pieces)), IMPOSSIBLE)
    for i, before in enumerate(pieces):
        for j, after in enumerate(pieces):
            gap = (after["frame"][0] - before["frame"][-1]) / CLIP_FPS
            if 0 < gap <= parameters.stitch_gap_s:
                costs[i, j] = _mismatch(before, after, gap)
    heir: dict[int, int] = {}
    for i, j in zip(*linear_sum_assignment(costs), strict=True):
        if costs[i, j] < REACH:
            heir[int(pieces[j]["track_id"][0])] = int(pieces[i]["track_id"][0])
    root = {piece: _root(piece, heir) for piece in heir}
    return tracks.with_columns(pl.col("track_id").replace(root)).sort("track_id", "frame")


def _root(piece: int, heir: dict[int, int]) -> int:
    while piece in heir:
        piece = heir[piece]
    return piece


def _mismatch(before: pl.DataFrame, after: pl.DataFrame, gap: float) -> float:
    """Distance between where each piece expects the other and where it is, in heights; the mean of both ways."""
    end, end_velocity = _edge(before, last=True)
    start, start_velocity = _edge(after, last=False)
    heights = np.array([end[3] - end[1], start[3] - start[1]])
    if heights.max() / heights.min() > SIZE_RATIO:
        return IMPOSSIBLE
    forward = np.hypot(*(_centre(start) - _centre(end) - end_velocity * gap))
    backward = np.hypot(*(_centre(end) - _centre(start) + start_velocity * gap))
    return float((forward + backward) / 2 / heights.mean())


def _edge(piece: pl.DataFrame, *, last: bool) -> tuple[Array, Array]:
    """The box at one end of a piece, and its centre's velocity there in pixels a second."""
    piece = piece.sort("frame", descending=last)
    frames = piece["frame"].to_numpy() / CLIP_FPS
    near = np.abs(frames - frames[0]) <= VELOCITY_S
    boxes = piece.select(BOX).to_numpy()[near]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    if near.sum() < 3:
        return boxes[0], np.zeros(2)
    velocity = np.polyfit(frames[near], centres, 1)[0]
    return boxes[0], velocity


def _centre(box: Array) -> Array:
    centre: Array = (box[:2] + box[2:]) / 2
    return centre


def _fill(tracks: pl.DataFrame, step: int, parameters: TrackerParameters) -> pl.DataFrame:
    """Fill gaps of confident, long tracks linearly; filled rows carry the lower score of their neighbours."""
    tracks = tracks.with_columns(interpolated=pl.lit(value=False))
    confident = (
        tracks.group_by("track_id")
        .agg(pl.col("score").mean(), length=pl.col("frame").max() - pl.col("frame").min())
        .filter(
            pl.col("score") >= parameters.confident_score,
            pl.col("length") >= parameters.confident_s * CLIP_FPS,
        )
    )
    after = [
        pl.col(name).shift(-1).over("track_id").alias(f"next_{name}") for name in ("frame", "score", *BOX)
    ]
    gaps = (
        tracks.join(confident, on="track_id", how="semi")
        .with_columns(after)
        .with_columns(gap=pl.col("next_frame") - pl.col("frame"))
        .filter(pl.col("gap") > step, pl.col("gap") <= parameters.fill_gap_s * CLIP_FPS)
    )
    if gaps.is_empty():
        return tracks
    filled = (
        gaps.with_columns(at=pl.int_ranges(pl.col("frame") + step, pl.col("next_frame"), step))
        .explode("at", empty_as_null=False)
        .with_columns(share=(pl.col("at") - pl.col("frame")) / pl.col("gap"))
        .with_columns(
            *(pl.col(n) + (pl.col(f"next_{n}") - pl.col(n)) * pl.col("share") for n in BOX),
            score=pl.min_horizontal("score", "next_score"),
            frame=pl.col("at").cast(tracks.schema["frame"]),
            interpolated=pl.lit(value=True),
        )
        .select(tracks.columns)
    )
    return pl.concat([tracks, filled]).sort("track_id", "frame")
