"""Tables and cells in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; columns that are empty throughout are left out."""
    filled = [list(row) for row in rows]
    kept = [number for number in range(len(heads)) if any(row[number] for row in filled)]
    lines = [[heads[number] for number in kept], ["---"] * len(kept)]
    lines += [[cell(row[number]) for number in kept] for row in filled]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cell(text: str) -> str:
    """Text that stays within one cell."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Text in code letters, nothing where there is none."""
    return f"`{text}`" if text else ""
