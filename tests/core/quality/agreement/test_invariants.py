"""What must hold of every agreement figure, whatever the work."""

from __future__ import annotations

from typing import Any

import krippendorff
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from ava_core.base.schemas import BOX_COLUMNS
from ava_core.quality.agreement import alpha
from ava_core.quality.agreement.alpha import LabelSums, Resampled
from ava_core.quality.agreement.bootstrap import ClipBootstrap
from ava_core.quality.agreement.build import build_panel
from ava_core.quality.agreement.measure import measure_agreement
from ava_core.quality.agreement.overlap import box_iou
from ava_core.quality.agreement.pairs import kappa, pair_sums
from tests.support.examples import examples
from tests.support.planted_work import RANDOM, Planted, good_annotators, plant
from tests.support.written_work import rated

matrices = st.integers(2, 4).flatmap(
    lambda coders: st.lists(
        st.lists(st.sampled_from([None, "a", "b", "c"]), min_size=coders, max_size=coders), min_size=2, max_size=25
    )
).map(lambda units: [list(coder) for coder in zip(*units, strict=True)])  # fmt: skip


def pooled(matrix: list[list[Any]]) -> float:
    return float(alpha.pooled(alpha.label_sums(rated(matrix).panel).total())[0])


@examples(60)
@given(matrices)
def test_alpha_is_krippendorffs(matrix: list[list[Any]]) -> None:
    values = sorted({v for row in matrix for v in row if v is not None})
    numbers = np.array([[np.nan if v is None else values.index(v) for v in row] for row in matrix])
    ours = pooled(matrix)
    try:
        theirs = krippendorff.alpha(numbers, level_of_measurement="nominal")
    except ValueError:  # constant, or nobody shares a unit
        theirs = np.nan
    shared = {v for unit in zip(*matrix, strict=True) if len([v for v in unit if v]) > 1 for v in unit if v}
    assert ours == pytest.approx(theirs, abs=1e-9, nan_ok=True) if len(shared) > 1 else np.isnan(ours)


@examples(40)
@given(matrices, st.sampled_from("abc"))
def test_what_one_alone_rated_changes_nothing(matrix: list[list[Any]], value: str) -> None:
    alone = [[*row, value if number == 0 else None] for number, row in enumerate(matrix)]
    assert pooled(alone) == pytest.approx(pooled(matrix), abs=1e-12, nan_ok=True)


@examples(40)
@given(matrices)
def test_kappa_of_two_is_scikit_learns(matrix: list[list[Any]]) -> None:
    from sklearn.metrics import cohen_kappa_score

    both = [(a, b) for a, b in zip(matrix[0], matrix[1], strict=True) if a and b]
    if len({v for pair in both for v in pair}) < 2:
        return
    ours = kappa(pair_sums(rated(matrix[:2]).panel))[0]
    assert ours == pytest.approx(cohen_kappa_score(*zip(*both, strict=True)), abs=1e-9, nan_ok=True)


def test_missing_is_not_no() -> None:
    said = [["a", "b", "a", "b"], ["a", "b", "a", "b"], ["a", "b", None, None]]
    assert pooled(said) == 1
    assert pooled([*said[:2], ["a", "b", "b", "a"]]) < 1


@pytest.fixture(scope="module")
def small() -> Planted:
    return plant(good_annotators(3, 4) | {"other": RANDOM}, seed=4, clips=12)


def test_the_order_of_rows_and_the_names_of_annotators_do_not_matter(small: Planted) -> None:
    names = dict(zip(["good0", "good1", "good2", "other"], ["zoe", "yan", "ada", "bea"], strict=True))
    moved = [
        table.with_columns(pl.col("annotator").replace(names)).sample(fraction=1, shuffle=True, seed=9)
        for table in small.work[:3]
    ]
    one, other = measure_agreement(*small.work), measure_agreement(*moved, small.ontology)
    for name in ("overall", "per_class", "per_group", "confusion"):
        assert_same(one[name], other[name])
    cards = one["annotators"].with_columns(pl.col("annotator").replace(names)).sort("annotator")
    assert_same(cards, other["annotators"])
    counted = [
        tables["conflicts"].group_by("clip_id", "second", "person_id", "kind").len().sort(pl.all())
        for tables in (one, other)
    ]
    assert counted[0].equals(counted[1])


def assert_same(one: pl.DataFrame, other: pl.DataFrame) -> None:
    from polars.testing import assert_frame_equal

    assert_frame_equal(one, other, abs_tol=1e-9)


def test_a_duplicated_annotator_agrees_perfectly(small: Planted) -> None:
    mine = [table.filter(pl.col("annotator") == "good0") for table in small.work[:3]]
    twice = [
        pl.concat([t, t.with_columns(annotator=pl.lit("twin"), job_id=pl.col("job_id") + 1000)]) for t in mine
    ]
    tables = measure_agreement(*twice, small.ontology)
    values = dict(tables["overall"].select("statistic", "value").rows())
    perfect = ("pooled_alpha", "macro_alpha", "masi", "box_mean_iou", "box_tube_iou", "box_f1", "box_idf1",
               "temporal_iou", "box_share_tight")  # fmt: skip
    assert {name: values[name] for name in perfect} == pytest.approx(dict.fromkeys(perfect, 1.0))
    assert tables["conflicts"].is_empty()
    assert set(tables["gate"]["status"]) == {"watch"}  # one of the two may have copied


def test_permuted_labels_agree_no_better_than_chance(small: Planted) -> None:
    labels = small.raw_labels.filter(pl.col("annotator").is_in(["good0", "good1"]))
    one, other = (labels.filter(pl.col("annotator") == name).sort(pl.all()) for name in ("good0", "good1"))
    mixed = other.with_columns(pl.col("action_ids").shuffle(seed=5).over("group"))
    tables = measure_agreement(small.raw_boxes, pl.concat([one, mixed]), small.completed, small.ontology)
    pooled_alpha = tables["overall"].row(by_predicate=pl.col("statistic") == "pooled_alpha", named=True)
    assert abs(pooled_alpha["value"]) < 0.06


def test_intervals_hold_the_figure_and_narrow_with_clips() -> None:
    profiles = good_annotators(3, 1)
    widths = []
    for clips in (8, 32):
        row = measure_agreement(*plant(profiles, seed=1, clips=clips).work)["overall"].row(0, named=True)
        assert row["low"] < row["value"] < row["high"]
        widths.append(row["high"] - row["low"])
    assert widths[1] < widths[0]


def test_the_same_seed_gives_the_same_interval(small: Planted) -> None:
    one, same, other = (measure_agreement(*small.work, seed=seed)["overall"] for seed in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)


def test_intervals_cover_what_they_promise() -> None:
    population = alpha.label_sums(
        build_panel(*plant(good_annotators(3, 2), seed=2, clips=300, people=3).work)
    )
    truth = alpha.pooled(population.total())[0]
    draw = np.random.default_rng(0)
    covered = []
    for seed in range(100):
        clips = draw.choice(300, 40)
        sample = LabelSums(population.disagreement[clips], population.yes[clips], population.ratings[clips])
        found = Resampled.of(sample, ClipBootstrap(40, repetitions=300, seed=seed)).estimate(alpha.pooled, "")
        covered.append(found.low <= truth <= found.high)
    assert 0.88 <= np.mean(covered) <= 1.0


def test_idf1_comes_near_the_best_naming() -> None:
    planted = plant(good_annotators(2, 3), seed=3, clips=20)
    found = measure_agreement(*planted.work, repetitions=1)["pairs"].row(0, named=True)
    one, other = (planted.raw_boxes.filter(pl.col("annotator") == name) for name in ("good0", "good1"))
    both = one.join(other, on=["clip_id", "second"], suffix="_b")
    sides = (both.select(f"{c}{end}" for c in BOX_COLUMNS).to_numpy() for end in ("", "_b"))
    same = both.filter(pl.Series(box_iou(*sides)) >= 0.5)
    right = 0
    for _, clip in same.group_by("clip_id"):
        counts = clip.group_by("track_key", "track_key_b").len()
        rows, columns = (
            counts[c].rank("dense").to_numpy().astype(int) - 1 for c in ("track_key", "track_key_b")
        )
        table = np.zeros((rows.max() + 1, columns.max() + 1))
        table[rows, columns] = counts["len"]
        right += table[linear_sum_assignment(-table)].sum()
    best = 2 * right / (one.height + other.height)
    # A split track counts whole here: its pieces are one person. The best one-to-one naming keeps only one piece.
    assert best - 0.02 <= found["idf1"] <= found["f1"]
