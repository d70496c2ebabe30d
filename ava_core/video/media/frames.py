"""Frames of a clip as arrays, and as the numbered JPEGs that AVA's readers want."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from ava_core.base.errors import MediaError
from ava_core.video.media.geometry import plane_pixels
from ava_core.video.media.reading import opened

PixelFormat = Literal["bgr24", "rgb24", "luma"]
JPEG_QUALITY: Final = 90
"""Good enough that compression is not what a model learns, at two thirds of the bytes of 95."""


def decoded_frames(path: Path, pixel_format: PixelFormat = "bgr24") -> Iterator[npt.NDArray[np.uint8]]:
    """All frames of a video in order as `pixels_of` gives them. Raises `MediaError` with the reason."""
    count = 0
    with opened(path) as reading:
        for one in reading.frames():
            if one.after_loss:
                break
            yield pixels_of(one.frame, pixel_format)
            count += 1
        if not count or reading.damaged:
            raise MediaError(f"{path.name} cannot be decoded beyond its frame {count}")


def pixels_of(frame: Any, pixel_format: PixelFormat) -> npt.NDArray[np.uint8]:
    """A yuv420p frame as an array: `(H, W, 3)` for `bgr24` and `rgb24`, `(H, W)` for `luma`, the frame's own."""
    if pixel_format == "luma":
        return plane_pixels(frame.planes[0])
    pixels: npt.NDArray[np.uint8] = frame.to_ndarray(format=pixel_format)
    return pixels


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


def write_frames(
    clip: Path, folder: Path, name: Callable[[int], str], size: tuple[int, int], *, crop: Any = None
) -> int:
    """Write every frame of `clip` as a JPEG into `folder`, named `name(n)` with n from 1; returns how many.

    `size`: width and height of the pictures; `crop` is `(left, top, width, height)` in pixels of the clip: the picture
    without letterbox bars.
    """
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for count, frame in enumerate(decoded_frames(clip), start=1):
        if crop is not None:
            left, top, width, height = crop
            frame = np.ascontiguousarray(frame[top : top + height, left : left + width])
        if frame.shape[1::-1] != size:
            frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        write_jpeg(folder / name(count), frame)
    return count
