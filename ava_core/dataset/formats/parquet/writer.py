"""Labels with the names of their classes, and with boxes as shares of the picture and of the video."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ava_core.base.schemas import BOX_COLUMNS
from ava_core.dataset.formats.ava.names import SPLITS
from ava_core.dataset.formats.dataset import Dataset
from ava_core.dataset.formats.parquet import names


def write_parquet(folder: Path, dataset: Dataset) -> None:
    """Write `parquet/<split>.parquet`; a split without a clip has a table without rows."""
    (folder / names.FOLDER).mkdir()
    for split in SPLITS:
        labels_of(dataset, split).write_parquet(folder / names.table(split))


def labels_of(dataset: Dataset, split: str) -> pl.DataFrame:
    """The rows of a split (`rows.ROW_COLUMNS`) with `action` and `video_x1` … `video_y2`.

    The latter are shares of the clip's own video, which may have bars that the dataset's pictures have not.
    """
    shape = dataset.clips.select(
        "width", "height", "pad_x", "pad_y", "content_width", "content_height", video_id="clip_id"
    )
    placed = [
        ((pl.col(f"pad_{side[0]}") + pl.col(side) * pl.col(content)) / pl.col(whole)).alias(f"video_{side}")
        for side in BOX_COLUMNS
        for content, whole in [_EXTENT[side[0]]]
    ]
    rows = dataset.rows_of(split)
    joined = rows.join(shape, on="video_id", maintain_order="left")
    named = {action.id: action.name for action in dataset.ontology.actions}
    action = pl.col("action_id").replace_strict(named, return_dtype=pl.String)
    return joined.with_columns(*placed, action=action).select(
        *rows.columns, "action", *(f"video_{side}" for side in BOX_COLUMNS)
    )


_EXTENT = {"x": ("content_width", "width"), "y": ("content_height", "height")}
