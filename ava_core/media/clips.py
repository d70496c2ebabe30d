"""Cutting source videos into clips: one decode pass feeds the clips, the keyframes and the detector.

Every frame is decoded once, scaled once and encoded once. Clip frame n shows what the source showed at
`start + n / 30` s by its presentation times, so sources of a variable or other rate come out at a constant 30 fps.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import polars as pl

from ava_core.detection.base import Boxes, Detector
from ava_core.detection.cache import BatchedDetection, collect, keep, provenance, sampling_step
from ava_core.detection.registry import make_detector
from ava_core.errors import MediaError
from ava_core.media.constant_rate import Shown, shown_at_constant_rate
from ava_core.media.frames import jpeg
from ava_core.media.geometry import Fit, fit_picture
from ava_core.media.source_videos import hash_file
from ava_core.progress import Progress, ProgressSink, ignore_progress
from ava_core.settings import Settings
from ava_core.storage import Storage
from ava_core.tables import CLIP_FPS, CLIPS

CRF: Final = 20
"""x264's quality; about the size of the source at CCTV's bitrates. Raising it saves space and blurs."""
PRESET: Final = "veryfast"
FORMAT_VERSION: Final = 2
"""Raise when this file changes what it writes: older clips are then cut again."""


def cut_clips(
    batch: str,
    source_videos: pl.DataFrame,
    storage: Storage,
    settings: Settings,
    sink: ProgressSink = ignore_progress,
) -> pl.DataFrame:
    """Cut all usable source videos; returns `tables.CLIPS`.

    Writes under `batches/<batch>/clips`: `files/<clip_id>.mp4`, `keyframes/<clip_id>/<second %04d>.jpg`, and
    the detections of the same pass. Done clips are left alone unless their source's content or the settings
    changed. A source that breaks off keeps the clips before the break.
    """
    detector = make_detector(settings)
    usable = source_videos.filter(pl.col("status") == "ok")
    progress = Progress("cut", float(usable["duration_s"].sum()), "video seconds", sink)
    rows: list[dict[str, Any]] = []
    for source in usable.to_dicts():
        rows += _cut_or_reuse(batch, source, storage, settings, detector, progress)
    progress.finish()
    return pl.DataFrame(rows, schema=dict(CLIPS))


def _cut_or_reuse(
    batch: str,
    source: dict[str, Any],
    storage: Storage,
    settings: Settings,
    detector: Detector,
    progress: Progress,
) -> list[dict[str, Any]]:
    note_path = storage.asset_dir(batch, "clips") / "done" / f"{source['source_id']}.json"
    key = _key(source, settings, provenance(settings, detector))
    note = read_note(note_path, key)
    if note and all(storage.path(row["path"]).exists() for row in note["clips"]):
        progress.advance(source["duration_s"])
        return list(note["clips"])
    with storage.fetched(storage.path(source["path"])) as path:
        rows = _Cutter(batch, source, path, storage, settings, detector, key).run(progress)
    storage.write_bytes(note_path, json.dumps({"key": key, "clips": rows}).encode())
    return rows


def read_note(path: Any, key: str) -> dict[str, Any] | None:
    """The note at `path` if it says that what it speaks of was made in the way of `key`."""
    note: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {}
    return note if note.get("key") == key else None


def _key(source: dict[str, Any], settings: Settings, made_by: dict[str, Any]) -> str:
    names = ("clip_seconds", "clip_min_seconds", "clip_width", "clip_height", "clip_fit")
    content = {name: getattr(settings, name) for name in names} | {
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
        self,
        batch: str,
        source: dict[str, Any],
        path: Path,
        storage: Storage,
        settings: Settings,
        detector: Detector,
        key: str,
    ) -> None:
        self.batch, self.source, self.path, self.key = batch, source, path, key
        self.storage, self.detector = storage, detector
        self.made_by = provenance(settings, detector)
        self.step = sampling_step(settings, detector)
        self.frames_per_clip = round(settings.clip_seconds * CLIP_FPS)
        self.least_frames = min(round(settings.clip_min_seconds * CLIP_FPS), self.frames_per_clip)
        self.fit: Fit = fit_picture(
            source["width"], source["height"], settings.clip_width, settings.clip_height, settings.clip_fit
        )
        self.folder = storage.asset_dir(batch, "clips")
        self.sampler = BatchedDetection(detector)
        self.rows: list[dict[str, Any]] = []

    def run(self, progress: Progress) -> list[dict[str, Any]]:
        """Cut; returns the rows of `tables.CLIPS`."""
        pictures = shown_at_constant_rate(self.path, self.fit, self.source["rotation"])
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
        frames = 0
        with _ClipWriter(self.folder, self._clip_id(index), self.fit, self.storage) as clip:
            for number, shown in enumerate(pictures):
                clip.add(shown.picture, number)
                found += self._look(number, shown)
                frames = number + 1
                if number % CLIP_FPS == 0:
                    progress.advance()
            if frames < self.least_frames:
                return None
            sha256 = clip.commit()
        found += self.sampler.finish()
        row = self._row(index, frames, clip, sha256)
        detections = collect(row["clip_id"], found, self.made_by)
        keep(self.batch, row["clip_id"], sha256, detections, self.storage)
        self.storage.write_bytes(self._note_path(index), json.dumps({"key": self.key, "clip": row}).encode())
        return row

    def _look(self, number: int, shown: Shown) -> list[tuple[int, Boxes]]:
        """Show the detector a frame if it is its turn, counted from the clip's own start."""
        if number % self.step:
            return []
        return self.sampler.push(number, shown.picture.to_ndarray(format="rgb24"))

    def _row(self, index: int, frames: int, clip: _ClipWriter, sha256: str) -> dict[str, Any]:
        fit = self.fit
        return {
            "clip_id": clip.clip_id, "source_id": self.source["source_id"], "batch": self.batch,
            "index": index, "start_s": index * self.frames_per_clip / CLIP_FPS,
            "duration_s": frames / CLIP_FPS, "frames": frames, "width": fit.width, "height": fit.height,
            "scale_x": fit.scale_x, "scale_y": fit.scale_y, "pad_x": fit.pad_x, "pad_y": fit.pad_y,
            "content_width": fit.content_width, "content_height": fit.content_height,
            "path": str(clip.target.relative_to(self.storage.root)), "sha256": sha256,
        }  # fmt: skip


class _ClipWriter:
    """Writes one clip as H.264 and its keyframes as JPEG; leaving the block without `commit` drops both."""

    def __init__(self, folder: Any, clip_id: str, fit: Fit, storage: Storage) -> None:
        self.clip_id, self.fit, self.storage = clip_id, fit, storage
        self.target = folder / "files" / f"{clip_id}.mp4"
        self.keyframes = folder / "keyframes" / clip_id
        self._committed = False

    def __enter__(self) -> _ClipWriter:
        import av

        self._drop_keyframes()
        self._writing = self.storage.writing(self.target)
        self.path = self._writing.__enter__()
        self.container = av.open(str(self.path), "w", format="mp4", options={"movflags": "+faststart"})
        self.stream = self.container.add_stream("libx264", rate=CLIP_FPS)
        self.stream.width, self.stream.height, self.stream.pix_fmt = (
            self.fit.width,
            self.fit.height,
            "yuv420p",
        )
        self.stream.time_base = Fraction(1, CLIP_FPS)
        # A keyframe each second: players and CVAT jump to AVA's seconds without decoding from the start.
        self.stream.codec_context.gop_size = CLIP_FPS
        self.stream.options = {"crf": str(CRF), "preset": PRESET}
        return self

    def add(self, frame: Any, number: int) -> None:
        """Append a frame; every whole second also becomes a JPEG."""
        frame.pts, frame.time_base = number, Fraction(1, CLIP_FPS)
        self.container.mux(self.stream.encode(frame))
        if number % CLIP_FPS == 0:
            picture = frame.to_ndarray(format="bgr24")
            self.storage.write_bytes(self.keyframes / f"{number // CLIP_FPS:04d}.jpg", jpeg(picture))

    def commit(self) -> str:
        """Finish the file; returns its hash. It takes its place when the block ends."""
        self.container.mux(self.stream.encode(None))
        self.container.close()
        self._committed = True
        return hash_file(self.path)

    def __exit__(self, *_: object) -> None:
        if self._committed:
            self._writing.__exit__(None, None, None)
            return
        self.container.close()
        with contextlib.suppress(MediaError):
            self._writing.__exit__(MediaError, MediaError("dropped"), None)
        self._drop_keyframes()

    def _drop_keyframes(self) -> None:
        for picture in self.keyframes.iterdir() if self.keyframes.exists() else ():
            picture.unlink()
