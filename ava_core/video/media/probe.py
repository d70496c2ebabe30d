"""What a video file is: container, codec, size as shown, rate, length; or why it cannot be used."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from ava_core.base.errors import MediaError
from ava_core.video.media.geometry import Lie, lie_of
from ava_core.video.media.reading import Reading, opened
from ava_core.video.media.timeline import joined

FRAMES_SEEN: Final = 5
"""Frames that are decoded to see what they are like."""
PACKETS_TRIED: Final = 3000
"""Packets in which the first frames have to be found: two minutes of a usual camera."""
PROBE_PACKETS: Final = 250
"""Packets looked at to tell a constant from a variable rate."""
REORDERED: Final = 16
"""Packets at the end of those whose neighbours may come later."""
RATE_TOLERANCE: Final = 0.2
"""A gap between frames that differs by more than this share of the usual one makes a rate variable."""
MAX_SIDE: Final = 16_384


@dataclass(frozen=True)
class VideoInfo:
    """Width and height in pixels as shown (upright, square pixels), rotation in degrees clockwise, times in seconds.

    `mirrored`: left to right, before it is turned; `pixel_aspect`: width over height of a stored pixel; `frames`:
    pictures that the file holds.
    """

    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    rotation: int
    mirrored: bool
    pixel_aspect: float
    interlaced: bool
    fps: float
    variable_rate: bool
    duration_s: float
    frames: int


def probe(path: Path) -> VideoInfo:
    """Look at a video, all through but without decoding more than its beginning.

    Raises `MediaError` with the reason where it holds no usable video.
    """
    if path.stat().st_size == 0:
        raise MediaError("the file is empty")
    with opened(path) as reading:
        return _look(reading)


@dataclass
class _Seen:
    """What one pass over a file's packets showed."""

    frames: list[Any] = field(default_factory=list)
    decoding: list[float | None] = field(default_factory=list)
    showing: list[float] = field(default_factory=list)


def _look(reading: Reading) -> VideoInfo:
    seen = _pass_over(reading)
    if not seen.frames:
        raise MediaError("no frame of it can be decoded")
    first, stream = seen.frames[0], reading.stream
    if max(first.width, first.height) > MAX_SIDE:
        raise MediaError(f"its picture is {first.width}×{first.height}; {MAX_SIDE} is the limit")
    if len(seen.decoding) < 2:
        raise MediaError("it has only one frame")
    lie: Lie = lie_of(first, stream.sample_aspect_ratio)
    width, height = lie.shown_size(first.width, first.height)
    duration, usual = _length(seen, reading)
    return VideoInfo(
        container=reading.container.format.name,
        codec=stream.codec_context.name,
        pixel_format=first.format.name,
        width=width,
        height=height,
        rotation=lie.rotation,
        mirrored=lie.mirrored,
        pixel_aspect=lie.pixel_aspect,
        interlaced=any(frame.interlaced_frame for frame in seen.frames),
        fps=len(seen.decoding) / duration,
        variable_rate=_varies(seen.showing, usual),
        duration_s=duration,
        frames=len(seen.decoding),
    )


def _pass_over(reading: Reading) -> _Seen:
    import av

    seen, base = _Seen(), reading.stream.time_base
    for number, packet in enumerate(reading.packets()):
        if len(seen.frames) < FRAMES_SEEN and number < PACKETS_TRIED:
            with contextlib.suppress(av.FFmpegError, EOFError):
                seen.frames += packet.decode()
        if not packet.size or packet.is_discard:
            continue
        known = packet.dts is not None and not reading.is_raw
        seen.decoding.append(float(packet.dts * base) if known else None)
        if packet.pts is not None and len(seen.showing) < PROBE_PACKETS:
            seen.showing.append(float(packet.pts * base))
    return seen


def _length(seen: _Seen, reading: Reading) -> tuple[float, float]:
    """Seconds from the first frame to the end of the last, and from one frame to the next as a rule."""
    times = [time for time, _ in joined(((stamp, None) for stamp in seen.decoding), 1 / reading.rate)]
    gaps = sorted(b - a for a, b in pairwise(times))
    usual = gaps[len(gaps) // 2]
    if not usual > 0:
        raise MediaError("its frames have no timestamps")
    return times[-1] + min(usual, 1 / reading.rate), usual


def _varies(showing: list[float], usual: float) -> bool:
    """Whether gaps between the frames' times differ."""
    times = sorted(showing)
    gaps = [b - a for a, b in pairwise(times[:-REORDERED] or times) if b > a]
    return any(abs(gap - usual) > RATE_TOLERANCE * usual for gap in gaps)
