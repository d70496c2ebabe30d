"""Rules for the list of seconds that readers leave out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from ava_core.dataset.formats.ava.checks.finding import Finding, each_line
from ava_core.dataset.formats.cells import read_cells


def read_excluded(path: Path | None) -> pl.DataFrame:
    """`video_id, timestamp` as text, `line, extra`; none where there is no list."""
    return read_cells(path.read_bytes() if path else b"", ("video_id", "timestamp"))


def check_excluded(name: str, seconds: pl.DataFrame, rows: pl.DataFrame) -> Iterator[Finding]:
    """Rules for excluded seconds (`read_excluded`); `rows`: the split's annotation rows, as text."""
    number = pl.col("timestamp").fill_null("").str.contains(r"^\d+$")
    bad = seconds.filter(pl.col("extra").is_not_null() | ~number)
    yield from each_line(
        name,
        bad,
        "a row is not video,timestamp with four digits",
        "SlowFast and mmaction2 stop with a ValueError",
        cure="Write <video>,0902",
    )
    short = seconds.filter(number, pl.col("timestamp").str.len_chars() != 4)
    yield from each_line(
        name,
        short,
        "a timestamp has not four digits",
        "Readers count with it all the same; programs that compare text exclude nothing",
        "warning",
    )
    labelled = rows.select("video_id", "timestamp").unique()
    yield from each_line(
        name,
        seconds.join(labelled, on=["video_id", "timestamp"], how="semi"),
        "an excluded second has rows in the csv",
        "SlowFast trains on it all the same; the evaluation leaves it out",
        "warning",
        "Leave its rows out: --fix does",
    )
