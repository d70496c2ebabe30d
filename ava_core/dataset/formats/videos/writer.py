"""Clips as videos, hard links where the file system allows, with the labels of each."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ava_core.base.files import link_or_copy
from ava_core.dataset.formats.ava.names import SPLITS
from ava_core.dataset.formats.dataset import Dataset
from ava_core.dataset.formats.videos import names
from ava_core.dataset.formats.videos.labels import clip_records


def write_videos(folder: Path, dataset: Dataset) -> None:
    """Write `videos/<split>/` of each split that has clips."""
    for split in SPLITS:
        records = clip_records(dataset, split)
        if records.is_empty():
            continue
        (folder / names.FOLDER / split).mkdir(parents=True)
        for clip in records["video_id"]:
            link_or_copy(dataset.videos[clip], folder / names.video(split, clip))
        file_name = pl.col("video_id") + names.SUFFIX
        records.select(file_name.alias("file_name"), *records.columns).write_parquet(
            folder / names.metadata(split)
        )
