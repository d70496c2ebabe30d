"""A csv as text: every cell as it stands, with its line."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ava_core.base.errors import InputError


def read_bytes(path: Path) -> bytes:
    """A file's content. Raises `InputError` where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Give another file.") from None


def read_cells(
    raw: bytes, columns: tuple[str, ...], *, separator: str = ",", first_line: int = 1
) -> pl.DataFrame:
    """Every cell as text, with `line`; missing cells are null, a cell too many is in `extra`."""
    names = [*columns, "extra"]
    if not raw.strip():
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String) | {"line": pl.Int64})
    text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").replace("\r", "")
    whole = pl.DataFrame({"text": [text.removesuffix("\n")]})
    lines = whole.select(pl.col("text").str.split("\n")).explode("text")
    parts = lines.select(
        line=pl.int_range(first_line, pl.len() + first_line), parts=pl.col("text").str.split(separator)
    )
    cells = [pl.col("parts").list.get(n, null_on_oob=True).alias(name) for n, name in enumerate(names)]
    return parts.select("line", *cells)
