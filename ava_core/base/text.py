"""Values as people read them, wherever they are shown: in tables of commands, in reports, in metadata."""

from __future__ import annotations

from typing import Final

UNDEFINED: Final = "–"
"""What stands for a value that is not there; never 0."""

DECIMALS: Final = 3


def value_text(value: object) -> str:
    """A value as it is; a dash where there is none."""
    return UNDEFINED if value is None else str(value)


def figure_text(value: object) -> str:
    """A value, rounded where it is a fraction; a dash where there is none."""
    return f"{value:.{DECIMALS}f}" if isinstance(value, float) else value_text(value)


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "clip"), plural(2, "batch"), plural(0, "run")
    ('1 clip', '2 batches', '0 runs')
    """
    ending = "" if count == 1 else "es" if noun.endswith(("s", "x", "ch", "sh")) else "s"
    return f"{count:,} {noun}{ending}"


def gigabytes(size: int) -> str:
    """A size in bytes as people read it.

    >>> gigabytes(2_500_000_000), gigabytes(40_000_000), gigabytes(0)
    ('2.5 GB', '0.04 GB', '0 GB')
    """
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e9:.3g} GB"
