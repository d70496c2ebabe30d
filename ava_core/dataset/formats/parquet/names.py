"""The layout `parquet/`: `<split>.parquet`, a row a label."""

from __future__ import annotations

from typing import Final

FOLDER: Final = "parquet"


def table(split: str) -> str:
    """The labels of a split."""
    return f"{FOLDER}/{split}.parquet"
