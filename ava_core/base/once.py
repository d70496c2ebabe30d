"""Read once, until it changes: what somebody has read or made is kept for everybody else."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

from upath import UPath

from ava_core.base.storage import changed_at

Key = TypeVar("Key", bound=Hashable)
Stamp = TypeVar("Stamp")
Value = TypeVar("Value")


@dataclass(frozen=True)
class Made(Generic[Stamp, Value]):
    """A value, the stamp of what it was made of, and when it was last made from nothing (the clock's seconds)."""

    stamp: Stamp
    value: Value
    since: float


@dataclass
class _Place(Generic[Stamp, Value]):
    lock: Lock = field(default_factory=Lock)
    made: Made[Stamp, Value] | None = None
    weight: float = 0.0


class Once(Generic[Key, Stamp, Value]):
    """Values by key, each made once and kept until its stamp is another one. Safe in threads.

    Several that ask for one key at once wait for one of them to make it; other keys do not wait. What could not be
    made is not kept, so that the next one who asks tries again.

    `most`: how much is kept, by default everything; the values used longest ago go first, the newest always stays.
    `weigh`: what a value counts of `most`, by default 1. `seconds`: a value is made from nothing again after this
    time, whatever its stamp says, by default never.
    """

    def __init__(
        self,
        *,
        most: float = math.inf,
        weigh: Callable[[Value], float] = lambda _: 1.0,
        seconds: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._weigh, self._seconds, self._clock = most, weigh, seconds, clock
        self._places: OrderedDict[Key, _Place[Stamp, Value]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key, stamp: Stamp, make: Callable[[Made[Stamp, Value] | None], Value]) -> Value:
        """The value of a key: the one that is kept where its stamp equals `stamp`, else what `make` gives.

        `make` gets what is known from before, so that it need only read what is new; `None` where nothing is, or
        where all is to be read again. It must read what is at least as new as `stamp`.
        """
        with self._lock:
            place = self._places.setdefault(key, _Place())
            self._places.move_to_end(key)
        with place.lock:
            now, made = self._clock(), place.made
            if made is not None and now - made.since >= self._seconds:
                made = None
            if made is not None and made.stamp == stamp:
                return made.value
            try:
                value = make(made)
            except BaseException:
                self._forget_empty(key, place)
                raise
            place.made = Made(stamp, value, now if made is None else made.since)
            place.weight = self._weigh(value)
        self._shed(key, place)
        return value

    def of_file(self: Once[UPath, float, Value], path: UPath, read: Callable[[UPath], Value]) -> Value | None:
        """What `read` makes of a file, made anew where the file was written anew; `None` where there is none."""
        changed = changed_at(path)
        return None if changed is None else self.get(path, changed, lambda _: read(path))

    def __len__(self) -> int:
        """How many values are kept."""
        with self._lock:
            return sum(place.made is not None for place in self._places.values())

    def _forget_empty(self, key: Key, place: _Place[Stamp, Value]) -> None:
        with self._lock:
            if place.made is None and self._places.get(key) is place:
                del self._places[key]

    def _shed(self, key: Key, place: _Place[Stamp, Value]) -> None:
        """Keep this one, and of the others as many as there is room for."""
        with self._lock:
            self._places[key] = place
            self._places.move_to_end(key)
            weight = sum(one.weight for one in self._places.values())
            while len(self._places) > 1 and weight > self._most:
                weight -= self._places.popitem(last=False)[1].weight
