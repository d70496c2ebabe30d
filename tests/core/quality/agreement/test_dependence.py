"""Who copies is found out, and who is merely good is not."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ava_core.quality.agreement.build import match_work
from ava_core.quality.agreement.dependence import undecided, votes
from ava_core.quality.agreement.measure import measure_work
from ava_core.quality.consensus.form import form_from_work
from tests.support.planted_scenarios import COPIER, scenario
from tests.support.planted_score import score
from tests.support.planted_work import GOOD, Profile, good_annotators, plant

PAIR = ("other0", "other1")


@pytest.mark.parametrize("name", ["2 good + weak + its copier", "2 good + random + its copier"])
def test_a_copier_is_found_and_has_no_vote_beside_who_is_copied(name: str) -> None:
    planted = scenario(name, 0)
    work = match_work(*planted.work)
    assert work.dependent.select("annotator", "annotator_b", "what").rows() == [(*PAIR, "labels")]
    f1 = {}
    for how in ({}, {"independent": [PAIR]}, {"excluded": ["other1"]}):
        tables = form_from_work(work, approved=planted.clip_ids, **how)
        f1[tuple(how)] = score(planted, tables["consensus_boxes"], tables["consensus_labels"]).micro
    assert f1[()] > f1["independent",] + 0.2
    assert f1[()] > f1["excluded",] - 0.02


def test_agreeing_with_who_copies_one_does_not_pass_the_gate() -> None:
    gate = measure_work(match_work(*scenario("2 good + random + its copier", 0).work), repetitions=1)["gate"]
    status = dict(gate.select("annotator", "status").rows())
    assert status == {"good0": "ok", "good1": "ok", "other0": "suspect", "other1": "suspect"}


def test_the_gate_takes_a_pair_that_was_judged_independent_at_its_word() -> None:
    work = match_work(*scenario("2 good + weak + its copier", 0).work)
    measured = measure_work(work, repetitions=1, independent=[PAIR])
    status = dict(measured["gate"].select("annotator", "status").rows())
    assert (status["other0"], status["other1"]) == ("ok", "ok")
    assert measured["dependent"].height == 1, "the likeness itself is still told"


@pytest.mark.parametrize("name", ["3 good", "5 good", "3 good + 2 random", "pool of 12"])
def test_nobody_else_is_flagged(name: str) -> None:
    assert match_work(*scenario(name, 0).work).dependent.is_empty()


def test_copied_boxes_are_told_apart_from_copied_labels() -> None:
    crew = good_annotators(3, 0) | {
        "other0": GOOD,
        "other1": Profile(copies="other0", copied=1.0, copies_boxes=True),
    }
    found = match_work(*plant(crew, seed=0, clips=12).work).dependent
    assert found.select("annotator", "annotator_b", "what").rows() == [(*PAIR, "labels"), (*PAIR, "boxes")]
    only_labels = crew | {"other1": COPIER}
    assert match_work(*plant(only_labels, seed=0, clips=12).work).dependent["what"].to_list() == ["labels"]


def test_what_a_person_decided_is_not_asked_again() -> None:
    table = pl.DataFrame({"annotator": ["a", "a"], "annotator_b": ["b", "c"], "what": ["labels"] * 2})
    assert undecided(table, (), [("b", "a")])["annotator_b"].to_list() == ["c"]
    assert undecided(table, ["c"], ())["annotator_b"].to_list() == ["b"]


def test_three_who_are_alike_by_way_of_one_share_a_vote() -> None:
    panel = plant(good_annotators(4, 0), seed=0, clips=1).work
    panel = match_work(*panel).panel
    chain = pl.DataFrame(
        {"annotator": ["good0", "good1"], "annotator_b": ["good1", "good2"], "what": ["labels"] * 2}
    )
    assert votes(panel, chain, "labels") == pytest.approx(np.array([[1 / 3, 1 / 3, 1 / 3, 1]]))
    assert votes(panel, chain, "boxes") is None
