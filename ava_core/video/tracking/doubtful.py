"""Tracks of nobody: what a detector was never sure of, and what is somebody else's second box."""

from __future__ import annotations

from typing import Final

import polars as pl

from ava_core.video.tracking.crossings import overlaps
from ava_core.video.tracking.parameters import TrackerParameters

DUPLICATE: Final = 0.5
"""Overlap (IoU) with a longer track that makes a box a second one of the same person, …"""
DUPLICATE_SHARE: Final = 0.8
"""… if so large a share of its track's boxes are. People who only pass each other are seen apart before or after."""


def without_doubtful(tracks: pl.DataFrame, parameters: TrackerParameters) -> pl.DataFrame:
    """The tracks that are likely somebody's. Columns as `offline.refine` has them."""
    # By the better quarter: somebody half hidden for most of the time is somebody all the same.
    sure = pl.col("score").quantile(0.75).over("track_id") >= parameters.start_score + parameters.sure_by
    tracks = tracks.filter(sure)
    length = tracks.group_by("track_id").agg(length=pl.len())
    shadowed = (
        overlaps(tracks, DUPLICATE)
        .join(length, on="track_id")
        .join(length.rename({"track_id": "other", "length": "other_length"}), on="other")
        .filter(
            (pl.col("other_length") > pl.col("length"))
            | ((pl.col("other_length") == pl.col("length")) & (pl.col("other") < pl.col("track_id")))
        )
        .group_by("track_id")
        .agg(seconded=pl.col("frame").n_unique(), length=pl.col("length").first())
        .filter(pl.col("seconded") >= DUPLICATE_SHARE * pl.col("length"))
    )
    return tracks.join(shadowed, on="track_id", how="anti", maintain_order="left")
