"""Conflicts that are the same at seconds on end become one stretch; whatever differs stays apart."""

from __future__ import annotations

import polars as pl

from ava_core.base.schemas import CLIP_FPS
from ava_core.quality.agreement.stretches import stretches


def conflicts(*rows: tuple[str, int, int, str]) -> pl.DataFrame:
    """Of label conflicts: clip, second, person, detail."""
    columns = {"clip_id": pl.String, "second": pl.Int32, "person_id": pl.Int32, "detail": pl.String}
    table = pl.DataFrame(rows, schema=columns, orient="row")
    return table.with_columns(kind=pl.lit("label:posture"), frame=pl.col("second") * CLIP_FPS)


def found(table: pl.DataFrame) -> list[tuple[str, int, int, int]]:
    return stretches(table).select("clip_id", "person_id", "second", "until").rows()


def test_seconds_on_end_are_one_and_a_gap_parts_them() -> None:
    table = conflicts(*(("c", second, 1, "a=1; b=2") for second in (5, 3, 4, 8)))
    assert found(table) == [("c", 1, 3, 5), ("c", 1, 8, 8)]
    assert stretches(table)["frame"].to_list() == [3 * CLIP_FPS, 8 * CLIP_FPS]


def test_other_words_another_person_and_another_clip_stay_apart() -> None:
    table = conflicts(
        ("c", 3, 1, "a=1; b=2"), ("c", 4, 1, "a=1; b=3"), ("c", 4, 2, "a=1; b=2"), ("d", 4, 1, "a=1; b=2")
    )
    assert found(table) == [("c", 1, 3, 3), ("c", 1, 4, 4), ("c", 2, 4, 4), ("d", 1, 4, 4)]


def test_what_is_the_same_can_be_chosen_and_figures_told_beside() -> None:
    table = conflicts(*(("c", second, 1, str(second)) for second in (3, 4, 7))).with_columns(
        doubt=pl.lit(0.5)
    )
    merged = stretches(table, ("clip_id", "person_id", "kind"), [pl.col("doubt").sum()])
    assert merged.select("second", "until", "doubt").rows() == [(3, 4, 1.0), (7, 7, 0.5)]


def test_nothing_differs_nowhere() -> None:
    assert stretches(conflicts()).is_empty()
