"""Splits: by ratio, by class, by seed, and for ever."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ava_core.base.errors import ExportError
from ava_core.dataset.export.splits import RATIOS, assign_splits, check_leakage
from tests.support.examples import examples


def counts(sources: int, classes: int = 6, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [
        (f"s{source:03d}", action, int(rng.integers(1, 60)))
        for source in range(sources)
        for action in range(1, classes + 1)
        if rng.random() < 1 / action
    ]
    return pl.DataFrame(rows, ["source_id", "action_id", "rows"], orient="row")


def test_ratios_are_met_in_total_and_by_class() -> None:
    table = counts(200)
    splits = assign_splits(table, seed=1)
    placed = table.with_columns(split=pl.col("source_id").replace_strict(splits))
    shares = placed.group_by("action_id", "split").agg(pl.sum("rows")).with_columns(
        share=pl.col("rows") / pl.col("rows").sum().over("action_id")
    )  # fmt: skip
    for action, split, share in shares.select("action_id", "split", "share").rows():
        assert share == pytest.approx(RATIOS[split], abs=0.05), (action, split)


def test_a_rare_class_is_not_crowded_out_by_frequent_ones() -> None:
    rows = [(f"s{n:02d}", 1, 1000) for n in range(20)] + [(f"s{n:02d}", 2, 1) for n in range(0, 20, 2)]
    splits = assign_splits(pl.DataFrame(rows, ["source_id", "action_id", "rows"], orient="row"), seed=0)
    rare = Counter(splits[f"s{n:02d}"] for n in range(0, 20, 2))
    assert set(rare) == {"train", "val", "test"}


@pytest.mark.parametrize(
    ("sources", "wanted"), [(1, {"train"}), (2, {"train", "val"}), (3, {"train", "val", "test"})]
)
def test_no_split_stays_empty_while_there_is_a_source_for_it(sources: int, wanted: set[str]) -> None:
    assert set(assign_splits(counts(sources, 1), seed=0).values()) == wanted


def test_a_split_without_a_share_gets_nothing() -> None:
    splits = assign_splits(counts(30), seed=0, ratios={"train": 3, "val": 1})
    assert set(splits.values()) == {"train", "val"}


def test_the_seed_decides_and_the_order_of_rows_does_not() -> None:
    table = counts(40)
    assert assign_splits(table, seed=3) == assign_splits(table.reverse(), seed=3)
    assert len({tuple(assign_splits(table, seed=seed).items()) for seed in range(5)}) > 1


@examples(20)
@given(st.integers(1, 20), st.integers(0, 20), st.integers(0, 5))
def test_what_is_fixed_never_moves(before: int, added: int, seed: int) -> None:
    first = assign_splits(counts(before, 3), seed=seed)
    later = assign_splits(counts(before + added, 3), seed=seed, fixed=first)
    assert all(later[source] == split for source, split in first.items())


@pytest.mark.parametrize(
    "ratios", [{"train": 0.0}, {"train": -1.0, "val": 2.0}, {"dev": 1.0}, {"train": float("nan")}]
)
def test_ratios_that_mean_nothing_are_refused(ratios: dict[str, float]) -> None:
    with pytest.raises(ExportError, match="Ratios"):
        assign_splits(counts(3), seed=0, ratios=ratios)


def test_a_pin_to_no_split_is_refused() -> None:
    with pytest.raises(ExportError, match="'dev' is not a split"):
        assign_splits(counts(3), seed=0, fixed={"s000": "dev"})


def test_leakage_is_told_by_content() -> None:
    table = pl.DataFrame(
        [("a", "hash", "train"), ("b", "hash", "val"), ("c", "other", "val")],
        ["what", "sha256", "split"],
        orient="row",
    )
    with pytest.raises(ExportError, match="same content"):
        check_leakage(table)
    check_leakage(table.filter(pl.col("what") != "b"))
