"""Scorecards: gold beside agreement, bias, drift."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core.quality.agreement.gold import with_expert_jobs
from ava_core.quality.agreement.measure import measure_agreement
from tests.support.written_work import LEFT, RIGHT, Track, written


def card(tables: dict[str, pl.DataFrame], name: str) -> dict:
    return tables["annotators"].row(by_predicate=pl.col("annotator") == name, named=True)


def test_gold_counts_exact_answers_and_what_was_left_out() -> None:
    expert = [
        Track(labels={"pose": [1], "object": [4]}),
        Track(RIGHT, labels={"pose": [2], "object": []}, seed=2),
    ]
    half = [Track(labels={"pose": [1], "object": [5]})]  # one of two groups right; one of two people missed
    jobs = {("gold", "expert"): expert, ("gold", "anna"): expert, ("gold", "ben"): half}
    jobs |= {("other", "anna"): expert, ("other", "ben"): expert}
    tables = measure_agreement(*written(jobs).tables, gold={"gold": "expert"})
    assert card(tables, "anna")["gold_accuracy"] == 1
    assert card(tables, "ben")["gold_accuracy"] == pytest.approx(10 / 40)
    assert card(tables, "ben")["gold_answers"] == 40
    assert card(tables, "anna")["gold_iou"] == 1


def test_an_experts_gold_is_not_counted_as_an_annotators_work() -> None:
    jobs = {("gold", name): [Track(labels={"pose": [1], "object": []})] for name in ("anna", "ben")}
    jobs["gold", "expert"] = [Track(labels={"pose": [3], "object": [4]})]
    tables = measure_agreement(*written(jobs).tables, gold={"gold": "expert"})
    assert tables["pairs"].select("annotator", "annotator_b").rows() == [("anna", "ben")]
    assert tables["conflicts"].is_empty()
    assert card(tables, "anna")["gold_accuracy"] == 0


def test_an_experts_job_that_is_no_annotators_is_measured_against_like_any() -> None:
    """An expert who adjudicated the clip in its parent job: the work lies in tables of its own."""
    names = ("raw_boxes", "raw_labels", "completed_jobs")
    jobs = {("gold", "anna"): [Track(labels={"pose": [1], "object": [4]})],
            ("gold", "ben"): [Track(labels={"pose": [2], "object": [4]})],
            ("gold", "expert"): [Track(labels={"pose": [1], "object": [4]})]}  # fmt: skip
    *tables, ontology = written(jobs).tables
    everything = dict(zip(names, tables, strict=True))
    own, others = pl.col("annotator") == "expert", pl.col("annotator") != "expert"
    raw = {name: table.filter(others) for name, table in everything.items()}
    raw |= {f"expert_{name}": everything[f"raw_{name}"].filter(own) for name in ("boxes", "labels")}
    gold = {"gold": "expert"}
    work = with_expert_jobs(raw, gold)
    found = measure_agreement(*(work[name] for name in names), ontology, gold=gold)
    whole = measure_agreement(*tables, ontology, gold=gold)
    assert card(found, "anna")["gold_accuracy"] == 1
    assert card(found, "ben")["gold_accuracy"] == card(whole, "ben")["gold_accuracy"] < 1
    assert found["pairs"].equals(whole["pairs"])
    unmarked = with_expert_jobs(raw, {})
    assert all(unmarked[name].equals(raw[name]) for name in names), "without gold it is nobody's work"


def test_without_gold_the_accuracy_is_null_with_a_reason() -> None:
    found = card(measure_agreement(*written({("c", "anna"): [Track()]}).tables), "anna")
    assert found["gold_accuracy"] is None
    assert "gold: no gold clip done" in found["reason"]
    assert "alpha: no clip shared with another annotator" in found["reason"]


def test_a_bias_has_its_sign() -> None:
    right_and_down = (108.0, 120.0, 188.0, 320.0)
    jobs = {("c", "anna"): [Track(LEFT)], ("c", "ben"): [Track(LEFT)], ("c", "cleo"): [Track(right_and_down)]}
    found = card(measure_agreement(*written(jobs).tables), "cleo")
    assert (found["bias_left"], found["bias_top"]) == pytest.approx((0.1, 0.1))
    assert found["box_error"] == pytest.approx(0.1)


def test_drift_is_the_later_half_minus_the_earlier() -> None:
    jobs = {}
    for number in range(12):
        true = {"pose": {s: [1 + (s + number) % 3] for s in range(10)}, "object": []}
        tired = {"pose": {s: [1 + (s * number) % 3] for s in range(10)}, "object": []}
        for name in ("anna", "ben", "cleo"):
            slack = name == "cleo" and number >= 6
            jobs[f"c{number:02d}", name] = [Track(labels=tired if slack else true)]
    tables = measure_agreement(*written(jobs).tables)
    cleo = card(tables, "cleo")
    assert cleo["drift"] < -0.3
    assert cleo["drift_high"] < 0
    assert card(tables, "anna")["drift"] > cleo["drift"]


def test_drift_needs_clips() -> None:
    jobs = {(f"c{n}", name): [Track()] for n in range(2) for name in ("anna", "ben")}
    found = card(measure_agreement(*written(jobs).tables), "anna")
    assert found["drift"] is None
    assert "drift: fewer than 6 shared clips" in found["reason"]
