"""Edits that pre-drawn tracks need, by kind."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core.base.schemas import PROPOSALS, empty
from ava_core.demo.corrections import Corrections, corrections
from ava_core.demo.truth import TRUTH_BOXES, TRUTH_LABELS, ClipTruth

SECONDS = 8
PLACES = {"a": 100.0, "b": 300.0}
NONE = Corrections(0, 0, 0, 0, 0)


@pytest.fixture
def truth() -> ClipTruth:
    """Two walkers in one clip."""
    rows = [("c", s, w, x, 50.0, x + 40, 150.0, 1.0) for s in range(SECONDS) for w, x in PLACES.items()]
    boxes = pl.DataFrame(rows, schema=dict(TRUTH_BOXES), orient="row")
    return ClipTruth(frozenset({"c"}), boxes, empty(TRUTH_LABELS), invented=False, seed=0)


def drawn(*stretches: tuple[int, str, int, int], shift: float = 0.0) -> pl.DataFrame:
    """Tracks on walkers, each `track, walker, first second, last second`; on walker "-" is nobody."""
    rows = [
        ("c", second, track, x, 50.0, x + 40, 150.0, 0.9, False)
        for track, walker, first, last in stretches
        for second in range(first, last + 1)
        for x in [PLACES.get(walker, 800.0) + shift]
    ]
    return pl.DataFrame(rows, schema=dict(PROPOSALS), orient="row")


B = (2, "b", 0, 7)


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        ([(1, "a", 0, 7), B], NONE),
        ([B], Corrections(1, 0, 0, 0, 0)),
        ([(1, "a", 0, 2), (1, "a", 5, 6), B], Corrections(2, 0, 0, 0, 0)),
        ([(1, "a", 0, 7), B, (3, "-", 2, 4)], Corrections(0, 1, 0, 0, 0)),
        ([(1, "a", 0, 3), (3, "a", 4, 7), B], Corrections(0, 0, 0, 1, 0)),
        ([(1, "a", 0, 3), (1, "b", 4, 7), (2, "b", 0, 3), (2, "a", 4, 7)], Corrections(0, 0, 2, 2, 0)),
    ],
)
def test_edits_are_counted_as_an_annotator_makes_them(
    truth: ClipTruth, stretches: list[tuple[int, str, int, int]], expected: Corrections
) -> None:
    assert corrections(truth, drawn(*stretches)) == expected


def test_boxes_that_lie_badly_are_drawn_again(truth: ClipTruth) -> None:
    beside = drawn((1, "a", 0, 7), B, shift=15.0)
    assert corrections(truth, beside) == Corrections(0, 0, 0, 0, 16)
    assert corrections(truth, drawn((1, "a", 0, 7), B, shift=5.0)) == NONE


def test_hardly_visible_walkers_cost_nothing(truth: ClipTruth) -> None:
    hidden = pl.when(pl.col("walker") == "a").then(0.1).otherwise("visible")
    dim = ClipTruth(
        truth.clips, truth.boxes.with_columns(visible=hidden), truth.labels, invented=False, seed=0
    )
    assert corrections(dim, drawn(B)) == NONE
    assert corrections(dim, drawn((1, "a", 0, 7), B)) == NONE


def test_nothing_drawn_is_a_track_to_add_for_everybody(truth: ClipTruth) -> None:
    assert corrections(truth, empty(PROPOSALS)) == Corrections(2, 0, 0, 0, 0)
