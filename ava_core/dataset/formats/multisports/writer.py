"""Tubes as MultiSports and UCF101-24 keep them, for readers of tube detection (mmaction2's MultiSportsMetric)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from ava_core.base.pickles import dumps_for_every_numpy
from ava_core.dataset.formats.dataset import Dataset
from ava_core.dataset.formats.multisports import names
from ava_core.dataset.formats.multisports.tubes import Tube, tubes


def write_multisports(folder: Path, dataset: Dataset) -> None:
    """Write `multisports/`: boxes in pixels of the picture, labels numbered from 0 in the order of their ids.

    The layout knows two splits: what is val or test here is `test_videos` there.
    """
    (folder / names.FOLDER).mkdir(parents=True)
    label = {action.id: number for number, action in enumerate(dataset.ontology.actions)}
    clips = dataset.clips.filter(pl.col("clip_id").is_in(list(dataset.split_of))).sort("clip_id")
    size = {clip: (h, w) for clip, h, w in clips.select("clip_id", "content_height", "content_width").rows()}
    found: dict[str, dict[int, list[Tube]]] = {clip: {} for clip in clips["clip_id"]}
    for video, action, tube in tubes(dataset.rows):
        height, width = size[video]
        tube[:, 1:] *= (width, height, width, height)
        found[video].setdefault(label[action], []).append(tube)
    train = [clip for clip in clips["clip_id"] if dataset.split_of[clip] == "train"]
    content: dict[str, Any] = {
        "labels": [action.name for action in dataset.ontology.actions],
        "train_videos": [train],
        "test_videos": [[clip for clip in clips["clip_id"] if clip not in set(train)]],
        "nframes": dict(clips.select("clip_id", "frames").rows()),
        "resolution": size,
        "gttubes": found,
    }
    (folder / names.TRUTH).write_bytes(dumps_for_every_numpy(content))
