"""What a video file is: container, codec, size as shown, rate, length; or why it cannot be used."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from ava_core.base.errors import MediaError

PROBE_PACKETS: Final = 250
"""Packets looked at to tell a constant from a variable rate."""
RATE_TOLERANCE: Final = 0.2
"""A gap between frames that differs by more than this share of the usual one makes a rate variable."""
MAX_SIDE: Final = 16_384


@dataclass(frozen=True)
class VideoInfo:
    """Width and height in pixels as shown (after rotation), rotation in degrees clockwise, times in seconds."""

    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    rotation: int
    fps: float
    variable_rate: bool
    duration_s: float


def probe(path: Path) -> VideoInfo:
    """Look at a video. Raises `MediaError` with the reason where it holds no usable video."""
    import av

    if path.stat().st_size == 0:
        raise MediaError("the file is empty")
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.video:
                raise MediaError(
                    "it holds sound but no picture" if container.streams.audio else "it holds no video"
                )
            return _look(container, container.streams.video[0])
    except av.FFmpegError as error:
        raise MediaError(f"it cannot be read ({error.strerror})") from None


def _look(container: Any, stream: Any) -> VideoInfo:
    frame = next(iter(container.decode(stream)), None)
    if frame is None:
        raise MediaError("no frame of it can be decoded")
    if max(frame.width, frame.height) > MAX_SIDE:
        raise MediaError(f"its picture is {frame.width}×{frame.height}; {MAX_SIDE} is the limit")
    rotation = int(-(getattr(frame, "rotation", 0) or 0)) % 360
    container.seek(0)
    times = _times(container, stream)
    if len(times) < 2:
        raise MediaError("it has only one frame")
    gaps = [b - a for a, b in pairwise(times) if b > a]
    if not gaps:
        raise MediaError("its frames carry no times")
    usual = sorted(gaps)[len(gaps) // 2]
    variable = any(abs(gap - usual) > RATE_TOLERANCE * usual for gap in gaps)
    fps = float(stream.average_rate or 0) or 1.0 / usual
    turned = rotation % 180 == 90
    return VideoInfo(
        container=container.format.name,
        codec=stream.codec_context.name,
        pixel_format=stream.codec_context.pix_fmt or "",
        width=frame.height if turned else frame.width,
        height=frame.width if turned else frame.height,
        rotation=rotation,
        fps=fps if math.isfinite(fps) else 1.0 / usual,
        variable_rate=variable,
        duration_s=_duration(container, stream) or _seen_to_the_end(container, stream, times) + usual,
    )


def _times(container: Any, stream: Any) -> list[float]:
    times = []
    for packet in container.demux(stream):
        if packet.pts is not None:
            times.append(float(packet.pts * stream.time_base))
        if len(times) >= PROBE_PACKETS:
            break
    return sorted(times)


def _duration(container: Any, stream: Any) -> float | None:
    """Seconds as the stream or the container says."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return float(container.duration) / 1e6 if container.duration else None


def _seen_to_the_end(container: Any, stream: Any, times: list[float]) -> float:
    """Seconds from the first to the last packet, counted where the file does not say; without decoding."""
    rest = (packet.pts for packet in container.demux(stream) if packet.pts is not None)
    last = max(rest, default=None)
    return (times[-1] if last is None else float(last * stream.time_base)) - times[0]
