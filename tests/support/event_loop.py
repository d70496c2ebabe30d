"""Finds what the console writes on the event loop: there a database or a disk that is slow holds everybody up."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

from sqlalchemy import event

import ava_ui
from ava_core.store import Store

CONSOLE: Final = str(Path(ava_ui.__file__).parent)
READS: Final = ("SELECT", "PRAGMA", "WITH", "EXPLAIN")
CHANGES: Final = frozenset(
    {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "shutil.copyfile", "shutil.rmtree"}
)
"""Audit events of Python that change the disk, besides `open` for writing."""

_watched: list[tuple[str, list[str]]] = []
"""Folder and findings of every watch that is under way: Python's audit hooks cannot be taken out again."""


@contextmanager
def watched(store: Store, home: Path) -> Iterator[list[str]]:
    """What code of the console wrote on a thread that runs an event loop, in words; database and files of a home."""
    found: list[str] = []

    def statement(_: Any, __: Any, text: str, *more: Any) -> None:
        if not text.lstrip().upper().startswith(READS):
            _note(found, text.strip().splitlines()[0])

    if _hook not in _installed:
        sys.addaudithook(_hook)
        _installed.append(_hook)
    event.listen(store.engine, "before_cursor_execute", statement)
    _watched.append((str(home), found))
    try:
        yield found
    finally:
        _watched.remove((str(home), found))
        event.remove(store.engine, "before_cursor_execute", statement)


_installed: list[Any] = []


def _hook(name: str, given: tuple[Any, ...]) -> None:
    if not _watched or not (name in CHANGES or (name == "open" and _writes(given[2]))):
        return
    for folder, found in _watched:
        if str(given[0]).startswith(folder):
            _note(found, f"{name} {given[0]}")


def _writes(flags: Any) -> bool:
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _note(found: list[str], what: str) -> None:
    if asyncio._get_running_loop() is None:
        return
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename.startswith(CONSOLE):
            place = Path(frame.f_code.co_filename).relative_to(CONSOLE)
            found.append(f"{place}:{frame.f_lineno} {frame.f_code.co_name}: {what}")
            return
        frame = frame.f_back
