"""Where identities are in doubt: tracks are cut there, so that stitching decides anew, from both sides."""

from __future__ import annotations

from typing import Final

import polars as pl

from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS

CROSSING: Final = 0.45
"""Overlap (IoU) of two tracks from which either may go on as the other."""
LONG_GAP_S: Final = 0.25
"""A track that was lost for longer may have gone on with somebody else."""


def cut(hits: pl.DataFrame, step: int) -> pl.DataFrame:
    """Tracks cut into pieces after long gaps and where they cross; every piece has an id of its own.

    `hits`: `track_id, frame, x1, y1, x2, y2`, …; `step`: frames from one look to the next. Returns the same columns
    by `track_id, frame`.
    """
    hits = hits.sort("track_id", "frame")
    gap = pl.col("frame") - pl.col("frame").shift(1).over("track_id")
    new = (gap > max(LONG_GAP_S * CLIP_FPS, step)).fill_null(True)
    begins = hits.join(_meetings(hits), on=["track_id", "frame"], how="left", maintain_order="left")
    ids = (new | pl.col("meets").fill_null(False)).cum_sum().cast(pl.Int64)
    return begins.with_columns(track_id=ids).drop("meets")


def overlaps(hits: pl.DataFrame, least: float) -> pl.DataFrame:
    """Pairs of tracks that overlap in a frame by IoU `least` and more, both ways.

    Columns `track_id, other, frame, iou`.
    """
    others = hits.select("frame", other="track_id", **{f"other_{name}": name for name in BOX_COLUMNS})
    width = pl.min_horizontal("x2", "other_x2") - pl.max_horizontal("x1", "other_x1")
    height = pl.min_horizontal("y2", "other_y2") - pl.max_horizontal("y1", "other_y1")
    shared = width.clip(0) * height.clip(0)
    areas = [
        (pl.col(f"{of}x2") - pl.col(f"{of}x1")) * (pl.col(f"{of}y2") - pl.col(f"{of}y1"))
        for of in ("", "other_")
    ]
    return (
        hits.join(others, on="frame")
        .filter(pl.col("track_id") != pl.col("other"))
        .with_columns(iou=shared / (areas[0] + areas[1] - shared))
        .filter(pl.col("iou") >= least)
        .select("track_id", "other", "frame", "iou")
    )


def _meetings(hits: pl.DataFrame) -> pl.DataFrame:
    """`track_id, frame, meets`: where each track is nearest to each one that it crosses."""
    nearest = pl.col("frame").sort_by("iou", "frame").last()
    met = overlaps(hits, CROSSING).group_by("track_id", "other").agg(nearest)
    return met.select("track_id", "frame").unique().with_columns(meets=pl.lit(value=True))
