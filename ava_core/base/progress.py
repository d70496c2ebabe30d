"""Progress of long work: how much is done, how fast it goes, how long it will still take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ProgressReport:
    """A moment of some long work. Rate in units per second; times in seconds; `None` while unknown."""

    what: str
    done: float
    total: float | None
    unit: str
    rate: float | None
    seconds_left: float | None

    def __str__(self) -> str:
        share = f"{self.done:.0f}/{self.total:.0f}" if self.total else f"{self.done:.0f}"
        text = f"{self.what}: {share} {self.unit}"
        if self.rate:
            text += f", {self.rate:.1f} {self.unit}/s"
        if self.seconds_left is not None:
            text += f", {_clock(self.seconds_left)} left"
        return text


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


ProgressSink = Callable[[ProgressReport], None]


def ignore_progress(report: ProgressReport) -> None:
    """A sink that shows nothing."""


@dataclass
class Progress:
    """Counts work and tells `sink` at most every `every` seconds, and once at the end.

    Parameters: `what` names the work ("detect"), `total` is the number of units where known, `unit`
    their name ("frames"). Raising `every` makes logs shorter.
    """

    what: str
    total: float | None = None
    unit: str = "items"
    sink: ProgressSink = ignore_progress
    every: float = 2.0
    done: float = 0.0
    _started: float = field(default_factory=time.monotonic)
    _told: float = field(default_factory=time.monotonic)

    def advance(self, units: float = 1.0) -> None:
        """Count `units` as done."""
        self.done += units
        now = time.monotonic()
        if now - self._told >= self.every:
            self._told = now
            self.sink(self.report())

    def finish(self) -> None:
        """Tell the final count."""
        self.sink(self.report())

    def report(self) -> ProgressReport:
        """The state now."""
        elapsed = time.monotonic() - self._started
        rate = self.done / elapsed if elapsed > 0 and self.done else None
        left = (self.total - self.done) / rate if rate and self.total is not None else None
        return ProgressReport(self.what, self.done, self.total, self.unit, rate, left)
