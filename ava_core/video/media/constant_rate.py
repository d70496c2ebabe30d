"""A video of any rate as one picture each 1/30 s, by the times at which its frames are shown."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from ava_core.base.schemas import CLIP_FPS
from ava_core.video.media.deinterlace import deinterlaced
from ava_core.video.media.geometry import Fit, Plane, plane_pixels
from ava_core.video.media.reading import Decoded, Reading, opened
from ava_core.video.media.timeline import joined

REORDERED: Final = 16
"""Frames by which an encoder may move one ahead (H.264's limit)."""
TOLERANCE_S: Final = 0.0017
"""By how much a time may be late: what is meant for a moment may be stamped up to a millisecond and a half later."""
MILLISECONDS: Final = 3
"""Digits of a second that count: Matroska stores no more, and the same recording gives the same clips as mp4."""
HELD_S: Final = 0.1
"""Where frames were lost the one before stays at most so long; what is lost beyond is left out."""
SANE_LAST_S: Final = 20.0
"""Longest that a last frame stays by the file's own rate."""


@dataclass
class Tally:
    """Frames that came out of the decoder, and those left out since they or what they lean on were damaged."""

    decoded: int = 0
    damaged: int = 0


class Shown:
    """A frame of the source as it is on screen; scaled when first asked for, and only once.

    `pts`: its stamp in the source; `untouched`: whether the clip's picture is the source's own, bit by bit.
    """

    def __init__(self, one: Decoded, fit: Fit) -> None:
        self._frame, self._fit = one.frame, fit
        self.pts: int | None = one.frame.pts
        self.untouched = not one.woven and fit.leaves(one.frame.width, one.frame.height)

    @cached_property
    def picture(self) -> Any:
        """The frame as it lies in the clip: a PyAV frame, yuv420p."""
        return self._fit.apply(self._frame)

    @property
    def luma(self) -> Plane:
        """The clip's picture without colour, `(H, W)`; shares the frame's memory."""
        return plane_pixels(self.picture.planes[0])


def shown_at_constant_rate(path: Path, fit: Fit, tally: Tally | None = None) -> Iterator[tuple[int, Shown]]:
    """What a video shows at 0, 1/30, 2/30 … s after its first frame, with the number of that moment.

    Numbers follow one another, but for stretches in which frames were damaged or lost: those are left out, as is
    what comes after the file breaks off. `tally` is kept up to date.
    """
    tally = tally or Tally()
    shown: Shown | None = None
    emitted, last, usual = 0, 0.0, 1 / CLIP_FPS
    with opened(path) as reading:
        for time, one in joined(_stamped(reading), 1 / reading.rate):
            tally.decoded, tally.damaged = reading.decoded, reading.damaged
            due = _pictures_before(time)
            if shown is not None:
                # The frame before is on screen until this one's time comes.
                lost = one.after_loss and time - last > HELD_S
                until = min(due, _pictures_before(last + usual)) if lost else due
                for number in range(emitted, until):
                    yield number, shown
                usual = time - last if not lost and time > last else usual
            emitted = max(emitted, due)
            shown = Shown(one, fit)
            last = time
        tally.decoded, tally.damaged = reading.decoded, reading.damaged
        # The last frame stays for as long as a usual one.
        end = last + min(SANE_LAST_S, 1 / reading.rate)
    if shown is not None:
        for number in range(emitted, max(1, _pictures_before(end))):
            yield number, shown


def unbroken(pictures: Iterator[tuple[int, Shown]], longest: int) -> Iterator[tuple[int, Iterator[Shown]]]:
    """Stretches of at most `longest` pictures whose numbers follow one another: first number, pictures.

    What is not taken of a stretch is passed over when the next is asked for.
    """
    upcoming = next(pictures, None)

    def stretch(first: int) -> Iterator[Shown]:
        nonlocal upcoming
        for number in range(first, first + longest):
            if upcoming is None or upcoming[0] != number:
                return
            yield upcoming[1]
            upcoming = next(pictures, None)

    while upcoming is not None:
        own = stretch(upcoming[0])
        yield upcoming[0], own
        deque(own, maxlen=0)


def _pictures_before(time: float) -> int:
    """How many pictures at 0, 1/30, 2/30 … s come before `time`."""
    return math.ceil((round(time, MILLISECONDS) - TOLERANCE_S) * CLIP_FPS)


def _stamped(reading: Reading) -> Iterator[tuple[float | None, Decoded]]:
    """Sound frames in the order in which they are shown, with their stamps in seconds.

    AVI stores no presentation times, and FFmpeg's guesses go backwards where an encoder reordered frames. But
    frames leave the decoder in order: among the next few, the earliest time belongs to the first.
    """
    frames = deinterlaced(reading.frames())
    if reading.is_raw:
        yield from ((None, one) for one in frames)
        return
    if reading.stores_times:
        for one in frames:
            yield one.frame.time, one
        return
    waiting: deque[Decoded] = deque()
    times: list[float] = []
    for one in frames:
        if one.frame.time is not None:
            waiting.append(one)
            heapq.heappush(times, one.frame.time)
        if len(waiting) > REORDERED:
            yield heapq.heappop(times), waiting.popleft()
    while waiting:
        yield heapq.heappop(times), waiting.popleft()
