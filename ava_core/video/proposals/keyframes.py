"""Boxes at keyframes: where each track is at each whole second."""

from __future__ import annotations

from typing import Final

import polars as pl

from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS, PROPOSALS, conform, empty

CLIPS_AT_ONCE: Final = 50
"""Clips whose tracks are held against their seconds together: a table of all of them grows with both."""


def boxes_at(tracks: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """Boxes of `tracks` (`schemas.TRACKS`) at the frames of `wanted` (`clip_id, frame`).

    Between two rows of a track a box moves linearly; it is never carried beyond the track's first and last row,
    nor across a gap that the tracker left open (from twice the step between two looks).
    """
    wanted = wanted.select("clip_id", pl.col("frame").cast(pl.Int32).alias("at")).unique()
    ahead = [
        pl.col(n).shift(-1).over("clip_id", "track_id").alias(f"next_{n}") for n in ("frame", *BOX_COLUMNS)
    ]
    rows = tracks.sort("clip_id", "track_id", "frame").with_columns(
        *ahead, next_interpolated=pl.col("interpolated").shift(-1).over("clip_id", "track_id")
    )
    step = (pl.col("next_frame") - pl.col("frame")).min().over("clip_id")
    rows = rows.with_columns(step=step).join(wanted, on="clip_id")
    within = (pl.col("at") == pl.col("frame")) | (
        (pl.col("at") > pl.col("frame"))
        & (pl.col("at") < pl.col("next_frame"))
        & (pl.col("next_frame") - pl.col("frame") < 2 * pl.col("step"))
    )
    span = (pl.col("next_frame") - pl.col("frame")).fill_null(1)
    share = (pl.col("at") - pl.col("frame")) / span
    moved = [
        (pl.col(n) + (pl.col(f"next_{n}").fill_null(pl.col(n)) - pl.col(n)) * share).alias(n)
        for n in BOX_COLUMNS
    ]
    between = (pl.col("at") > pl.col("frame")) & pl.col("next_interpolated")
    return (
        rows.filter(within)
        .with_columns(*moved, interpolated=pl.col("interpolated") | between)
        .select("clip_id", pl.col("at").alias("frame"), "track_id", *BOX_COLUMNS, "score", "interpolated")
        .sort("clip_id", "frame", "track_id")
    )


def keyframe_proposals(clips: pl.DataFrame, tracks: pl.DataFrame) -> pl.DataFrame:
    """`schemas.PROPOSALS`: the box of every track at every whole second of its clip (`schemas.CLIPS`).

    >>> clips = pl.DataFrame({"clip_id": ["gate_000"], "frames": [60]})
    >>> tracks = pl.DataFrame({
    ...     "clip_id": "gate_000", "track_id": 1, "frame": [28, 32], "x1": [10.0, 14.0], "y1": 5.0, "x2": [30.0, 34.0],
    ...     "y2": 55.0, "score": 0.9, "interpolated": False,
    ... })
    >>> keyframe_proposals(clips, tracks).select("second", "x1", "x2").rows()
    [(1, 12.0, 32.0)]
    """
    seconds = clips.select("clip_id", frame=pl.int_ranges(0, pl.col("frames"), CLIP_FPS)).sort("clip_id")
    parts = []
    for some in seconds.iter_slices(CLIPS_AT_ONCE):
        wanted = some.explode("frame", empty_as_null=False)
        parts.append(boxes_at(tracks.join(some, on="clip_id", how="semi"), wanted))
    if not parts:
        return empty(PROPOSALS)
    boxes = pl.concat(parts).with_columns(second=pl.col("frame") // CLIP_FPS)
    return conform(boxes, PROPOSALS, "proposals")
