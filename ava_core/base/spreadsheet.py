"""Text that a spreadsheet opens."""

from __future__ import annotations

import polars as pl

FORMULA = r"^[=+\-@\t\r]"
"""How a cell begins that a spreadsheet would run."""

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?%?$"
"""Looks like the beginning of a formula, and is none."""


def spreadsheet_csv(frame: pl.DataFrame) -> bytes:
    """A table as csv in which no text is a formula: what begins like one gets a ' before it; numbers stay.

    >>> spreadsheet_csv(pl.DataFrame({"name": ["=1+1", "-2.5", "ann"], "count": [-1, 2, 3]})).decode()
    "name,count\\n'=1+1,-1\\n-2.5,2\\nann,3\\n"
    """
    text = pl.col(pl.String)
    risky = text.str.contains(FORMULA) & ~text.str.contains(NUMBER)
    return (
        frame.with_columns(pl.when(risky).then("'" + text).otherwise(text).name.keep()).write_csv().encode()
    )
