"""Dawid and Skene's model: what it learns, and that it never gets worse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ava_core.quality.agreement.dawid_skene import TWO_COIN, Patterns, dawid_skene
from tests.support.examples import examples


def items(answers: np.ndarray, count: np.ndarray | None = None) -> Patterns:
    rows, observers = answers.shape
    who = np.where(answers >= 0, np.arange(observers), -1)
    counts = np.ones(rows) if count is None else count
    return Patterns(np.zeros(rows, np.int64), who, np.maximum(answers, 0), counts)


matrices = st.integers(2, 4).flatmap(
    lambda observers: st.lists(
        st.lists(st.integers(-1, 1), min_size=observers, max_size=observers).filter(lambda r: max(r) >= 0),
        min_size=1, max_size=30,
    )
).map(np.array)  # fmt: skip


@examples(60)
@given(matrices)
def test_the_objective_never_falls(answers: np.ndarray) -> None:
    found = dawid_skene(items(answers), problems=1, observers=answers.shape[1], smoothing=TWO_COIN)
    assert (np.diff(found.objective) > -1e-7).all()
    assert ((found.posterior >= 0) & (found.posterior <= 1)).all()


@examples(40)
@given(matrices, st.integers(2, 5))
def test_a_pattern_with_a_count_is_as_good_as_its_items(answers: np.ndarray, times: int) -> None:
    # Few steps: each is the same, but where two observers mirror each other, rounding grows with every one.
    how = {"problems": 1, "observers": answers.shape[1], "most_iterations": 10}
    counted = dawid_skene(items(answers, np.full(len(answers), float(times))), **how)
    one_by_one = dawid_skene(items(np.repeat(answers, times, axis=0)), **how)
    assert counted.posterior == pytest.approx(one_by_one.posterior[::times], abs=1e-6)


def test_it_finds_who_is_reliable() -> None:
    draw = np.random.default_rng(0)
    truth = draw.random(4000) < 0.2
    sensitivity, false_alarm = np.array([0.95, 0.8, 0.6]), np.array([0.01, 0.05, 0.02])
    answers = (draw.random((4000, 3)) < np.where(truth[:, None], sensitivity, false_alarm)).astype(np.int64)
    found = dawid_skene(items(answers), problems=1, observers=3)
    assert found.confusion[0, :, 1, 1] == pytest.approx(sensitivity, abs=0.05)
    assert found.confusion[0, :, 0, 1] == pytest.approx(false_alarm, abs=0.02)
