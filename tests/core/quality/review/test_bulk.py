"""Bulk approval: what passes, what does not and why; what is undefined is not known to be good."""

from __future__ import annotations

import polars as pl

from ava_core.base.schemas import AGREEMENT_BY_CLIP, RULE_FINDINGS, empty
from ava_core.quality.review.bulk import BulkPlan, Thresholds, blocked_clips, plan_bulk_approval


def plan_of(
    table: pl.DataFrame,
    thresholds: Thresholds,
    judged: tuple[str, ...] = (),
    blocked: dict[str, str] | None = None,
) -> BulkPlan:
    return plan_bulk_approval(table, judged, thresholds, blocked)


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
    plan = plan_of(table, Thresholds())
    assert plan.approve == ("good",)
    assert plan.left.rows() == [
        ("alone", "pooled_alpha is undefined: one annotator only"),
        ("loose", "mean_iou 0.400 is below 0.5"),
        ("vague", "pooled_alpha 0.300 is below 0.4"),
    ]


def test_a_threshold_of_nothing_asks_for_nothing() -> None:
    plan = plan_of(clips(alone=(None, None, None)), Thresholds(0, 0, 0))
    assert plan.approve == ("alone",)


def test_what_was_judged_is_left_alone() -> None:
    table = clips(a=(1.0, 1.0, 1.0), b=(1.0, 1.0, 1.0), c=(1.0, 1.0, 1.0))
    assert plan_of(table, Thresholds(), ("a", "b")).approve == ("c",)


def test_kappa_is_a_threshold_that_asks_for_nothing_by_default() -> None:
    table = clips(a=(0.8, 0.9, 1.0), b=(0.8, 0.9, 1.0), c=(0.8, 0.9, 1.0)).with_columns(
        kappa=pl.Series([0.7, 0.2, None]), reason=pl.Series(["", "", "kappa: all the same"])
    )
    assert plan_of(table, Thresholds()).approve == ("a", "b", "c")
    plan = plan_of(table, Thresholds(kappa=0.5))
    assert plan.approve == ("a",)
    assert plan.left.rows() == [
        ("b", "kappa 0.200 is below 0.5"),
        ("c", "kappa is undefined: all the same"),
    ]


def test_a_reason_of_kappas_is_none_of_another_figure() -> None:
    table = clips(a=(0.8, None, 1.0)).with_columns(reason=pl.lit("kappa: all the same"))
    [(_, reason)] = plan_of(table, Thresholds()).left.rows()
    assert reason == "mean_iou is undefined: too little to compare"


def test_a_table_of_an_older_version_has_no_kappa() -> None:
    table = clips(a=(0.8, 0.9, 1.0)).drop("kappa")
    assert plan_of(table, Thresholds()).approve == ("a",)
    [(_, reason)] = plan_of(table, Thresholds(kappa=0.1)).left.rows()
    assert reason == "kappa has not been measured yet: materialise agreement again"


def finding(clip: str, second: int, severity: str = "block", annotator: str = "mia") -> dict[str, object]:
    return {
        "clip_id": clip, "second": second, "severity": severity, "annotator": annotator, "rule": "tiny_box",
        "detail": "998 px²", "track_key": "t1",
    }  # fmt: skip


def findings(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dict(RULE_FINDINGS))


def test_clips_that_break_a_blocking_rule_stay_with_the_first_breach_as_the_reason() -> None:
    found = findings(
        finding("b", 7), finding("b", 4), finding("c", 1, "flag"), finding("d", 1, annotator="tom")
    )
    blocked = blocked_clips(found, excluded=["tom"])
    assert blocked == {"b": "mia breaks rule tiny_box at second 4: 998 px² (and 1 more)"}
    assert blocked_clips(findings(finding("d", 1))) == {"d": "mia breaks rule tiny_box at second 1: 998 px²"}
    table = clips(a=(1.0, 1.0, 1.0), b=(1.0, 1.0, 1.0), c=(1.0, 1.0, 1.0))
    plan = plan_of(table, Thresholds(0, 0, 0), blocked=blocked)
    assert plan.approve == ("a", "c")
    assert plan.left.rows() == [("b", blocked["b"])]


def test_without_findings_nothing_is_blocked() -> None:
    assert blocked_clips(empty(RULE_FINDINGS)) == {}
