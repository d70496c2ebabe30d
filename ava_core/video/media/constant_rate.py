"""A video of any rate as one picture each 1/30 s, by the times at which its frames are shown."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from ava_core.base.schemas import CLIP_FPS
from ava_core.video.media.geometry import Fit

MAX_STILL_S: Final = 3600.0
"""A frame that is said to stay longer than this has a broken time: the video ends before it."""

REORDERED: Final = 16
"""Frames by which an encoder may move one ahead (H.264's limit)."""
TOLERANCE: Final = 0.05
"""Share of 1/30 s by which a time may be late: Matroska rounds times to milliseconds."""


class Shown:
    """What is on screen at one moment; scaled when first asked for, and only once."""

    def __init__(self, frame: Any, fit: Fit, rotation: int) -> None:
        self._frame, self._fit, self._rotation = frame, fit, rotation

    @cached_property
    def picture(self) -> Any:
        """The frame as it lies in the clip: a PyAV frame, yuv420p."""
        return self._fit.apply(self._frame, self._rotation)


def shown_at_constant_rate(path: Path, fit: Fit, rotation: int) -> Iterator[Shown]:
    """What a video shows at 0, 1/30, 2/30 … s after its first frame.

    A frame that cannot be decoded is left out and the one before it stays; where the file breaks off the
    iteration ends: what came before is good.
    """
    import av

    shown: Shown | None = None
    start: float | None = None
    emitted, last = 0, 0.0
    with av.open(str(path), metadata_errors="replace") as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for time, frame in _timed_frames(container, stream):
            start = time if start is None else start
            # The frame before is on screen until this one's time comes.
            due = _pictures_before(time - start)
            if due - emitted > MAX_STILL_S * CLIP_FPS:
                break
            while shown is not None and emitted < due:
                yield shown
                emitted += 1
            shown = Shown(frame, fit, rotation)
            last = time
        if shown is None:
            return
        # The last frame stays for as long as a usual one.
        end = last - (start or 0.0) + 1 / float(stream.average_rate or CLIP_FPS)
    for _ in range(emitted, max(1, _pictures_before(end))):
        yield shown


def _pictures_before(time: float) -> int:
    """How many pictures at 0, 1/30, 2/30 … s come before `time`."""
    return math.ceil(time * CLIP_FPS - TOLERANCE)


def _timed_frames(container: Any, stream: Any) -> Iterator[tuple[float, Any]]:
    """Decoded frames in the order in which they are shown, with their times in seconds.

    AVI stores no presentation times, and FFmpeg's guesses go backwards where an encoder reordered frames. But
    frames leave the decoder in order: among the next few, the earliest time belongs to the first.
    """
    ahead = REORDERED if container.format.name == "avi" else 0
    frames: deque[Any] = deque()
    times: list[float] = []
    for frame in _decoded(container, stream):
        if frame.time is not None:
            frames.append(frame)
            heapq.heappush(times, frame.time)
        if len(frames) > ahead:
            yield heapq.heappop(times), frames.popleft()
    for frame in frames:
        yield heapq.heappop(times), frame


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    """All frames that can be decoded."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            return
        if packet is None:
            return
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue
