"""Pictures and videos of an imported dataset, where they are at hand: each becomes the file of its clip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ava_core.base.errors import MediaError
from ava_core.base.files import link_or_copy
from ava_core.base.pictures import read_picture
from ava_core.base.schemas import CLIP_FPS
from ava_core.base.set_aside import setting_aside
from ava_core.batch import BatchContext
from ava_core.dataset.export.batch import kept_pictures
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.repairs import Repair, Repairs
from ava_core.video.media.encoding import SOFTWARE, H264File
from ava_core.video.media.frames import decoded_frames
from ava_core.video.media.hashing import hash_file
from ava_core.video.media.probe import probe

FOLDERS: Final = ("", names.FRAMES, names.RAWFRAMES, "videos", "videos/train", "videos/val", "videos/test")
"""Below the given one: where people, and releases of ours, have a folder of pictures or a video of each id."""
VIDEOS: Final = (".mp4", ".mkv", ".webm", ".avi", ".mov")
RATE_TOLERANCE: Final = 0.01
"""Frames a second by which a video may differ from 30: 29.97 is half a frame off after 17 s."""


@dataclass(frozen=True)
class Media:
    """A video's folder of pictures, or its file."""

    path: Path

    @property
    def is_pictures(self) -> bool:
        """Whether it is a folder."""
        return self.path.is_dir()


def media_of(folder: Path, video: str) -> Media | None:
    """What there is of a video below a folder; pictures before videos, which are encoded already."""
    for place in FOLDERS:
        found = folder / place / video
        if found.is_dir() and next(found.glob("*.jpg"), None) is not None:
            return Media(found)
    for place in FOLDERS:
        for suffix in VIDEOS:
            if (found := folder / place / f"{video}{suffix}").is_file():
                return Media(found)
    return None


def bring_media(at: BatchContext, clips: list[dict[str, Any]], folder: Path) -> list[Repair]:
    """Lay the file of each clip (rows of `schemas.CLIPS`, which are completed) into the batch, where there is one.

    A clip whose pictures are too few, damaged or not at 30 a second goes without; the repairs say so.
    """
    repairs = Repairs()
    for clip in clips:
        media = media_of(folder, clip["clip_id"])
        if media is None:
            repairs.note(
                "videos without pictures at hand", "taken over without: no task, no frames", clip["clip_id"]
            )
            continue
        with setting_aside() as fate:
            _bring(at, clip, media)
        if fate.reason:
            repairs.note(fate.reason, "taken over without pictures: no task, no frames", clip["clip_id"])
    return repairs.listed()


def _bring(at: BatchContext, clip: dict[str, Any], media: Media) -> None:
    video = clip["clip_id"]
    target = at.folder("clips") / "files" / f"{video}.mp4"
    pictures = sorted(media.path.glob("*.jpg")) if media.is_pictures else []
    with at.storage.writing(target) as temporary:
        if pictures:
            if len(pictures) < clip["frames"]:
                raise MediaError("fewer pictures than the labelled seconds need")
            size, frames = _encoded(temporary, (read_picture(path) for path in pictures))
        else:
            size, frames = _taken(temporary, media.path, clip["frames"])
        sha256 = hash_file(temporary)
    width, height = size
    across, down = width / clip["content_width"], height / clip["content_height"]
    if abs(across / down - 1) > RATE_TOLERANCE:
        target.unlink()
        raise MediaError("pictures of other proportions than was said")
    clip |= {
        "path": str(target.relative_to(at.storage.root)), "sha256": sha256, "frames": frames,
        "duration_s": frames / CLIP_FPS, "width": width + width % 2, "height": height + height % 2,
        "content_width": width, "content_height": height,
    }  # fmt: skip
    if pictures and at.storage.is_local:
        kept = kept_pictures(at, clip)
        kept.mkdir(parents=True, exist_ok=True)
        for number, path in enumerate(pictures, start=1):
            link_or_copy(path, kept / names.frame_name(video, number), replace=True)


def _taken(target: Path, source: Path, least: int) -> tuple[tuple[int, int], int]:
    """Size in pixels and number of frames of a video that was taken as it is, or encoded anew."""
    seen = probe(source)
    if seen.variable_rate or abs(seen.fps - CLIP_FPS) > RATE_TOLERANCE:
        raise MediaError(f"videos that do not run at {CLIP_FPS} frames a second")
    if seen.frames < least:
        raise MediaError("videos that end before their last labelled second")
    size = (seen.width, seen.height)
    plain = (seen.codec, seen.rotation, seen.mirrored, seen.pixel_aspect) == ("h264", 0, False, 1.0)
    if plain and source.suffix.lower() == ".mp4" and not (seen.width % 2 or seen.height % 2):
        link_or_copy(source, target, replace=True)
        return size, seen.frames
    return _encoded(target, decoded_frames(source))


def _encoded(target: Path, pictures: Iterator[npt.NDArray[np.uint8]]) -> tuple[tuple[int, int], int]:
    """Write BGR pictures as a video, with bars at the right and below where a side is odd; their size and number."""
    import av

    video: H264File | None = None
    shape, number = (0, 0), 0
    try:
        for number, picture in enumerate(pictures):
            if video is None:
                shape = picture.shape[:2]
                video = H264File(target, shape[1] + shape[1] % 2, shape[0] + shape[0] % 2, SOFTWARE)
            if picture.shape[:2] != shape:
                raise MediaError("pictures of several sizes in one video")
            even = np.pad(picture, ((0, shape[0] % 2), (0, shape[1] % 2), (0, 0)))
            video.add(av.VideoFrame.from_ndarray(even, format="bgr24").reformat(format="yuv420p"), number)
        if video is None:
            raise MediaError("no picture")
        video.finish()
    except BaseException:
        if video is not None:
            video.close()
        raise
    return (shape[1], shape[0]), number + 1
