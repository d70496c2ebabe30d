"""Independent parts of one computation side by side: numpy and polars work outside the interpreter's lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from typing import Final, TypeVar

from ava_core.base.work.cores import available

Result = TypeVar("Result")

NAME: Final = "side-by-side"


def side_by_side(calls: Iterable[Callable[[], Result]]) -> list[Result]:
    """The results of all calls, in their order; the first error of one is raised once all are over.

    Calls may not depend on one another. Within another call, or with one core, they run one after the other.

    >>> side_by_side([lambda: 1, lambda: 2])
    [1, 2]
    """
    waiting = list(calls)
    if min(len(waiting), len(available())) < 2 or threading.current_thread().name.startswith(NAME):
        return [call() for call in waiting]
    pool = _pool(os.getpid())
    under_way = [pool.submit(call) for call in waiting]
    wait(under_way)
    return [made.result() for made in under_way]


@lru_cache(1)
def _pool(process: int) -> ThreadPoolExecutor:
    """The threads of a process, which stay: each new one would get memory of its own that is never given back."""
    return ThreadPoolExecutor(len(available()), thread_name_prefix=NAME)
