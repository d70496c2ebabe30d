"""Cutting source videos into clips: one decode pass feeds the clips, the keyframes and the detector.

Every frame is decoded once, scaled once and encoded at most once; what need not change is copied as it is. Clip
frame n shows what the source showed at `start + n / 30` s by its presentation times, so sources of a variable or
other rate come out at a constant 30 fps.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from ava_core.base.progress import Progress, ProgressSink, ignore_progress
from ava_core.base.schemas import CLIP_FPS, CLIPS, USABLE
from ava_core.base.settings import CLIP_OPTIONS, Settings
from ava_core.batch import BatchContext
from ava_core.video.detection.base import Boxes, Detector
from ava_core.video.detection.cache import BatchedDetection, collect, keep, provenance, sampling_step
from ava_core.video.detection.registry import make_detector
from ava_core.video.given import given_table
from ava_core.video.media.ahead import ahead
from ava_core.video.media.clip_writer import CRF, PRESET, ClipWriter
from ava_core.video.media.constant_rate import Shown, shown_at_constant_rate
from ava_core.video.media.geometry import Fit, fit_picture
from ava_core.video.media.stream_copy import copyable_clips

DECODED_AHEAD: Final = 32
"""Pictures decoded ahead of a GPU: 100 MB at 1080p."""
FORMAT_VERSION: Final = 3
"""Raise when this file changes what it writes: older clips are then cut again."""


def cut_clips(
    at: BatchContext, source_videos: pl.DataFrame, sink: ProgressSink = ignore_progress
) -> pl.DataFrame:
    """Cut all usable source videos; returns `schemas.CLIPS`.

    Writes under `batches/<batch>/clips`: `files/<clip_id>.mp4`, `keyframes/<clip_id>/<second %04d>.jpg`, and
    the detections of the same pass. Done clips are left alone unless their source's content or the settings
    changed. A source that breaks off keeps the clips before the break. Clips that were made elsewhere stay as
    they are.
    """
    usable = source_videos.filter(USABLE)
    given = given_table(at, "clips")
    if given is not None:
        return given.join(usable, on="source_id", how="semi")
    detector = make_detector(at.settings)
    progress = Progress("cut", float(usable["duration_s"].sum()), "video seconds", sink)
    rows: list[dict[str, Any]] = []
    for source in usable.to_dicts():
        rows += _cut_or_reuse(at, source, detector, progress)
    progress.finish()
    return pl.DataFrame(rows, schema=dict(CLIPS))


def _cut_or_reuse(
    at: BatchContext, source: dict[str, Any], detector: Detector, progress: Progress
) -> list[dict[str, Any]]:
    storage = at.storage
    note_path = at.folder("clips") / "done" / f"{source['source_id']}.json"
    key = _key(source, at.settings, provenance(at.settings, detector))
    note = read_note(note_path, key)
    if note and all(storage.path(row["path"]).exists() for row in note["clips"]):
        progress.advance(source["duration_s"])
        return list(note["clips"])
    with storage.fetched(storage.path(source["path"])) as path:
        rows = _Cutter(at, source, path, detector, key).run(progress)
    storage.write_bytes(note_path, json.dumps({"key": key, "clips": rows}).encode())
    return rows


def read_note(path: Any, key: str) -> dict[str, Any] | None:
    """The note at `path` if it says that what it speaks of was made in the way of `key`."""
    note: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {}
    return note if note.get("key") == key else None


def _key(source: dict[str, Any], settings: Settings, made_by: dict[str, Any]) -> str:
    content = {name: getattr(settings, name) for name in CLIP_OPTIONS} | {
        "source": source["sha256"],
        "detector": made_by,
        "version": [FORMAT_VERSION, CRF, PRESET],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class _Cutter:
    """One pass over one source video, clip by clip; a clip is done when its note is written.

    Clips that an earlier run of the same parameters finished are left alone: their frames are decoded, but
    neither scaled nor encoded, and detected again only for a detector that learns from what it sees.
    """

    def __init__(
        self, at: BatchContext, source: dict[str, Any], path: Path, detector: Detector, key: str
    ) -> None:
        self.at, self.source, self.path, self.detector, self.key = at, source, path, detector, key
        settings, self.storage = at.settings, at.storage
        self.made_by = provenance(settings, detector)
        self.step = sampling_step(settings, detector)
        self.frames_per_clip = round(settings.clip_seconds * CLIP_FPS)
        self.least_frames = min(round(settings.clip_min_seconds * CLIP_FPS), self.frames_per_clip)
        self.fit: Fit = fit_picture(
            source["width"], source["height"], settings.clip_width, settings.clip_height, settings.clip_fit
        )
        self.folder = at.folder("clips")
        self.copyable: dict[int, float] = {}
        if not self.fit.scales:
            self.copyable = copyable_clips(path, source, self.frames_per_clip)
        self.sampler = BatchedDetection(detector)
        self.rows: list[dict[str, Any]] = []

    def run(self, progress: Progress) -> list[dict[str, Any]]:
        """Cut; returns the rows of `schemas.CLIPS`."""
        pictures = shown_at_constant_rate(self.path, self.fit, self.source["rotation"])
        if getattr(self.detector, "device", "cpu") != "cpu":
            # While the GPU looks at a batch the next one is decoded.
            pictures = ahead(pictures, DECODED_AHEAD)
        for index in itertools.count():
            own = itertools.islice(pictures, self.frames_per_clip)
            row = self._done(index)
            row = self._cut(index, own, progress) if row is None else self._pass_over(row, own, progress)
            if row is None:
                return self.rows
            self.rows.append(row)
        raise AssertionError

    def _clip_id(self, index: int) -> str:
        return f"{self.source['source_id']}_{index:03d}"

    def _note_path(self, index: int) -> Any:
        return self.folder / "done" / f"{self._clip_id(index)}.json"

    def _done(self, index: int) -> dict[str, Any] | None:
        """The row of a clip that is there already, made of the same source in the same way."""
        note = read_note(self._note_path(index), self.key)
        return note["clip"] if note and self.storage.path(note["clip"]["path"]).exists() else None

    def _pass_over(
        self, row: dict[str, Any], pictures: Iterator[Shown], progress: Progress
    ) -> dict[str, Any]:
        for number, shown in enumerate(pictures):
            if self.detector.warm_up_frames:
                self._look(number, shown)
            if number % CLIP_FPS == 0:
                progress.advance()
        self.sampler.finish()
        return row

    def _cut(self, index: int, pictures: Iterator[Shown], progress: Progress) -> dict[str, Any] | None:
        """Write one clip with what was found in it; `None` where too little of the video is left."""
        found: list[tuple[int, Boxes]] = []
        copied = (self.path, self.copyable[index]) if index in self.copyable else None
        with ClipWriter(self.at, self._clip_id(index), self.fit, copied) as clip:
            for number, shown in enumerate(pictures):
                clip.add(shown.picture, number)
                found += self._look(number, shown)
                if number % CLIP_FPS == 0:
                    progress.advance()
            if clip.frames < self.least_frames:
                return None
            sha256 = clip.commit()
        found += self.sampler.finish()
        start_s = index * self.frames_per_clip / CLIP_FPS
        row = clip.row(self.source, index=index, start_s=start_s, sha256=sha256)
        detections = collect(row["clip_id"], found, self.made_by)
        keep(self.at, row["clip_id"], sha256, detections)
        self.storage.write_bytes(self._note_path(index), json.dumps({"key": self.key, "clip": row}).encode())
        return row

    def _look(self, number: int, shown: Shown) -> list[tuple[int, Boxes]]:
        """Show the detector a frame if it is its turn, counted from the clip's own start."""
        if number % self.step:
            return []
        return self.sampler.push(number, shown.picture.to_ndarray(format="rgb24"))
