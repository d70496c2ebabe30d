"""COCO with videos (`CocoVID`): pictures of keyframes, a box per person and action, persons as instances."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, CLIP_FPS
from ava_core.dataset.formats.ava.names import SPLITS, frame_paths
from ava_core.dataset.formats.coco import names
from ava_core.dataset.formats.dataset import Dataset


def write_coco(folder: Path, dataset: Dataset) -> None:
    """Write `coco/`. Boxes are `x y width height` in pixels of the picture; `instance_id` is the person's."""
    (folder / names.FOLDER).mkdir(parents=True)
    ontology = dataset.ontology
    categories = [
        {"id": a.id, "name": a.name, "supercategory": ontology.group_of(a.id).name} for a in ontology.actions
    ]
    for split in SPLITS:
        videos = _videos(dataset.clips_of(split))
        images = _images(dataset.rows_of(split), videos)
        content = {
            "videos": videos.select("id", "name", "width", "height", "frames").to_dicts(),
            "images": images.drop("timestamp").to_dicts(),
            "annotations": _annotations(dataset.rows_of(split), images).to_dicts(),
            "categories": categories,
        }
        (folder / names.split_json(split)).write_text(json.dumps(content, separators=(",", ":")) + "\n")


def _videos(clips: pl.DataFrame) -> pl.DataFrame:
    return clips.select(
        id=pl.int_range(1, pl.len() + 1), name="clip_id", width="content_width", height="content_height",
        frames="frames",
    )  # fmt: skip


def _images(rows: pl.DataFrame, videos: pl.DataFrame) -> pl.DataFrame:
    seconds = rows.select(name="video_id", timestamp="timestamp").unique().sort("name", "timestamp")
    frame = (pl.col("timestamp") - AVA_TIMESTAMP_OFFSET) * CLIP_FPS
    return seconds.join(videos.rename({"id": "video_id"}).drop("frames"), on="name").select(
        id=pl.int_range(1, pl.len() + 1), video_id="video_id", frame_id=frame, width="width", height="height",
        file_name=frame_paths("name", frame + 1), timestamp="timestamp", name="name",
    )  # fmt: skip


def _annotations(rows: pl.DataFrame, images: pl.DataFrame) -> pl.DataFrame:
    placed = rows.rename({"video_id": "name"}).join(
        images.rename({"id": "image_id"}), on=["name", "timestamp"], maintain_order="left"
    )
    width = (pl.col("x2") - pl.col("x1")) * pl.col("width")
    height = (pl.col("y2") - pl.col("y1")) * pl.col("height")
    corner = (pl.col("x1") * pl.col("width"), pl.col("y1") * pl.col("height"))
    return placed.select(
        id=pl.int_range(1, pl.len() + 1), image_id="image_id", video_id="video_id", category_id="action_id",
        instance_id="person_id", bbox=pl.concat_list(*(c.round(2) for c in (*corner, width, height))),
        area=(width * height).round(2), iscrowd=pl.lit(0),
    )  # fmt: skip
