"""Conflicts that last: what is the same at seconds on end is one stretch, to be looked at once."""

from __future__ import annotations

from typing import Final

import polars as pl

SAME: Final = ("clip_id", "person_id", "kind", "detail")
"""What is equal all along a stretch."""


def stretches(conflicts: pl.DataFrame) -> pl.DataFrame:
    """Rows of `schemas.CONFLICTS` as stretches: `clip_id, person_id, kind, detail, second, until, frame`.

    `second` and `until` are the first and the last second of a stretch, `frame` the one to jump to. By clip, second,
    person and kind.
    """
    ordered = conflicts.select(*SAME, "second", "frame").sort(*SAME, "second")
    number = pl.int_range(pl.len(), dtype=pl.Int64).over(SAME)
    found = ordered.with_columns(run=pl.col("second") - number).group_by(*SAME, "run", maintain_order=True)
    merged = found.agg(
        second=pl.col("second").min(), until=pl.col("second").max(), frame=pl.col("frame").min()
    )
    return merged.drop("run").sort("clip_id", "second", "person_id", "kind", "detail")
