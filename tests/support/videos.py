"""Videos made on the spot, in which every frame says its number."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
CODE_BITS = 12

FAST = {
    "libx264": {"preset": "ultrafast", "crf": "18"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:pools=1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "30", "b": "0"},
    "mjpeg": {"q": "3"},
    "mpeg4": {"q": "3"},
}


def picture_of(number: int, width: int, height: int) -> Picture:
    """A dark picture that carries `number` as bright and dark cells along its upper edge, and a moving block."""
    picture = np.full((height, width, 3), 30, np.uint8)
    for bit in range(CODE_BITS):
        left, right = width * bit // CODE_BITS, width * (bit + 1) // CODE_BITS
        picture[: height // 4, left:right] = 220 if number >> bit & 1 else 30
    left = number * 3 % max(1, width - width // 6)
    picture[height // 2 : height * 3 // 4, left : left + width // 6] = (60, 200, 90)
    return picture


def number_in(picture: Picture) -> int:
    """The number that `picture_of` put in."""
    height, width = picture.shape[:2]
    row = picture[height // 8, :, :].mean(axis=1)
    return sum(int(row[width * (2 * bit + 1) // (2 * CODE_BITS)] > 125) << bit for bit in range(CODE_BITS))


def write_video(
    path: Path,
    *,
    codec: str = "libx264",
    size: tuple[int, int] = (160, 120),
    fps: int = 25,
    seconds: float = 6.0,
    pixel_format: str = "yuv420p",
    times_ms: Sequence[int] | None = None,
    audio: str | None = None,
    rotation: int = 0,
    still: bool = False,
    options: dict[str, str] | None = None,
    target: Any = None,
    container_format: str | None = None,
) -> Path:
    """Write a video whose frame n shows n (`still`: 0).

    `times_ms` makes its rate variable; `target` is written to instead of `path`.
    """
    import av

    count = len(times_ms) if times_ms is not None else round(seconds * fps)
    base = Fraction(1, 1000) if times_ms is not None else Fraction(1, fps)
    with av.open(target or str(path), "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=fps, options=FAST[codec] if options is None else options)
        stream.width, stream.height, stream.pix_fmt = *size, pixel_format
        stream.time_base = stream.codec_context.time_base = base
        sound = container.add_stream(audio, rate=48000) if audio else None
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(picture_of(0 if still else number, *size), format="rgb24")
            frame = frame.reformat(format=pixel_format)
            frame.pts = times_ms[number] if times_ms is not None else number
            frame.time_base = base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            _write_silence(container, sound, count / fps)
    if rotation:
        _turn(path, rotation, *size)
    return path


def write_sound(path: Path, codec: str = "aac", seconds: float = 1.0) -> Path:
    """Write a file with sound and no picture."""
    import av

    with av.open(str(path), "w") as container:
        _write_silence(container, container.add_stream(codec, rate=48000), seconds)
    return path


def _write_silence(container: Any, stream: Any, seconds: float) -> None:
    import av

    size = 1024
    for number in range(int(seconds * 48000 / size)):
        frame = av.AudioFrame.from_ndarray(np.zeros((2, size), np.float32), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, number * size, Fraction(1, 48000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _turn(path: Path, degrees: int, width: int, height: int) -> None:
    """Set the display matrix of an mp4's track header (ISO 14496-12, 8.3.2): shown turned clockwise."""
    one, unit = 0x10000, 0x40000000
    matrix = {
        90: (0, one, 0, -one, 0, 0, height * one, 0, unit),
        180: (-one, 0, 0, 0, -one, 0, width * one, height * one, unit),
        270: (0, -one, 0, one, 0, 0, 0, width * one, unit),
    }[degrees]
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)
