"""Logs that do not grow for ever: what is full makes way, a few older ones are kept."""

from __future__ import annotations

import shutil
from pathlib import Path

FULL_BYTES = 10 * 2**20
KEPT = 3
"""Older logs beside the present one."""


def rotate(log: Path, full: int = FULL_BYTES, kept: int = KEPT) -> bool:
    """Move a full log's content to `….1`, what was there to `….2`, and so on; returns whether it was full.

    The file itself stays, emptied: the process that writes to it has it open. It appends, so it goes on at the start.
    """
    if not log.is_file() or log.stat().st_size < full:
        return False
    for number in range(kept, 1, -1):
        older = numbered(log, number - 1)
        if older.exists():
            older.replace(numbered(log, number))
    shutil.copyfile(log, numbered(log, 1))
    with log.open("r+b") as file:
        file.truncate(0)
    return True


def numbered(log: Path, number: int) -> Path:
    """The log that is so many turns old."""
    return log.with_name(f"{log.name}.{number}")
