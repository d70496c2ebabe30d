"""What is wrong with the boxes of a csv that others wrote: told from all of them together, since one says little."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.schemas import BOX_COLUMNS

BORDER: Final = 0.1
"""A share that lies beyond the picture by less was rounded, or drawn so; beyond it is no share."""
MANY: Final = 0.01
"""From this part of the rows on a defect is the file's way of writing, not a slip."""

FINITE: Final = pl.all_horizontal(pl.col(name).is_finite() for name in BOX_COLUMNS)
WHOLE: Final = (pl.col("x2") > pl.col("x1")) & (pl.col("y2") > pl.col("y1"))
"""The box has width and height."""
IN_SHARES: Final = pl.all_horizontal(pl.col(name).is_between(-BORDER, 1 + BORDER) for name in BOX_COLUMNS)


def are_shares(rows: pl.DataFrame) -> bool:
    """Whether the boxes are shares of the picture, but for single rows; else they are pixels."""
    return rows.is_empty() or rows.select(IN_SHARES.mean()).item() > 0.5


def have_width_and_height(rows: pl.DataFrame, width: float, height: float) -> bool:
    """Whether the last two numbers are width and height, not corners: many are no corners, and as sizes all fit."""
    if rows.is_empty() or rows.select((~WHOLE).mean()).item() < MANY:
        return False
    fits = (
        (pl.col("x2") > 0)
        & (pl.col("y2") > 0)
        & (pl.col("x1") + pl.col("x2") <= width * (1 + BORDER))
        & (pl.col("y1") + pl.col("y2") <= height * (1 + BORDER))
    )
    return bool(rows.select(fits.all()).item())


def width_and_height(path: Path, place: str) -> InputError:
    """The refusal of such a file."""
    return InputError(
        f"{path}: boxes look like left, top, width, height: x2 or y2 is not beyond x1 or y1, {place}.",
        "Write x1, y1, x2, y2; where they already are, fix or remove those rows.",
    )
