"""Doing the next while this is still in use: a thread that runs ahead of its reader."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeVar

Item = TypeVar("Item")

LOOK_S: Final = 0.1
"""How often a waiting thread looks whether its reader is gone."""


def ahead(items: Iterable[Item], depth: int) -> Iterator[Item]:
    """The same items in the same order, made by a thread that is up to `depth` of them ahead.

    An error of `items` is raised where it would have been; a reader that leaves ends the thread.
    """
    waiting: queue.Queue[tuple[str, Any]] = queue.Queue(depth)
    gone = threading.Event()

    def put(kind: str, item: Any) -> None:
        while not gone.is_set():
            with contextlib.suppress(queue.Full):
                waiting.put((kind, item), timeout=LOOK_S)
                break

    def run() -> None:
        try:
            for item in items:
                put("item", item)
                if gone.is_set():
                    return
            put("end", None)
        except BaseException as error:
            put("error", error)

    thread = threading.Thread(target=run, name="ahead", daemon=True)
    thread.start()
    try:
        while (entry := waiting.get())[0] == "item":
            yield entry[1]
        if entry[0] == "error":
            raise entry[1]
    finally:
        gone.set()
        thread.join()
