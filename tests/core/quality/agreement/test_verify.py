"""Stored alphas against the package `krippendorff`: what holds passes, and whatever was changed is found."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import polars as pl
import pytest

from ava_core.base.errors import InputError
from ava_core.quality.agreement import verify
from ava_core.quality.agreement.measure import measure_agreement
from ava_core.quality.agreement.verify import SAMPLED_CLIPS, TOLERANCE, differing, in_full, verify_agreement
from tests.support.planted_work import Planted, good_annotators, plant
from tests.support.written_work import Track, Work, written

Tables = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def planted() -> Planted:
    return plant(good_annotators(3, 0), seed=0, clips=SAMPLED_CLIPS + 5, seconds=5, people=2)


@pytest.fixture(scope="module")
def stored(planted: Planted) -> Tables:
    return measure_agreement(*planted.work, repetitions=1)


def raw_tables(work: Planted | Work) -> Tables:
    return {
        "raw_boxes": work.raw_boxes,
        "raw_labels": work.raw_labels,
        "completed_jobs": work.completed,
    }


def verified(work: Work, **gold: str) -> dict[str, tuple[Any, ...]]:
    """Figures of written work that was just measured: ours, theirs, difference by name."""
    tables = measure_agreement(*work.tables, repetitions=1, gold=gold)
    found = verify_agreement(raw_tables(work), tables, work.ontology, gold=gold)
    return {row[0]: row[1:] for row in found.rows()}


def test_what_was_measured_holds(planted: Planted, stored: Tables) -> None:
    found = verify_agreement(raw_tables(planted), stored, planted.ontology)
    assert differing(found).is_empty()
    kinds = found["figure"].str.split(" ").list.first().value_counts().rows()
    assert dict(kinds) == {"pooled_alpha": 1, "group": 3, "class": 80, "clip": SAMPLED_CLIPS}
    assert found["theirs"].drop_nulls().len() > 50, "most are defined"


TAMPERED = [
    ("overall", "value", pl.col("statistic") == "pooled_alpha", "pooled_alpha"),
    ("per_group", "alpha", pl.col("group") == "pose", "group pose"),
    ("per_group", "alpha", pl.col("group") == "object", "group object"),
    ("per_class", "alpha", pl.col("action_id") == 12, "class 12 stand"),
]


@pytest.mark.parametrize(("table", "column", "where", "figure"), TAMPERED, ids=[row[3] for row in TAMPERED])
@pytest.mark.parametrize("change", [pl.lit(1e-6), pl.lit(float("nan")), None], ids=["moved", "nan", "gone"])
def test_a_figure_that_was_changed_is_found(
    planted: Planted,
    stored: Tables,
    table: str,
    column: str,
    where: pl.Expr,
    figure: str,
    change: pl.Expr | None,
) -> None:
    other = pl.lit(None, pl.Float64) if change is None else pl.col(column) + change
    changed = stored[table].with_columns(pl.when(where).then(other).otherwise(column).alias(column))
    found = verify_agreement(raw_tables(planted), stored | {table: changed}, planted.ontology)
    assert differing(found)["figure"].to_list() == [figure]


def test_a_changed_figure_of_a_clip_is_found_where_the_seed_draws_it(
    planted: Planted, stored: Tables
) -> None:
    raw, clips = raw_tables(planted), stored["clips"]
    every = stored | {"clips": clips.with_columns(pl.col("pooled_alpha") - 0.01)}
    drawn = [
        differing(verify_agreement(raw, every, planted.ontology, seed=seed))["figure"].to_list()
        for seed in (1, 1, 2)
    ]
    assert len(drawn[0]) == SAMPLED_CLIPS
    assert drawn[0] == drawn[1] != drawn[2]


def test_rounding_is_no_difference(planted: Planted, stored: Tables) -> None:
    moved = stored["per_class"].with_columns(pl.col("alpha") + 1e-12)
    found = verify_agreement(raw_tables(planted), stored | {"per_class": moved}, planted.ontology)
    assert differing(found).is_empty()


def test_what_nobody_can_define_is_undefined_by_both() -> None:
    """All the same, nobody shares a person, nothing done; and the package's warnings of it reach nobody."""
    same = {(f"c{n}", name): [Track(labels={"pose": [2], "object": []})] for n in (1, 2) for name in "ab"}
    apart = {("c0", "a"): [Track()], ("c1", "b"): [Track()]}
    # Two answers are known, but one of them by somebody who was alone with it.
    alone = {("c0", "a"): [Track(labels={"pose": {0: [1], 1: [2]}})],
             ("c0", "b"): [Track(labels={"pose": {1: [2]}})]}  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for jobs in (same, apart, alone, {("c0", "a"): []}, {}):
            figures = verified(written(jobs))
            assert set(figures.values()) == {(None, None, 0.0)}, jobs


def test_a_figure_that_only_one_of_both_defines_differs(planted: Planted, stored: Tables) -> None:
    silent = planted.raw_labels.with_columns(action_ids=pl.lit([], dtype=pl.List(pl.Int32)))
    found = verify_agreement(raw_tables(planted) | {"raw_labels": silent}, stored, planted.ontology)
    by_class = found.filter(pl.col("figure").str.starts_with("class"), pl.col("ours").is_not_null())
    assert by_class["theirs"].null_count() == by_class.height > 0
    assert set(by_class["difference"]) == {float("inf")}
    assert set(in_full(by_class)["difference"]) == {"inf"}


def test_a_gold_clips_expert_counts_in_neither() -> None:
    said = {"a": [1], "b": [2], "eva": [3]}
    jobs = {("c", name): [Track(labels={"pose": pose, "object": [4]})] for name, pose in said.items()}
    jobs |= {("d", name): [Track(labels={"pose": [1], "object": []})] for name in ("a", "b")}
    figures = verified(written(jobs), c="eva")
    assert max(difference for *_, difference in figures.values()) < TOLERANCE
    assert figures["class 3 walk"] == (None, None, 0.0)


def test_an_exclusive_group_may_have_been_given_two_answers() -> None:
    jobs = {("c", "a"): [Track(labels={"pose": [1, 2], "object": [4]})],
            ("c", "b"): [Track(labels={"pose": {0: [1], 1: [2], 2: [1, 2]}, "object": [5]})]}  # fmt: skip
    figures = verified(written(jobs))
    assert figures["group pose"][0] is not None
    assert max(difference for *_, difference in figures.values()) < TOLERANCE


def test_a_group_too_large_for_one_table_is_pooled_from_its_classes(
    planted: Planted, stored: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "LARGEST_TABLE", 0)
    assert differing(verify_agreement(raw_tables(planted), stored, planted.ontology)).is_empty()


def test_figures_of_other_work_are_refused(planted: Planted, stored: Tables) -> None:
    raw = raw_tables(planted)
    fewer = planted.completed.filter(pl.col("job_id") != 1)
    with pytest.raises(InputError, match="out of date"):
        verify_agreement(raw | {"completed_jobs": fewer}, stored, planted.ontology)
    with pytest.raises(InputError, match="out of date"):
        verify_agreement(raw, stored, planted.ontology, gold={planted.clip_ids[0]: "good1"})
    with pytest.raises(InputError, match="not been measured yet"):
        verify_agreement(raw, {}, planted.ontology)


def test_the_package_is_loaded_where_it_is_used_alone() -> None:
    program = "import sys, ava_core.quality.agreement.verify; sys.exit('krippendorff' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
