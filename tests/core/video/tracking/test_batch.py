"""Tracks of a batch: kept clip by clip, made again only where something changed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ava_core.base.schemas import CLIPS
from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.video.detection.cache import ClipDetections
from ava_core.video.tracking import batch as tracking_batch
from ava_core.video.tracking.batch import track_clips, track_provenance

Walker = Callable[..., pl.DataFrame]


@pytest.fixture
def clips() -> pl.DataFrame:
    rows = [
        {"clip_id": name, "batch": "b", "frames": 450, "sha256": f"sha-{name}"} for name in ("c1", "c2", "c3")
    ]
    return pl.DataFrame(rows, schema=dict(CLIPS))


@pytest.fixture
def tracked(monkeypatch: pytest.MonkeyPatch, walker: Walker) -> list[str]:
    """Clips that were tracked, not only read again."""
    done: list[str] = []

    def detect(at: BatchContext, clip: dict[str, Any]) -> ClipDetections:
        boxes = walker(range(0, 300, 3)).with_columns(clip_id=pl.lit(clip["clip_id"]))
        return ClipDetections(boxes, np.arange(0, 300, 3), {"detector": "scripted", "version": "1"})

    real = tracking_batch.track_detections

    def track(boxes: pl.DataFrame, *args: Any, **kwargs: Any) -> pl.DataFrame:
        done.append(boxes["clip_id"][0])
        return real(boxes, *args, **kwargs)

    monkeypatch.setattr(tracking_batch, "load_or_detect", detect)
    monkeypatch.setattr(tracking_batch, "track_detections", track)
    return done


def test_a_second_run_tracks_nothing(tmp_path: Path, clips: pl.DataFrame, tracked: list[str]) -> None:
    at = BatchContext("b", load_settings(), storage=Storage(tmp_path))
    first = track_clips(at, clips)
    assert track_clips(at, clips).equals(first)
    assert tracked == ["c1", "c2", "c3"]


def test_a_run_that_broke_off_goes_on(
    tmp_path: Path, clips: pl.DataFrame, tracked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = BatchContext("b", load_settings(), storage=Storage(tmp_path))
    write = at.storage.write_table

    def break_off(path: Any, table: pl.DataFrame) -> None:
        if path.stem == "c2":
            raise KeyboardInterrupt
        write(path, table)

    monkeypatch.setattr(at.storage, "write_table", break_off)
    with pytest.raises(KeyboardInterrupt):
        track_clips(at, clips)
    tracked.clear()
    tracks = track_clips(BatchContext("b", load_settings(), storage=Storage(tmp_path)), clips)
    assert tracked == ["c2", "c3"]
    assert tracks["clip_id"].n_unique() == 3


def test_changes_track_again_and_only_what_they_touch(
    tmp_path: Path, clips: pl.DataFrame, tracked: list[str]
) -> None:
    at = BatchContext("b", load_settings(), storage=Storage(tmp_path))
    track_clips(at, clips)
    tracked.clear()
    changed = pl.when(pl.col("clip_id") == "c3").then(pl.lit("new")).otherwise("sha256")
    track_clips(at, clips.with_columns(sha256=changed))
    assert tracked == ["c3"]
    track_clips(BatchContext("b", load_settings(detection_threshold=0.6), storage=at.storage), clips)
    assert tracked == ["c3", "c1", "c2", "c3"]


def test_a_clip_that_cannot_be_tracked_stops_no_other(
    tmp_path: Path, clips: pl.DataFrame, tracked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    detect, storage = tracking_batch.load_or_detect, Storage(tmp_path)
    at = BatchContext("b", load_settings(), storage=storage)

    def fail(at: BatchContext, clip: dict[str, Any]) -> ClipDetections:
        if clip["clip_id"] == "c2":
            raise ValueError("nothing to see")
        return detect(at, clip)

    monkeypatch.setattr(tracking_batch, "load_or_detect", fail)
    tracks = track_clips(at, clips)
    assert tracks["clip_id"].unique().sort().to_list() == ["c1", "c3"]
    aside = storage.read_table(storage.table_path("b", "tracks", "set_aside"))
    assert aside.rows() == [("c2", "ValueError: nothing to see")]
    monkeypatch.setattr(tracking_batch, "load_or_detect", detect)
    assert track_clips(at, clips)["clip_id"].n_unique() == 3
    assert storage.read_table(storage.table_path("b", "tracks", "set_aside")).is_empty()


def test_what_made_the_tracks_is_kept(tmp_path: Path, clips: pl.DataFrame, tracked: list[str]) -> None:
    at = BatchContext("b", load_settings(), storage=Storage(tmp_path))
    track_clips(at, clips)
    (made_by,) = track_provenance(at)["made_by"]
    assert made_by["detector"]["detector"] == "scripted"
    assert (made_by["tracker"]["name"], made_by["tracker"]["start_score"], made_by["clips"]) == (
        "sort",
        0.45,
        3,
    )


def test_older_tools_find_their_zip(tmp_path: Path, clips: pl.DataFrame, tracked: list[str]) -> None:
    at = BatchContext("b", load_settings(), storage=Storage(tmp_path))
    tracks = track_clips(at, clips)
    with zipfile.ZipFile(at.storage.asset_dir("b", "tracks") / "tracking_jsons.zip") as archive:
        assert archive.namelist() == ["c1.json", "c2.json", "c3.json"]
        rows = json.loads(archive.read("c2.json"))
    assert len(rows) == tracks.filter(pl.col("clip_id") == "c2").height
    assert rows[0] == {"video_id": "c2", "frame": 0, "track_id": 1, "bbox": [50.0, 100.0, 90.0, 200.0]}
