"""What was wrong with a file that was read all the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Repair:
    """A defect, in how many rows it was found, the first line of them, and what was done about it."""

    defect: str
    repair: str
    rows: int
    line: int = 0
