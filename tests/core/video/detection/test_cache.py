"""Detections are kept beside the clip, and used again only where they fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ava_core.base.schemas import DETECTIONS
from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.video.detection import cache
from ava_core.video.detection.base import Frame
from ava_core.video.detection.cache import BatchedDetection, ClipDetections, collect, keep, load_or_detect
from tests.support.counting_detector import Counting

CLIP: dict[str, Any] = {"clip_id": "c", "sha256": "aa", "path": "c.mp4"}


def frame(number: int) -> Frame:
    return np.full((2, 2, 3), number, np.uint8)


def found(clip_id: str, made_by: dict[str, Any]) -> ClipDetections:
    return collect(clip_id, [(0, np.array([[1, 2, 3, 4, 0.5]])), (6, np.empty((0, 5)))], made_by)


def test_frames_come_in_batches_in_order() -> None:
    detector = Counting()
    sampler = BatchedDetection(detector)
    got = [hit for number in range(10) for hit in sampler.push(number, frame(number))] + sampler.finish()
    assert detector.batches == [4, 4, 2]
    assert [(number, boxes[0, 4]) for number, boxes in got] == [(n, n / 100) for n in range(10)]


def test_a_warm_up_is_seen_once_and_detected_too() -> None:
    detector = Counting(batch_size=2, warm_up_frames=5)
    sampler = BatchedDetection(detector)
    got = [hit for number in range(7) for hit in sampler.push(number, frame(number))] + sampler.finish()
    assert detector.started == [5]
    assert [number for number, _ in got] == list(range(7))


def test_a_video_shorter_than_the_warm_up_is_detected_all_the_same() -> None:
    detector = Counting(warm_up_frames=50)
    sampler = BatchedDetection(detector)
    assert sampler.push(0, frame(0)) == []
    assert len(sampler.finish()) == 1
    assert detector.started == [1]


def test_what_was_looked_at_is_known_even_where_nobody_was() -> None:
    detections = found("c", {})
    assert detections.sampled.tolist() == [0, 6]
    assert detections.boxes.rows() == [("c", 0, 1.0, 2.0, 3.0, 4.0, 0.5)]
    assert dict(collect("c", [], {}).boxes.schema) == dict(DETECTIONS)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Clips that had to be detected."""
    clips: list[str] = []

    def detect(at: BatchContext, clip: dict[str, Any], detector: Any) -> ClipDetections:
        clips.append(clip["clip_id"])
        return found(clip["clip_id"], cache.provenance(load_settings(), detector))

    monkeypatch.setattr(cache, "detect_clip", detect)
    monkeypatch.setattr(cache, "make_detector", lambda settings: Counting())
    return clips


def test_kept_detections_are_used_again(tmp_path: Any, counted: list[str]) -> None:
    at = BatchContext("b", load_settings(), storage=Storage(tmp_path))
    first = load_or_detect(at, CLIP)
    again = load_or_detect(at, CLIP)
    assert counted == ["c"]
    assert again.boxes.equals(first.boxes)
    assert again.sampled.tolist() == first.sampled.tolist()
    assert again.provenance == first.provenance


@pytest.mark.parametrize("change", ["clip", "rate", "detector", "note lost"])
def test_what_does_not_fit_is_detected_again(
    change: str, tmp_path: Any, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, clip, settings = Storage(tmp_path), CLIP, load_settings()
    load_or_detect(BatchContext("b", settings, storage=storage), clip)
    if change == "clip":
        clip = clip | {"sha256": "bb"}
    elif change == "rate":
        settings = load_settings(detect_fps=10.0)
    elif change == "detector":
        monkeypatch.setattr(Counting, "version", "2")
    else:
        (storage.asset_dir("b", "clips") / "detections" / "c.json").unlink()
    load_or_detect(BatchContext("b", settings, storage=storage), clip)
    assert counted == ["c", "c"]


def test_half_a_cache_is_none(tmp_path: Any, counted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    at = BatchContext("b", load_settings(), storage=Storage(tmp_path))

    def torn(path: Any, data: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(at.storage, "write_bytes", torn)
    with pytest.raises(KeyboardInterrupt):
        keep(at, "c", "aa", found("c", {}))
    load_or_detect(BatchContext("b", load_settings(), storage=Storage(tmp_path)), CLIP)
    assert counted == ["c"]
