"""Cutting source videos into clips: one decode pass feeds the clips, the keyframes and the detector.

Every frame is decoded once, scaled once and encoded at most once; what need not change is copied as it is. Clip
frame n shows what the source showed at `start + n / 30` s by its presentation times, so sources of a variable or
other rate come out at a constant 30 fps.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from ava_core.base.progress import Progress, ProgressSink, ignore_progress
from ava_core.base.schemas import ADDED_TO_SOURCE_VIDEOS, CLIP_FPS, CLIPS, CUTS, USABLE, with_new_columns
from ava_core.base.settings import CLIP_OPTIONS, Settings
from ava_core.base.work.choice import make_runner
from ava_core.base.work.runner import Advance, untold
from ava_core.batch import BatchContext
from ava_core.video.detection.base import Boxes, Detector
from ava_core.video.detection.cache import BatchedDetection, collect, keep, provenance, sampling_step
from ava_core.video.detection.registry import make_detector, runs_on_gpu
from ava_core.video.fitting import fit_source
from ava_core.video.given import given_table
from ava_core.video.media.ahead import ahead
from ava_core.video.media.clip_writer import ClipWriter
from ava_core.video.media.codecs import require_codecs
from ava_core.video.media.constant_rate import Shown, Tally, shown_at_constant_rate, unbroken
from ava_core.video.media.encoding import made_with
from ava_core.video.media.frames import pixels_of
from ava_core.video.media.stream_copy import CannotCopyError, Copier

DECODED_AHEAD: Final = 32
"""Pictures decoded ahead of a GPU: 100 MB at 1080p."""
SECONDS_WORTH_A_WORKER: Final = 20.0
"""Seconds of video, of which 1080p takes 7 s of CPU time to cut; a worker takes .7 s to start."""
FORMAT_VERSION: Final = 4
"""Raise when this file changes what it writes: older clips are then cut again."""


def cut_clips(
    at: BatchContext, source_videos: pl.DataFrame, sink: ProgressSink = ignore_progress
) -> pl.DataFrame:
    """Cut all usable source videos; returns `schemas.CLIPS`.

    Writes under `batches/<batch>/clips`: `files/<clip_id>.mp4`, `keyframes/<clip_id>/<second %04d>.jpg`, the
    detections of the same pass, and `cuts.parquet` (`schemas.CUTS`) with the result for each source. Finished clips
    stay unless their source's content or the settings changed. A source that breaks off keeps the clips before the
    break; a source that cannot be cut at all is set aside with the reason. Clips made elsewhere stay unchanged. Raises
    `SettingsError` if the configured encoder or decoder does not work on this machine.
    """
    usable = with_new_columns(source_videos, ADDED_TO_SOURCE_VIDEOS).filter(USABLE)
    given = given_table(at, "clips")
    if given is not None:
        return given.join(usable, on="source_id", how="semi")
    require_codecs(at.settings)
    # The longest first, so that no worker is left with it while the others have nothing to do.
    sources = usable.sort("duration_s", descending=True).to_dicts()
    seconds = float(usable["duration_s"].sum())
    progress = Progress("cut", seconds, "video seconds", sink)
    runner = make_runner(
        at.settings,
        len(sources),
        worth=seconds / SECONDS_WORTH_A_WORKER,
        on_gpu=runs_on_gpu(at.settings),
    )
    outcomes = runner.run(functools.partial(cut_source, at), sources, progress.advance)
    progress.finish()
    cuts = {
        source["source_id"]: outcome.result or SourceCut(_cut_row(source, reason=outcome.reason))
        for source, outcome in zip(sources, outcomes, strict=True)
    }
    done = [cuts[source_id] for source_id in usable["source_id"]]
    at.storage.write_table(
        at.storage.table_path(at.batch, "clips", "cuts"),
        pl.DataFrame([one.row for one in done], schema=dict(CUTS)),
    )
    return pl.DataFrame([row for one in done for row in one.clips], schema=dict(CLIPS))


@dataclass
class SourceCut:
    """One source's clips (rows of `schemas.CLIPS`) and what became of it (a row of `schemas.CUTS`)."""

    row: dict[str, Any]
    clips: list[dict[str, Any]] = field(default_factory=list)


def cut_source(at: BatchContext, source: dict[str, Any], advance: Advance = untold) -> SourceCut:
    """Cut one source video (a row of `schemas.SOURCE_VIDEOS`), or take what is done already; a unit of work.

    Tells `advance` of the seconds of video that are done. Raises what stops the source; clips before that are kept.
    """
    storage, detector = at.storage, make_detector(at.settings)
    note_path = at.folder("clips") / "done" / f"{source['source_id']}.json"
    key = _key(source, at.settings, provenance(at.settings, detector))
    note = read_note(note_path, key)
    if note and all(storage.path(row["path"]).exists() for row in note["clips"]):
        advance(source["duration_s"])
        return SourceCut(note["cut"], note["clips"])
    with storage.fetched(storage.path(source["path"])) as path:
        cut = _Cutter(at, source, path, detector, key).run(advance)
        storage.write_bytes(note_path, json.dumps({"key": key, "cut": cut.row, "clips": cut.clips}).encode())
    return cut


def _cut_row(source: dict[str, Any], *, reason: str = "", **figures: Any) -> dict[str, Any]:
    """The source's row of `schemas.CUTS`."""
    counted = dict.fromkeys(("decoded", "damaged", "used", "clips", "copied"), 0) | {"clip_seconds": 0.0}
    said = {name: source[name] for name in ("source_id", "original_name", "duration_s", "frames")}
    return said | counted | figures | {"status": "quarantined" if reason else "ok", "reason": reason}


def read_note(path: Any, key: str) -> dict[str, Any] | None:
    """The note at `path` if it says that what it speaks of was made in the way of `key`."""
    note: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {}
    return note if note.get("key") == key else None


def _key(source: dict[str, Any], settings: Settings, made_by: dict[str, Any]) -> str:
    content = {name: getattr(settings, name) for name in CLIP_OPTIONS} | {
        "source": source["sha256"],
        "detector": made_by,
        "version": [FORMAT_VERSION, *made_with(settings.video_encoder)],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class _Cutter:
    """One pass over one source video, clip by clip; a clip is done when its note is written.

    A clip ends where it is long enough, or where frames were lost or damaged; the next begins behind that. Clips
    that an earlier run of the same parameters finished are left alone: their frames are decoded, but neither scaled
    nor encoded, and detected again only for a detector that learns from what it sees.
    """

    def __init__(
        self, at: BatchContext, source: dict[str, Any], path: Path, detector: Detector, key: str
    ) -> None:
        self.at, self.source, self.path, self.detector, self.key = at, source, path, detector, key
        settings, self.storage = at.settings, at.storage
        self.made_by = provenance(settings, detector)
        self.step = sampling_step(settings, detector)
        self.decoder = settings.video_decoder
        self.frames_per_clip = round(settings.clip_seconds * CLIP_FPS)
        self.least_frames = min(round(settings.clip_min_seconds * CLIP_FPS), self.frames_per_clip)
        self.fit, self.copier = fit_source(source, path, settings, self.frames_per_clip)
        self.folder = at.folder("clips")
        self.sampler = BatchedDetection(detector)
        self.tally = Tally()
        self.clips: list[dict[str, Any]] = []
        self.used = self.copied = 0

    def run(self, advance: Advance) -> SourceCut:
        """Cut."""
        pictures = shown_at_constant_rate(self.path, self.fit, self.tally, self.decoder)
        if getattr(self.detector, "device", "cpu") != "cpu":
            # While the GPU looks at a batch the next one is decoded.
            pictures = ahead(pictures, DECODED_AHEAD)
        try:
            for first, own in unbroken(pictures, self.frames_per_clip):
                row = self._done(len(self.clips), first)
                if row is None:
                    row = self._cut(len(self.clips), first, own, advance)
                else:
                    self._pass_over(own, advance)
                if row is not None:
                    self.clips.append(row)
        finally:
            self._stop_copying()
        figures = {
            "decoded": self.tally.decoded, "damaged": self.tally.damaged, "used": self.used,
            "clips": len(self.clips), "copied": self.copied,
            "clip_seconds": sum(row["frames"] for row in self.clips) / CLIP_FPS,
        }  # fmt: skip
        return SourceCut(_cut_row(self.source, **figures), self.clips)

    def _clip_id(self, index: int) -> str:
        return f"{self.source['source_id']}_{index:03d}"

    def _note_path(self, index: int) -> Any:
        return self.folder / "done" / f"{self._clip_id(index)}.json"

    def _done(self, index: int, first: int) -> dict[str, Any] | None:
        """The row of a clip that is there already, made of the same source in the same way from that frame on."""
        note = read_note(self._note_path(index), self.key)
        if not note or round(note["clip"]["start_s"] * CLIP_FPS) != first:
            return None
        if not self.storage.path(note["clip"]["path"]).exists():
            return None
        self.used += note["used"]
        self.copied += note["copied"]
        row: dict[str, Any] = note["clip"]
        return row

    def _pass_over(self, pictures: Iterator[Shown], advance: Advance) -> None:
        for number, shown in enumerate(pictures):
            if self.detector.warm_up_frames:
                self._look(number, shown)
            if number % CLIP_FPS == 0:
                advance()
        self.sampler.finish()

    def _cut(
        self, index: int, first: int, pictures: Iterator[Shown], advance: Advance
    ) -> dict[str, Any] | None:
        """Write one clip with what was found in it; `None` where the stretch is too short for one."""
        found: list[tuple[int, Boxes]] = []
        begin = next(pictures)
        looked = self._looked(itertools.chain([begin], pictures), found, advance)
        try:
            clip = self._write(index, looked, self._copier_from(begin))
        except CannotCopyError:
            # What was wrong with one clip is likely to be wrong with the next.
            self._stop_copying()
            clip = self._write(index, self._again(first), None)
        found += self.sampler.finish()
        return None if clip is None else self._keep(clip, index, first, found)

    def _looked(
        self, pictures: Iterator[Shown], found: list[tuple[int, Boxes]], advance: Advance
    ) -> Iterator[Shown]:
        """The pictures, each shown to the detector on its way; what it finds goes into `found`."""
        for number, shown in enumerate(pictures):
            found += self._look(number, shown)
            if number % CLIP_FPS == 0:
                advance()
            yield shown

    def _write(self, index: int, pictures: Iterator[Shown], copier: Copier | None) -> ClipWriter | None:
        """Write the clip of these pictures. Raises `CannotCopyError` where `copier` cannot give just them."""
        with ClipWriter(self.at, self._clip_id(index), self.fit, copier) as clip:
            for shown in pictures:
                clip.add(shown)
            if clip.frames < self.least_frames:
                return None
            clip.commit()
        return clip

    def _copier_from(self, begin: Shown) -> Copier | None:
        """The copier, if it can copy a clip that begins with this frame."""
        if self.copier is None or begin.pts is None or not begin.untouched:
            return None
        return self.copier if self.copier.can_begin(begin.pts, self.frames_per_clip) else None

    def _stop_copying(self) -> None:
        if self.copier:
            self.copier.close()
        self.copier = None

    def _again(self, wanted: int) -> Iterator[Shown]:
        """The pictures of the clip from frame `wanted` on, decoded once more."""
        pictures = shown_at_constant_rate(self.path, self.fit, decoder=self.decoder)
        for first, own in unbroken(pictures, self.frames_per_clip):
            if first == wanted:
                yield from own
                return

    def _keep(
        self, clip: ClipWriter, index: int, first: int, found: list[tuple[int, Boxes]]
    ) -> dict[str, Any]:
        """Keep what was found in the clip, and that it is done; gives its row."""
        row = clip.row(self.source, index=index, start_s=first / CLIP_FPS, sha256=clip.sha256)
        keep(self.at, row["clip_id"], clip.sha256, collect(row["clip_id"], found, self.made_by))
        counts = {"used": clip.source_frames, "copied": int(clip.is_copy)}
        note = {"key": self.key, "clip": row} | counts
        self.storage.write_bytes(self._note_path(index), json.dumps(note).encode())
        self.used += clip.source_frames
        self.copied += clip.is_copy
        return row

    def _look(self, number: int, shown: Shown) -> list[tuple[int, Boxes]]:
        """Show the detector a frame if it is its turn, counted from the clip's own start."""
        if number % self.step:
            return []
        return self.sampler.push(number, pixels_of(shown.picture, self.detector.pixel_format))
