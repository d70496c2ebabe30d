"""How large a dataset's pictures are: clips that were left as large as they came are sized when they are exported."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ava_core.base.schemas import BOX_COLUMNS, CLIPS
from ava_core.base.settings import Settings
from ava_core.video.media.geometry import fit_picture


def as_pictures(
    clips: pl.DataFrame, boxes: Sequence[pl.DataFrame], settings: Settings
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Clips (`schemas.CLIPS`) and boxes (tables with `clip_id, x1, y1, x2, y2`) in pixels of the dataset's pictures.

    `settings`: the batch's own. With `clip_fit=auto`, pictures are no larger than `clip_width` × `clip_height`, as
    those of clips that had to be scaled; with any other, each clip is as large as it was asked for.
    """
    if settings.clip_fit != "auto":
        return clips, list(boxes)
    sizes = pl.DataFrame(
        [
            (clip, *_size(width, height, settings))
            for clip, width, height in clips.select("clip_id", "content_width", "content_height").rows()
        ],
        schema={"clip_id": pl.String, "to_width": pl.Int32, "to_height": pl.Int32},
        orient="row",
    )
    measured = clips.join(sizes, on="clip_id", maintain_order="left").with_columns(
        times_x=pl.col("to_width") / pl.col("content_width"),
        times_y=pl.col("to_height") / pl.col("content_height"),
    )
    times = measured.select("clip_id", "times_x", "times_y")
    shrunk = (pl.col("times_x") != 1) | (pl.col("times_y") != 1)
    # Only pictures without bars are larger than they may be.
    sized = {
        "width": pl.col("to_width"), "height": pl.col("to_height"),
        "content_width": pl.col("to_width"), "content_height": pl.col("to_height"),
        "scale_x": pl.col("scale_x") * pl.col("times_x"), "scale_y": pl.col("scale_y") * pl.col("times_y"),
        "pad_x": pl.lit(0), "pad_y": pl.lit(0),
    }  # fmt: skip
    pictures = measured.with_columns(
        **{name: pl.when(shrunk).then(new).otherwise(pl.col(name)) for name, new in sized.items()}
    )
    return (
        pictures.select(pl.col(name).cast(kind) for name, kind in CLIPS.items()),
        [_scaled(table, times) for table in boxes],
    )


def _size(width: int, height: int, settings: Settings) -> tuple[int, int]:
    fit = fit_picture(width, height, settings.clip_width, settings.clip_height, "scale")
    return fit.content_width, fit.content_height


def _scaled(boxes: pl.DataFrame, times: pl.DataFrame) -> pl.DataFrame:
    factors = dict.fromkeys(("x1", "x2"), "times_x") | dict.fromkeys(("y1", "y2"), "times_y")
    joined = boxes.join(times, on="clip_id", how="left", maintain_order="left")
    return joined.with_columns(
        pl.col(side) * pl.col(factors[side]).fill_null(1.0) for side in BOX_COLUMNS
    ).select(boxes.columns)
