"""Waiting for what happens beside the test: until it has happened, and no longer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

NOT_YET = "it did not happen in time"


def wait_until(condition: Callable[[], Found], seconds: float, pause: float = 0.1) -> Found:
    """Look every `pause` seconds until the condition gives something, and give that."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, NOT_YET
        time.sleep(pause)
    return found


async def eventually(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """The same among handlers of the console, which run in the test's own loop."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, NOT_YET
        await asyncio.sleep(0.02)
