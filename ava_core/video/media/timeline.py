"""Times that can be trusted, made of the stamps that a recorder wrote.

Stamps lie: one frame is stamped hours ahead, the clock is set back, a camera reboots and begins at zero again. What
the next stamps confirm is a new timeline, and is joined on to the one before; what they do not is a bad stamp.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

Item = TypeVar("Item")

NEXT: Final = 6
"""Stamps that are looked at to confirm one: up to half of them may be bad ones in a row."""
UNUSUAL: Final = 1.5
"""A gap of more usual ones than this wants to be confirmed."""
LONGEST_STILL_S: Final = 1800.0
"""A picture that is said to stay longer than this does not: the clock was set."""
LAST_STILL_S: Final = 10.0
"""The same for the last frame, which nothing confirms."""
RECENT: Final = 31
"""Gaps of which the usual one is the middle."""


def joined(stamped: Iterable[tuple[float | None, Item]], usual_s: float) -> Iterator[tuple[float, Item]]:
    """The items with their times in seconds from the first, which never go back.

    `stamped`: items in the order in which they are shown, each with its stamp in seconds or `None`; `usual_s`: the
    gap between two where stamps do not tell.
    """
    clock = _Clock(usual_s)
    waiting: deque[tuple[float | None, Item]] = deque()
    for one in stamped:
        waiting.append(one)
        if len(waiting) > NEXT:
            yield _placed(clock, waiting)
    while waiting:
        yield _placed(clock, waiting)


def _placed(clock: _Clock, waiting: deque[tuple[float | None, Item]]) -> tuple[float, Item]:
    stamp, item = waiting.popleft()
    return clock.place(stamp, [later for later, _ in waiting if later is not None]), item


class _Clock:
    """Where the timeline stands: in stamps, and in seconds from the first item."""

    def __init__(self, usual_s: float) -> None:
        self._stated = usual_s
        self._gaps: deque[float] = deque(maxlen=RECENT)
        self._stamp: float | None = None
        self._time: float | None = None

    @property
    def usual(self) -> float:
        """Seconds from one item to the next as a rule."""
        return statistics.median(self._gaps) if self._gaps else self._stated

    def place(self, stamp: float | None, later: list[float]) -> float:
        """The time of the next item, by its stamp and those after it."""
        if self._time is None:
            self._stamp, self._time = stamp, 0.0
        else:
            self._time += self._gap(stamp, later)
        return self._time

    def _gap(self, stamp: float | None, later: list[float]) -> float:
        if stamp is None or self._stamp is None:
            self._stamp = stamp if self._stamp is None else self._stamp + self.usual
            return self.usual
        gap = stamp - self._stamp
        if not 0 < gap <= UNUSUAL * self.usual:
            if self._is_bad(stamp, later):
                return self._step(later)
            if not 0 < gap <= LONGEST_STILL_S:
                self._stamp = stamp
                return self.usual
        self._gaps.append(gap)
        self._stamp = stamp
        return gap

    def _is_bad(self, stamp: float, later: list[float]) -> bool:
        assert self._stamp is not None
        if not later:
            return not 0 < stamp - self._stamp <= LAST_STILL_S
        if stamp > self._stamp:
            return 2 * sum(stamp <= one for one in later) < len(later)
        return 2 * sum(one > self._stamp for one in later) > len(later)

    def _step(self, later: list[float]) -> float:
        """The usual gap, but not past the next good stamp."""
        assert self._stamp is not None
        room = min((one - self._stamp for one in later if one > self._stamp), default=2 * self.usual)
        step = min(self.usual, room / 2)
        self._stamp += step
        return step
