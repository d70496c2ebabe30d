"""Bulk approval: what passes, what does not and why; what is undefined is not known to be good."""

from __future__ import annotations

import polars as pl

from ava_core.decisions import DecisionState
from ava_core.quality.bulk import Thresholds, plan_bulk_approval
from ava_core.tables import ADJUDICATIONS, AGREEMENT_BY_CLIP, empty


def state(approved: tuple[str, ...] = (), rejected: tuple[str, ...] = ()) -> DecisionState:
    return DecisionState(frozenset(approved), frozenset(rejected), frozenset(), empty(ADJUDICATIONS), {})


def clips(**figures: tuple[float | None, float | None, float | None]) -> pl.DataFrame:
    rows = [
        {"clip_id": clip, "pooled_alpha": alpha, "mean_iou": iou, "f1": f1,
         "reason": "" if alpha is not None else "one annotator only"}
        for clip, (alpha, iou, f1) in figures.items()
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=dict(AGREEMENT_BY_CLIP))


def test_clips_that_pass_are_approved_and_the_others_say_why() -> None:
    table = clips(
        good=(0.8, 0.9, 1.0), vague=(0.3, 0.9, 1.0), loose=(0.8, 0.4, 1.0), alone=(None, None, None)
    )
    plan = plan_bulk_approval(table, state(), Thresholds())
    assert plan.approve == ("good",)
    assert plan.left.rows() == [
        ("alone", "pooled_alpha is undefined: one annotator only"),
        ("loose", "mean_iou 0.400 is below 0.5"),
        ("vague", "pooled_alpha 0.300 is below 0.4"),
    ]


def test_a_threshold_of_nothing_asks_for_nothing() -> None:
    plan = plan_bulk_approval(clips(alone=(None, None, None)), state(), Thresholds(0, 0, 0))
    assert plan.approve == ("alone",)


def test_what_was_judged_is_left_alone() -> None:
    table = clips(a=(1.0, 1.0, 1.0), b=(1.0, 1.0, 1.0), c=(1.0, 1.0, 1.0))
    assert plan_bulk_approval(table, state(("a",), ("b",)), Thresholds()).approve == ("c",)
