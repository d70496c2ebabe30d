"""One video for each whole second of a clip: its 30 frames, the first one the keyframe, without bars.

Readers put a second together with those before and after it, so each must hold exactly its own frames. They scale
boxes by the size of the keyframe's picture, so the pictures are those between the bars. Each is encoded anew.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

from ava_core.base.errors import ExportError, MediaError
from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, CLIP_FPS
from ava_core.dataset.formats.dataset import Dataset
from ava_core.dataset.formats.seconds import names
from ava_core.video.media.encoding import ENCODER_THREADS, H264File
from ava_core.video.media.geometry import PLANAR, cropped
from ava_core.video.media.reading import opened

CURE: Final = "Materialise clips of its batch again."


class _Clip(NamedTuple):
    clip_id: str
    frames: int
    left: int
    top: int
    width: int
    height: int


def write_seconds(folder: Path, dataset: Dataset) -> None:
    """Write `seconds/` of all clips; a last second that is not whole is left out.

    Raises `ExportError` where a clip cannot be decoded to its end.
    """
    shape = ("clip_id", "frames", "pad_x", "pad_y", "content_width", "content_height")
    clips = [
        _Clip(*row)
        for row in dataset.clips.select(shape).sort("clip_id").rows()
        if row[0] in dataset.split_of
    ]

    def write(clip: _Clip) -> None:
        (folder / names.FOLDER / clip.clip_id).mkdir(parents=True)
        _write_clip(folder, clip, dataset.videos[clip.clip_id])

    with ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // ENCODER_THREADS)) as pool:
        list(pool.map(write, clips))


def _write_clip(folder: Path, clip: _Clip, video: Path) -> None:
    whole = clip.frames // CLIP_FPS
    second: H264File | None = None
    count = 0
    try:
        with opened(video) as reading:
            for number, one in enumerate(reading.frames()):
                if number // CLIP_FPS == whole:
                    break
                if number % CLIP_FPS == 0:
                    path = folder / names.second(clip.clip_id, AVA_TIMESTAMP_OFFSET + number // CLIP_FPS)
                    second = H264File(path, clip.width, clip.height)
                assert second is not None
                second.add(_picture(one.frame, clip), number % CLIP_FPS)
                if number % CLIP_FPS == CLIP_FPS - 1:
                    second.finish()
                    second = None
                count = number + 1
    except MediaError as error:
        raise ExportError(f"{video.name}: {error}", CURE) from None
    finally:
        if second is not None:
            second.close()
    if count < whole * CLIP_FPS:
        raise ExportError(f"{video.name} cannot be decoded beyond its frame {count}.", CURE)


def _picture(frame: Any, clip: _Clip) -> Any:
    """The frame between the bars, yuv420p."""
    plain = frame if frame.format.name in PLANAR else frame.reformat(format="yuv420p")
    return cropped(plain, clip.left, clip.top, clip.width, clip.height)
