"""Pictures and tables as metadata that Dagster's UI shows."""

from __future__ import annotations

import base64

import polars as pl
from dagster import MetadataValue

from ava_core.base.text import figure_text

MADE_OF = "made of"
"""Metadata of an asset that says what it was made of; it is noted once the tables are written."""


def picture(jpeg: bytes) -> MetadataValue:
    """A small JPEG."""
    return MetadataValue.md(f"![preview](data:image/jpeg;base64,{base64.b64encode(jpeg).decode()})")


def markdown(table: pl.DataFrame) -> MetadataValue:
    """A small table; "none" where it has no rows."""
    if table.is_empty():
        return MetadataValue.md("none")
    cells = [[figure_text(value).replace("|", "\\|") for value in row] for row in table.rows()]
    lines = [table.columns, ["---"] * table.width, *cells]
    return MetadataValue.md("\n".join("| " + " | ".join(line) + " |" for line in lines))
