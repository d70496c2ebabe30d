"""Rules for the list of seconds that readers leave out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.checks.finding import Finding, each_line
from ava_core.dataset.formats.cells import read_cells


def check_excluded(folder: Path, split: str, rows: pl.DataFrame) -> Iterator[Finding]:
    """Rules for `ava_<split>_excluded_timestamps_v2.2.csv`; `rows`: the split's annotation rows, as text."""
    name = names.excluded_csv(split)
    path = folder / name
    if not path.is_file():
        yield Finding(
            name, 0, "the list of excluded timestamps is missing", "SlowFast and the evaluation stop"
        )
        return
    seconds = read_cells(path.read_bytes(), ("video_id", "timestamp"))
    four = pl.col("timestamp").fill_null("").str.contains(r"^\d{4}$")
    bad = seconds.filter(pl.col("extra").is_not_null() | ~four)
    yield from each_line(
        name, bad, "a row is not video,timestamp with four digits", "The exclusion has no effect"
    )
    labelled = rows.select("video_id", "timestamp").unique()
    yield from each_line(
        name,
        seconds.join(labelled, on=["video_id", "timestamp"], how="semi"),
        "an excluded second has rows in the csv",
        "SlowFast trains on it all the same",
    )
