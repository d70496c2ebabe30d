"""A process's share of the machine's cores.

On Linux a process is held to its share; ffmpeg, OpenCV, OpenMP, torch and polars count their threads by it,
so that all workers together start about as many as there are cores.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Sequence


def available() -> list[int]:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def shares(cores: Sequence[int], workers: int) -> list[list[int]]:
    """The cores dealt out to so many workers; where there are fewer cores than workers, some share one.

    >>> shares([0, 1, 2, 3, 4], 2), shares([0, 1], 3)
    ([[0, 2, 4], [1, 3]], [[0], [1], [0]])
    """
    return [list(cores[n::workers]) or [cores[n % len(cores)]] for n in range(workers)]


def keep_to(cores: Sequence[int]) -> None:
    """Run on these cores; libraries that are imported from here on count them and start as many threads."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    os.environ.setdefault("OMP_NUM_THREADS", str(len(cores)))


@contextlib.contextmanager
def claimed(count: int) -> Iterator[list[int]]:
    """Keep to `count` cores that no other process of this machine has claimed, and give them back at the end.

    For processes that nobody deals cores out to. A claim is a name that only one socket can have
    (Linux keeps it in memory, not in a folder), so it ends with its process.
    Where too few cores are free, or on a system that knows no affinity, the process runs where it did: yields `[]`.
    """
    before = available()
    with contextlib.ExitStack() as claims:
        mine: list[int] = []
        if hasattr(os, "sched_setaffinity"):
            for core in before:
                if len(mine) < count and (claim := _claim(core)):
                    claims.enter_context(claim)
                    mine.append(core)
        if len(mine) < count:
            claims.close()
            yield []
            return
        keep_to(mine)
        try:
            yield mine
        finally:
            os.sched_setaffinity(0, before)


def _claim(core: int) -> socket.socket | None:
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0ava-core-{os.getuid()}-{core}")
    except OSError:
        claim.close()
        return None
    return claim
