"""Several sessions at once: while the server works on one request, the next ones are on their way."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Final, Self, TypeVar

from ava_core.annotation.gateway import CvatGateway
from ava_core.base.settings import Settings

AT_ONCE: Final = 6
"""Sessions at a time: enough to hide the server's waits, too few to crowd out the annotators."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class GatewayPool:
    """Gateways for `at_once` threads, each signed in when it is first needed. Use it in a `with` block."""

    def __init__(self, settings: Settings, at_once: int | None = None) -> None:
        self._settings = settings
        self._at_once = at_once or AT_ONCE
        self._idle: queue.SimpleQueue[CvatGateway] = queue.SimpleQueue()
        self._stack = ExitStack()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @contextmanager
    def gateway(self) -> Iterator[CvatGateway]:
        """A gateway that nobody else uses during the block."""
        try:
            one = self._idle.get_nowait()
        except queue.Empty:
            one = CvatGateway(self._settings).__enter__()
            with self._lock:
                self._stack.push(one)
        try:
            yield one
        finally:
            self._idle.put(one)

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results in the order of `items`. All are worked on, also after an error; the first one is raised."""
        with ThreadPoolExecutor(self._at_once) as threads:
            yield from threads.map(work, items)
