"""Frames of a clip as arrays, and as the numbered JPEGs that AVA's readers want."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ava_core.base.errors import MediaError

JPEG_QUALITY: Final = 90
"""Good enough that compression is not what a model learns, at two thirds of the bytes of 95."""


def decoded_frames(path: Path, pixel_format: str = "bgr24") -> Iterator[npt.NDArray[np.uint8]]:
    """All frames of a video in order, `(H, W, 3)`, `bgr24` or `rgb24`. Raises `MediaError` with the reason."""
    import av

    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            for frame in container.decode(stream):
                yield frame.to_ndarray(format=pixel_format)
    except (av.FFmpegError, IndexError) as error:
        raise MediaError(f"{path.name} cannot be decoded: {error}") from None


def write_jpeg(path: Path, picture: npt.NDArray[np.uint8], quality: int = JPEG_QUALITY) -> None:
    """Write a BGR picture as JPEG."""
    path.write_bytes(jpeg(picture, quality))


def jpeg(picture: npt.NDArray[np.uint8], quality: int = JPEG_QUALITY) -> bytes:
    """A BGR picture as the bytes of a JPEG."""
    import cv2

    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise MediaError("a picture cannot be written as JPEG")
    content: bytes = data.tobytes()
    return content


def write_frames(clip: Path, folder: Path, name: Callable[[int], str], *, crop: Any = None) -> int:
    """Write every frame of `clip` as a JPEG into `folder`, named `name(n)` with n from 1; returns how many.

    `crop` is `(left, top, width, height)` in pixels: the picture without letterbox bars.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for count, frame in enumerate(decoded_frames(clip), start=1):
        if crop is not None:
            left, top, width, height = crop
            frame = np.ascontiguousarray(frame[top : top + height, left : left + width])
        write_jpeg(folder / name(count), frame)
    return count
