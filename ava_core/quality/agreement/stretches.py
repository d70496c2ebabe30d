"""Conflicts that last: what is the same at seconds on end is one stretch, to be looked at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

SAME: Final = ("clip_id", "person_id", "kind", "detail")
"""What is equal all along a stretch."""


def stretches(
    conflicts: pl.DataFrame, same: Sequence[str] = SAME, figures: Sequence[pl.Expr] = ()
) -> pl.DataFrame:
    """Rows of `schemas.CONFLICTS` as stretches: `clip_id, person_id, kind, detail, second, until, frame`.

    `second` and `until` are the first and the last second of a stretch, `frame` the one to jump to. By clip, second,
    person and kind. Of other rows with `clip_id`, `person_id`, `second` and `frame`, `same` are the columns that are
    equal all along a stretch, `clip_id` and `person_id` first, and `figures` what is told of one beside.
    """
    ordered = conflicts.sort(*same, "second")
    number = pl.int_range(pl.len(), dtype=pl.Int64).over(same)
    found = ordered.with_columns(run=pl.col("second") - number).group_by(*same, "run", maintain_order=True)
    merged = found.agg(
        *figures, second=pl.col("second").min(), until=pl.col("second").max(), frame=pl.col("frame").min()
    )
    return merged.drop("run").sort("clip_id", "second", *same[1:])
