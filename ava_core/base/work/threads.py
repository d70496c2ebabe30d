"""Independent parts of one computation side by side: numpy and polars work outside the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ava_core.base.work.cores import available

Result = TypeVar("Result")


def side_by_side(calls: Iterable[Callable[[], Result]]) -> list[Result]:
    """The results of all calls, in their order; the first error of one is raised once all are over.

    Calls may not depend on one another. With one core they run one after the other.

    >>> side_by_side([lambda: 1, lambda: 2])
    [1, 2]
    """
    waiting = list(calls)
    threads = min(len(waiting), len(available()))
    if threads < 2:
        return [call() for call in waiting]
    with ThreadPoolExecutor(threads) as pool:
        return [made.result() for made in [pool.submit(call) for call in waiting]]
