"""The gate names spammers, never a good annotator, and only points at copies and rubber stamps."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core.quality.agreement.measure import measure_agreement
from tests.support.planted_work import CONSTANT, LAZY, RANDOM, STAMPER, good_annotators, plant
from tests.support.written_work import Track, written


def status(profiles: dict, seed: int, clips: int = 5) -> dict[str, str]:
    planted = plant(profiles, seed=seed, clips=clips, people=5)
    return dict(measure_agreement(*planted.work, repetitions=1)["gate"].select("annotator", "status").rows())


@pytest.mark.parametrize("seed", range(4))
def test_spammers_are_suspect_after_five_clips_and_good_annotators_are_not(seed: int) -> None:
    found = status(good_annotators(3, seed) | {"random": RANDOM, "constant": CONSTANT}, seed)
    assert {found["random"], found["constant"]} == {"suspect"}
    assert {found[f"good{n}"] for n in range(3)} == {"ok"}


def test_a_lazy_annotator_stays() -> None:
    assert status(good_annotators(2, 1) | {"lazy": LAZY}, seed=1, clips=20)["lazy"] == "ok"


def test_a_rubber_stamper_is_watched_but_not_distrusted() -> None:
    assert status(good_annotators(2, 2) | {"stamp": STAMPER}, seed=2, clips=10)["stamp"] == "watch"


def test_too_little_is_not_judged() -> None:
    work = written({("c", "anna"): [Track()], ("c", "ben"): [Track()]})
    gate = measure_agreement(*work.tables)["gate"]
    assert set(gate["status"]) == {"unknown"}
    assert gate["reasons"].list.first()[0] == "too little to judge: 1 clip, 10 shared boxes"


def test_a_verdict_says_why() -> None:
    planted = plant(good_annotators(2, 0) | {"random": RANDOM}, seed=0, clips=5, people=5)
    gate = measure_agreement(*planted.work, repetitions=1)["gate"]
    reasons = gate.row(by_predicate=pl.col("annotator") == "random", named=True)["reasons"]
    assert reasons[0].startswith("agrees with no one")
