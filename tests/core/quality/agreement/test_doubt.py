"""Classes that others confirm less often than the model predicts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from ava_core.quality.agreement.dawid_skene import Patterns, dawid_skene
from ava_core.quality.agreement.doubt import unexplained
from ava_core.quality.agreement.pooling import pool_multi

CLASSES = 12
CLEAR = {3: 60, 2: 30, 1: 10, 0: 2000}
"""Decisions of three annotators on a class by how many of them name it."""
UNCLEAR = {3: 15, 2: 120, 1: 150, 0: 2000}


def doubt(classes: list[dict[int, int]]) -> npt.NDArray[np.float64]:
    problem, answer, count = [], [], []
    for number, counted in enumerate(classes):
        for yes, decisions in counted.items():
            for turn in range(3):
                problem.append(number)
                answer.append([int((slot + turn) % 3 < yes) for slot in range(3)])
                count.append(decisions / 3)
    observer = np.tile(np.arange(3), (len(problem), 1))
    patterns = Patterns(np.array(problem), observer, np.array(answer), np.array(count))
    found = dawid_skene(patterns, problems=len(classes), observers=3, learn=pool_multi)
    return unexplained(patterns, found)


def test_classes_that_are_alike_are_not_doubted() -> None:
    assert (doubt([CLEAR] * CLASSES) == 0).all()


def test_a_class_that_others_seldom_confirm_is_doubted_and_the_others_are_not() -> None:
    found = doubt([UNCLEAR] + [CLEAR] * (CLASSES - 1))
    assert found[0] > 0.4
    assert found[1:] == pytest.approx(0, abs=0.02)


def test_few_decisions_leave_little_doubt() -> None:
    few = {yes: decisions // 20 for yes, decisions in UNCLEAR.items()}
    assert doubt([few] + [CLEAR] * (CLASSES - 1))[0] < 0.1


def test_where_nobody_names_anything_nothing_is_doubted() -> None:
    assert doubt([{0: 100}] * 2).tolist() == [0, 0]
