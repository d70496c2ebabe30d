"""Detections of a clip, kept so that tracking can be repeated without detecting.

Beside the boxes lies which frames were looked at (also those in which nobody was found), and by what.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.schemas import CLIP_FPS, DETECTIONS, conform
from ava_core.base.settings import Settings
from ava_core.batch import BatchContext
from ava_core.video.detection.base import Boxes, Detector
from ava_core.video.detection.registry import detector_fps, make_detector
from ava_core.video.given import is_given

Frames = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ClipDetections:
    """What a detector found in one clip.

    `boxes` has the columns of `schemas.DETECTIONS`; `sampled` are the clip's frames that were looked at;
    `provenance` says by which detector, version, parameters and rate.
    """

    boxes: pl.DataFrame
    sampled: Frames
    provenance: dict[str, Any]


def provenance(settings: Settings, detector: Detector) -> dict[str, Any]:
    """What decides the result: detector, version, parameters, rate actually used."""
    step = sampling_step(settings, detector)
    return {
        "detector": detector.name,
        "version": detector.version,
        "parameters": detector.parameters,
        "fps": CLIP_FPS / step,
    }


def sampling_step(settings: Settings, detector: Detector) -> int:
    """Clip frames from one look to the next."""
    return max(1, round(CLIP_FPS / detector_fps(settings, detector)))


def collect(clip_id: str, found: list[tuple[int, Boxes]], made_by: dict[str, Any]) -> ClipDetections:
    """`ClipDetections` from the boxes of each frame looked at."""
    sampled = np.array([frame for frame, _ in found], dtype=np.int64)
    rows = np.vstack([np.empty((0, 5)), *(boxes for _, boxes in found)])
    frames = np.repeat(sampled, [len(boxes) for _, boxes in found])
    columns = dict(zip(("x1", "y1", "x2", "y2", "score"), rows.T, strict=True))
    table = pl.DataFrame({"clip_id": [clip_id] * len(frames), "frame": frames, **columns})
    return ClipDetections(conform(table, DETECTIONS, clip_id), sampled, made_by)


def keep(at: BatchContext, clip_id: str, clip_sha256: str, found: ClipDetections) -> None:
    """Write a clip's detections; the note of how they were made comes last, so half a cache is no cache."""
    storage = at.storage
    folder = at.folder("clips") / "detections"
    storage.write_table(folder / f"{clip_id}.parquet", found.boxes)
    note = found.provenance | {"clip_sha256": clip_sha256, "sampled_frames": found.sampled.tolist()}
    storage.write_bytes(folder / f"{clip_id}.json", json.dumps(note).encode())


def load_or_detect(at: BatchContext, clip: dict[str, Any]) -> ClipDetections:
    """Detections of a clip (a row of `schemas.CLIPS`): kept ones that fit the settings, else new ones.

    Those that came with clips made elsewhere always fit: their detector may not exist here.
    """
    kept = _kept(at, clip)
    if kept and is_given(at, "clips"):
        return kept
    detector = make_detector(at.settings)
    if kept and kept.provenance == json.loads(json.dumps(provenance(at.settings, detector))):
        return kept
    found = detect_clip(at, clip, detector)
    keep(at, clip["clip_id"], clip["sha256"], found)
    return found


def _kept(at: BatchContext, clip: dict[str, Any]) -> ClipDetections | None:
    """What was kept of this clip with this content."""
    folder = at.folder("clips") / "detections"
    note_path = folder / f"{clip['clip_id']}.json"
    if not note_path.exists():
        return None
    note = json.loads(note_path.read_bytes())
    sampled = np.array(note.pop("sampled_frames"), dtype=np.int64)
    if note.pop("clip_sha256") != clip["sha256"]:
        return None
    return ClipDetections(at.storage.read_table(folder / f"{clip['clip_id']}.parquet"), sampled, note)


def detect_clip(at: BatchContext, clip: dict[str, Any], detector: Detector) -> ClipDetections:
    """Detect in a clip alone, by decoding it."""
    from ava_core.video.media.frames import decoded_frames

    step = sampling_step(at.settings, detector)
    found: list[tuple[int, Boxes]] = []
    with at.storage.fetched(at.storage.path(clip["path"])) as path:
        sampler = BatchedDetection(detector)
        for number, frame in enumerate(decoded_frames(path, detector.pixel_format)):
            if number % step == 0:
                found += sampler.push(number, frame)
        found += sampler.finish()
    return collect(clip["clip_id"], found, provenance(at.settings, detector))


class BatchedDetection:
    """Feeds a detector with frames of one video: first its warm-up, then batches of the size it likes."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._waiting: list[tuple[int, npt.NDArray[np.uint8]]] = []
        self._started = False

    def push(self, number: int, frame: npt.NDArray[np.uint8]) -> list[tuple[int, Boxes]]:
        """Add frame `number`; returns what was found in frames that are finished by now."""
        self._waiting.append((number, frame))
        if not self._started and len(self._waiting) < self._detector.warm_up_frames:
            return []
        self._start()
        return self._detect() if len(self._waiting) >= self._detector.batch_size else []

    def finish(self) -> list[tuple[int, Boxes]]:
        """What was found in the frames that were still waiting."""
        self._start()
        return self._detect()

    def _start(self) -> None:
        if not self._started:
            self._detector.start_video([frame for _, frame in self._waiting])
            self._started = True

    def _detect(self) -> list[tuple[int, Boxes]]:
        found = []
        size = self._detector.batch_size
        for start in range(0, len(self._waiting), size):
            batch = self._waiting[start : start + size]
            boxes = self._detector.detect([frame for _, frame in batch])
            found += [(number, b) for (number, _), b in zip(batch, boxes, strict=True)]
        self._waiting = []
        return found
