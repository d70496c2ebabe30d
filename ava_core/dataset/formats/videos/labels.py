"""The labels of a clip in one record, as loaders of whole videos want them."""

from __future__ import annotations

from typing import Final

import polars as pl

from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS
from ava_core.dataset.formats.ava.rows import excluded_seconds, seconds_in_window
from ava_core.dataset.formats.dataset import Dataset
from ava_core.dataset.formats.parquet.writer import labels_of

LISTED: Final = ("timestamp", "person_id", "action_id", "action")


def clip_records(dataset: Dataset, split: str) -> pl.DataFrame:
    """A row a clip of the split, by id: `video_id, fps, frames, width, height`, and lists.

    `annotated`: the timestamps that readers look at; one without a label shows nobody who acts. `timestamp, person_id,
    action_id, action, box`: of each label, in one order; boxes `[x1, y1, x2, y2]` are shares of the video. No list
    is empty, so that readers which guess types from the first records guess right.
    """
    clips = dataset.clips_of(split)
    looked_at = seconds_in_window(clips).join(
        excluded_seconds(dataset.disputed, clips), on=["clip_id", "second"], how="anti"
    )
    box = pl.concat_list([pl.col(f"video_{side}").round(6) for side in BOX_COLUMNS])
    labels = labels_of(dataset, split).with_columns(box=box)
    listed = labels.group_by("video_id").agg(*LISTED, "box")
    annotated = looked_at.group_by(video_id="clip_id").agg(annotated=pl.col("timestamp").sort())
    shape = clips.select("frames", "width", "height", video_id="clip_id", fps=pl.lit(CLIP_FPS, pl.Int32))
    return (
        shape.join(annotated, on="video_id")
        .join(listed, on="video_id")
        .select("video_id", "fps", "frames", "width", "height", "annotated", *LISTED, "box")
        .sort("video_id")
    )
