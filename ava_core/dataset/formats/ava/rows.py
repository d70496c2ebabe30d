"""Annotation rows by AVA's rules: normalised boxes, timestamps from 900, one row per box and action."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, BOX_COLUMNS, CLIP_FPS, Schema

DECIMALS: Final = 4
"""Of normalised coordinates, always written in full, since readers compare rows of one person as text; three
would round a person 20 px wide by 6 %."""

CONTEXT_SECONDS: Final = 2
"""Seconds of video that a labelled second needs before and after it: models see about two seconds around it."""

FIRST_TIMESTAMP: Final = 902
LAST_TIMESTAMP: Final = 1798
"""SlowFast and pytorchvideo know these and those between alone; others are skipped or raise KeyError."""

ROWS: Final[Schema] = {
    "video_id": pl.String,
    "timestamp": pl.Int32,
    **dict.fromkeys(BOX_COLUMNS, pl.Float64),
    "action_id": pl.Int32,
    "person_id": pl.Int32,
}
ROW_COLUMNS: Final = tuple(ROWS)
KEY_COLUMNS: Final = ("video_id", "timestamp", "person_id", "action_id")
"""By these no two rows are alike, and rows are sorted."""


def in_window() -> pl.Expr:
    """Whether a `second` has its context on both sides; needs the clip's `frames`."""
    last = pl.min_horizontal(
        pl.col("frames") // CLIP_FPS - CONTEXT_SECONDS, LAST_TIMESTAMP - AVA_TIMESTAMP_OFFSET
    )
    return (pl.col("second") >= CONTEXT_SECONDS) & (pl.col("second") <= last)


def seconds_in_window(clips: pl.DataFrame) -> pl.DataFrame:
    """Every second of the clips that has its context: `clip_id, second, timestamp`."""
    seconds = clips.with_columns(second=pl.int_ranges(0, pl.col("frames") // CLIP_FPS, dtype=pl.Int32))
    rows = seconds.explode("second", empty_as_null=False).filter(in_window())
    return rows.select("clip_id", "second", timestamp=pl.col("second") + AVA_TIMESTAMP_OFFSET)


def excluded_seconds(disputed: pl.DataFrame, clips: pl.DataFrame) -> pl.DataFrame:
    """Seconds of the clips that readers leave out: `clip_id, second, timestamp`, sorted."""
    given = disputed.select("clip_id", "second").unique()
    return seconds_in_window(clips).join(given, on=["clip_id", "second"]).sort("clip_id", "second")


def normalised(boxes: pl.DataFrame, clips: pl.DataFrame) -> pl.DataFrame:
    """Boxes of clips as shares of the picture without bars, rounded, with `timestamp`; those without context go.

    `boxes`: `clip_id, second, x1, y1, x2, y2, …` in clip pixels; other columns stay. A box that is nothing
    after clipping and rounding is dropped.
    """
    shape = clips.select("clip_id", "frames", "pad_x", "pad_y", "content_width", "content_height")
    x = [((pl.col(n) - pl.col("pad_x")) / pl.col("content_width")).alias(n) for n in ("x1", "x2")]
    y = [((pl.col(n) - pl.col("pad_y")) / pl.col("content_height")).alias(n) for n in ("y1", "y2")]
    return (
        boxes.join(shape, on="clip_id")
        .filter(in_window())
        .with_columns(*x, *y)
        .with_columns(
            pl.col(BOX_COLUMNS).clip(0.0, 1.0).round(DECIMALS) + 0.0
        )  # no -0.0: it would be written
        .filter(pl.col("x2") > pl.col("x1"), pl.col("y2") > pl.col("y1"))
        .with_columns(timestamp=pl.col("second").cast(pl.Int32) + AVA_TIMESTAMP_OFFSET)
        .select(*boxes.columns, "timestamp")
    )


def annotation_rows(
    boxes: pl.DataFrame, labels: pl.DataFrame, clips: pl.DataFrame, disputed: pl.DataFrame
) -> pl.DataFrame:
    """Rows of an annotation csv: `ROW_COLUMNS`, sorted, without doubles.

    `boxes`, `labels`: `schemas.CONSENSUS_BOXES`, `CONSENSUS_LABELS`; `clips`: `schemas.CLIPS`; `disputed`:
    `schemas.DISPUTED`. A person without any action gives no row, and neither does a disputed second: SlowFast
    trains on whatever stands in the csv, excluded or not.
    """
    at = ["clip_id", "second", "person_id"]
    agreed = boxes.join(disputed, on=["clip_id", "second"], how="anti")
    placed = normalised(agreed.select(*at, *BOX_COLUMNS), clips)
    joined = placed.join(labels.select(*at, "action_id"), on=at)
    rows = joined.rename({"clip_id": "video_id"}).select(ROW_COLUMNS).unique()
    return rows.sort(KEY_COLUMNS)


def as_text(table: pl.DataFrame) -> pl.DataFrame:
    """A table with its boxes (shares of the picture) and timestamps as the text that stands in files."""
    places = [(pl.col(name) * 10**DECIMALS).round().cast(pl.UInt32) for name in BOX_COLUMNS]
    texts = pl.lit(_shares())
    return table.with_columns(
        timestamp_text(), *(texts.gather(at).alias(n) for n, at in zip(BOX_COLUMNS, places, strict=True))
    )


@cache
def _shares() -> pl.Series:
    """Every share that can occur, as text: looking it up takes a tenth of the time of formatting it."""
    return pl.Series([f"{number / 10**DECIMALS:.{DECIMALS}f}" for number in range(10**DECIMALS + 1)])


def timestamp_text() -> pl.Expr:
    """`timestamp` with four digits."""
    return pl.col("timestamp").cast(pl.String).str.zfill(4)
