"""The offline pass: what an online tracker cannot know, since it has not seen the rest of the clip.

First hits count although a track was confirmed later (no back-fill is needed: all hits are kept); pieces of one
person are stitched; gaps of confident, long tracks are filled and flagged; short tracks are dropped. No box is
ever emitted after a track's last detection.
"""

from __future__ import annotations

import polars as pl

from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS
from ava_core.video.tracking.crossings import cut
from ava_core.video.tracking.doubtful import without_doubtful
from ava_core.video.tracking.parameters import TrackerParameters
from ava_core.video.tracking.stitching import stitch


def refine(hits: pl.DataFrame, step: int, parameters: TrackerParameters) -> pl.DataFrame:
    """Tracks from the online tracker's hits.

    `hits`: `track_id, frame, x1, y1, x2, y2, score`; `step`: frames from one look to the next. Returns the same
    columns and `interpolated`, ids from 1 in order of first frame.
    """
    tracks = stitch(cut(hits, step), parameters.stitch_gap_s, parameters.stitch_reach)
    # Only now: a single hit may be a piece of somebody.
    tracks = tracks.filter(pl.len().over("track_id") >= parameters.min_hits)
    tracks = _fill(without_doubtful(tracks, parameters), step, parameters).drop("mismatch")
    span = pl.col("frame").max().over("track_id") - pl.col("frame").min().over("track_id") + step
    tracks = tracks.filter(span >= parameters.min_track_s * CLIP_FPS)
    return _renumbered(tracks)


def _renumbered(tracks: pl.DataFrame) -> pl.DataFrame:
    first = tracks.group_by("track_id").agg(pl.col("frame").min().alias("first")).sort("first", "track_id")
    numbers = first.select("track_id", pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias("number"))
    joined = tracks.join(numbers, on="track_id").with_columns(track_id=pl.col("number")).drop("number")
    return joined.sort("track_id", "frame")


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
        pl.col(name).shift(-1).over("track_id").alias(f"next_{name}")
        for name in ("frame", "score", "mismatch", *BOX_COLUMNS)
    ]
    gaps = (
        tracks.join(confident, on="track_id", how="semi")
        .with_columns(after)
        .with_columns(gap=pl.col("next_frame") - pl.col("frame"))
        .filter(
            pl.col("gap") > step,
            pl.col("gap") <= parameters.fill_gap_s * CLIP_FPS,
            pl.col("next_mismatch") <= parameters.fill_reach,
        )
    )
    if gaps.is_empty():
        return tracks
    filled = (
        gaps.with_columns(at=pl.int_ranges(pl.col("frame") + step, pl.col("next_frame"), step))
        .explode("at", empty_as_null=False)
        .with_columns(share=(pl.col("at") - pl.col("frame")) / pl.col("gap"))
        .with_columns(
            *(pl.col(n) + (pl.col(f"next_{n}") - pl.col(n)) * pl.col("share") for n in BOX_COLUMNS),
            score=pl.min_horizontal("score", "next_score"),
            frame=pl.col("at").cast(tracks.schema["frame"]),
            interpolated=pl.lit(value=True),
        )
        .select(tracks.columns)
    )
    return pl.concat([tracks, filled]).sort("track_id", "frame")
