"""Cutting source videos into clips: one decode pass feeds the clips, the keyframes and the detector.

Every frame is decoded once, scaled once and encoded once. Clip frame n shows what the source showed at
`start + n / 30` s by its presentation times, so sources of a variable or other rate come out at a constant 30 fps.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import polars as pl

from ava_core.detection.base import Detector
from ava_core.detection.cache import BatchedDetection, collect, keep, provenance, sampling_step
from ava_core.detection.registry import make_detector
from ava_core.errors import MediaError
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
FORMAT_VERSION: Final = 1
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
    the detections of the same pass. A source is done when its note is written; done ones are left alone unless
    their content or the settings changed. A source that breaks off keeps the clips before the break.
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
    if note_path.exists():
        note = json.loads(note_path.read_bytes())
        if note["key"] == key and all(storage.path(row["path"]).exists() for row in note["clips"]):
            progress.advance(source["duration_s"])
            return list(note["clips"])
    with storage.fetched(storage.path(source["path"])) as path:
        cutter = _Cutter(batch, source, path, storage, settings, detector)
        rows = cutter.run(progress)
    storage.write_bytes(note_path, json.dumps({"key": key, "clips": rows}).encode())
    return rows


def _key(source: dict[str, Any], settings: Settings, made_by: dict[str, Any]) -> str:
    names = ("clip_seconds", "clip_min_seconds", "clip_width", "clip_height", "clip_fit")
    content = {name: getattr(settings, name) for name in names} | {
        "source": source["sha256"],
        "detector": made_by,
        "version": [FORMAT_VERSION, CRF, PRESET],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class _Cutter:
    """One pass over one source video."""

    def __init__(
        self,
        batch: str,
        source: dict[str, Any],
        path: Path,
        storage: Storage,
        settings: Settings,
        detector: Detector,
    ) -> None:
        self.batch, self.source, self.path = batch, source, path
        self.storage, self.detector = storage, detector
        self.made_by = provenance(settings, detector)
        self.step = sampling_step(settings, detector)
        self.frames_per_clip = round(settings.clip_seconds * CLIP_FPS)
        self.least_frames = round(settings.clip_min_seconds * CLIP_FPS)
        self.fit: Fit = fit_picture(
            source["width"], source["height"], settings.clip_width, settings.clip_height, settings.clip_fit
        )
        self.folder = storage.asset_dir(batch, "clips")
        self.rows: list[dict[str, Any]] = []
        self.found: list[tuple[int, Any]] = []

    def run(self, progress: Progress) -> list[dict[str, Any]]:
        """Cut; returns the rows of `tables.CLIPS`."""
        sampler = BatchedDetection(self.detector)
        frames = _at_constant_rate(self.path, self.fit, self.source["rotation"])
        number = -1
        clip: _ClipWriter | None = None
        try:
            for number, frame in enumerate(frames):
                index, within = divmod(number, self.frames_per_clip)
                if within == 0:
                    clip = self._next(clip, index)
                assert clip is not None
                clip.add(frame, within)
                # Frames are sampled from each clip's own start: the same frames as from the finished clip.
                if within % self.step == 0:
                    self.found += sampler.push(number, frame.to_ndarray(format="rgb24"))
                if number % CLIP_FPS == 0:
                    progress.advance()
            if clip is not None:
                self._close(clip, number % self.frames_per_clip + 1)
        except BaseException:
            if clip is not None:
                clip.discard()
            raise
        self.found += sampler.finish()
        self._keep_detections()
        return self.rows

    def _next(self, clip: _ClipWriter | None, index: int) -> _ClipWriter:
        if clip is not None:
            self._close(clip, self.frames_per_clip)
        return _ClipWriter(
            self.folder, f"{self.source['source_id']}_{index:03d}", index, self.fit, self.storage
        )

    def _close(self, clip: _ClipWriter, frames: int) -> None:
        if frames < min(self.least_frames, self.frames_per_clip):
            clip.discard()
            return
        path, sha256 = clip.commit()
        fit = self.fit
        self.rows.append({
            "clip_id": clip.clip_id, "source_id": self.source["source_id"], "batch": self.batch,
            "index": clip.index, "start_s": clip.index * self.frames_per_clip / CLIP_FPS,
            "duration_s": frames / CLIP_FPS, "frames": frames, "width": fit.width, "height": fit.height,
            "scale_x": fit.scale_x, "scale_y": fit.scale_y, "pad_x": fit.pad_x, "pad_y": fit.pad_y,
            "content_width": fit.content_width, "content_height": fit.content_height,
            "path": path, "sha256": sha256,
        })  # fmt: skip

    def _keep_detections(self) -> None:
        for row in self.rows:
            first = row["index"] * self.frames_per_clip
            own = [(n - first, boxes) for n, boxes in self.found if first <= n < first + row["frames"]]
            detections = collect(row["clip_id"], own, self.made_by)
            keep(self.batch, row["clip_id"], row["sha256"], detections, self.storage)


class _ClipWriter:
    """Writes one clip as H.264 and its keyframes as JPEG; nothing is visible before `commit`."""

    def __init__(self, folder: Any, clip_id: str, index: int, fit: Fit, storage: Storage) -> None:
        import av

        self.clip_id, self.index, self.storage = clip_id, index, storage
        self.target = folder / "files" / f"{clip_id}.mp4"
        self.keyframes = folder / "keyframes" / clip_id
        self._writing = storage.writing(self.target)
        self.path = self._writing.__enter__()
        self.container = av.open(str(self.path), "w", format="mp4", options={"movflags": "+faststart"})
        self.stream = self.container.add_stream("libx264", rate=CLIP_FPS)
        self.stream.width, self.stream.height, self.stream.pix_fmt = fit.width, fit.height, "yuv420p"
        self.stream.time_base = Fraction(1, CLIP_FPS)
        # A keyframe each second: players and CVAT jump to AVA's seconds without decoding from the start.
        self.stream.codec_context.gop_size = CLIP_FPS
        self.stream.options = {"crf": str(CRF), "preset": PRESET}
        self._open = True

    def add(self, frame: Any, number: int) -> None:
        """Append a frame; every whole second also becomes a JPEG."""
        frame.pts, frame.time_base = number, Fraction(1, CLIP_FPS)
        self.container.mux(self.stream.encode(frame))
        if number % CLIP_FPS == 0:
            picture = frame.to_ndarray(format="bgr24")
            self.storage.write_bytes(self.keyframes / f"{number // CLIP_FPS:04d}.jpg", jpeg(picture))

    def commit(self) -> tuple[str, str]:
        """Finish the file; returns its path below the storage root and its hash."""
        self.container.mux(self.stream.encode(None))
        self.container.close()
        self._open = False
        sha256 = hash_file(self.path)
        self._writing.__exit__(None, None, None)
        return str(self.target.relative_to(self.storage.root)), sha256

    def discard(self) -> None:
        """Drop the file and its keyframes."""
        if not self._open:
            return
        self.container.close()
        self._open = False
        self.path.write_bytes(b"")
        with contextlib.suppress(MediaError):
            self._writing.__exit__(MediaError, MediaError("discarded"), None)
        for picture in self.keyframes.iterdir() if self.keyframes.exists() else ():
            picture.unlink()


def _at_constant_rate(path: Path, fit: Fit, rotation: int) -> Iterator[Any]:
    """Frames of a video as `fit` shows them, one each 1/30 s, by presentation time.

    A decoding error ends the iteration: what came before it is good.
    """
    import av

    shown: Any = None
    emitted, start = 0, None
    with av.open(str(path), metadata_errors="replace") as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        frames = iter(container.decode(stream))
        while True:
            try:
                frame = next(frames, None)
            except av.FFmpegError:
                frame = None
            if frame is None:
                break
            if frame.time is None:
                continue
            start = frame.time if start is None else start
            # The frame before is on screen until this one's time comes.
            due = round((frame.time - start) * CLIP_FPS)
            while shown is not None and emitted < due:
                yield shown
                emitted += 1
            shown = fit.apply(frame, rotation)
        rate = float(stream.average_rate or CLIP_FPS)
    # The last frame stays for as long as a usual one.
    for _ in range(max(1, round(CLIP_FPS / rate)) if shown is not None else 0):
        yield shown
