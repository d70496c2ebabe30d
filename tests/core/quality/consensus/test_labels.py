"""Which label holds: by model, by majority, by a tie's rule, by copy."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core.quality.consensus.form import form_consensus
from tests.support.planted_work import scenario
from tests.support.written_work import Track, Work, written

NAMES = ("anna", "ben", "cleo", "dora")


def consensus(work: Work, **options) -> dict[str, pl.DataFrame]:
    return form_consensus(*work.tables, approved=work.clips, **options)


def group(*answers: dict[str, list[int] | dict[int, list[int]]], seconds: int = 1) -> Work:
    """One person; what each annotator says."""
    tracks = [Track(seconds=range(seconds), labels=labels) for labels in answers]
    return written({("c", name): [track] for name, track in zip(NAMES, tracks, strict=False)})


def said(tables: dict[str, pl.DataFrame], second: int = 0) -> dict[int, str]:
    rows = tables["consensus_labels"].filter(pl.col("second") == second)
    return dict(rows.select("action_id", "rule").rows())


def test_more_than_half_name_it() -> None:
    tables = consensus(group({"object": [4, 5]}, {"object": [4]}, {"object": [4, 6]}))
    assert said(tables) == {4: "majority"}
    row = tables["consensus_labels"].row(0, named=True)
    assert (row["votes"], row["voters"]) == (3, 3)


def test_an_exclusive_group_has_exactly_one_action() -> None:
    tables = consensus(group({"pose": [1]}, {"pose": [2]}, {"pose": [2]}))
    assert said(tables) == {2: "majority"}


def test_an_even_tie_of_poses_goes_to_what_the_other_seconds_speak_for() -> None:
    one = {"pose": {0: [1], 1: [3], 2: [3]}}
    other = {"pose": {0: [3], 1: [3], 2: [3]}}
    assert said(consensus(group(one, other, seconds=3))) == {3: "majority_tie"}


def test_and_else_to_the_lower_id() -> None:
    assert said(consensus(group({"pose": [3]}, {"pose": [2]}))) == {2: "majority_tie"}
    assert said(consensus(group({"pose": [2]}, {"pose": [3]}))) == {2: "majority_tie"}


def test_an_even_tie_in_a_multi_group_holds_only_with_a_majority_elsewhere() -> None:
    alone = consensus(group({"object": [4]}, {"object": []}))
    assert said(alone) == {}
    around = consensus(group({"object": {0: [4], 1: [4]}}, {"object": {0: [], 1: [4]}}, seconds=2))
    assert said(around) == {4: "majority_tie"}


def test_at_most_three_of_a_group_best_first() -> None:
    four = {"object": [4, 5, 6, 7]}
    tables = consensus(group(four, four, {"object": [5, 6, 7]}))
    assert said(tables) == {5: "majority", 6: "majority", 7: "majority"}


def test_one_annotator_is_copied_without_a_posterior_and_wants_review() -> None:
    tables = consensus(group({"pose": [1], "object": [4, 5]}))
    assert said(tables) == {1: "single", 4: "single", 5: "single"}
    assert tables["consensus_labels"]["posterior"].is_null().all()
    assert tables["needs"].select("need", "voters").row(0) == ("review", 1)
    assert tables["consensus_boxes"]["agreement_iou"].is_null().all()


def test_two_annotators_want_a_third_and_three_want_nothing() -> None:
    both, all_three = group({"pose": [1]}, {"pose": [1]}), group({"pose": [1]}, {"pose": [1]}, {"pose": [1]})
    assert consensus(both)["needs"]["need"].to_list() == ["top_up"]
    assert consensus(all_three)["needs"]["need"].to_list() == [""]
    assert consensus(both, excluded=["anna", "ben"])["needs"]["need"].to_list() == ["annotator"]


def test_a_group_that_somebody_left_unset_has_fewer_voters() -> None:
    tables = consensus(group({"pose": [1], "object": [4]}, {"pose": [1], "object": [4]}, {"pose": [1]}))
    voters = dict(tables["consensus_labels"].select("group", "voters").rows())
    assert voters == {"object": 2, "pose": 3}


def test_common_classes_are_decided_by_the_model_with_a_posterior() -> None:
    planted = scenario("3 good", 0)
    labels = form_consensus(*planted.work, approved=planted.clip_ids)["consensus_labels"]
    modelled = labels.filter(pl.col("rule") == "dawid_skene")
    assert modelled.height > 0.9 * labels.height
    assert modelled["posterior"].is_between(0, 1).all()
    assert labels.filter(pl.col("rule") == "majority")["posterior"].is_null().all()
    assert modelled.filter(pl.col("group") != "pose")["posterior"].min() > 0.5
    counts = labels.group_by("clip_id", "second", "person_id", "group").len()
    limits = counts.group_by("group").agg(pl.col("len").max())
    assert {name: most <= {"pose": 1}.get(name, 3) for name, most in limits.rows()} == {
        "pose": True, "object": True, "person": True,
    }  # fmt: skip


def test_an_expert_replaces_a_group_and_settles_the_place() -> None:
    work = group({"pose": [1], "object": [4]}, {"pose": [2], "object": [5]})
    expert = pl.DataFrame({
        "clip_id": ["c", "c"], "second": [0, 0], "person_id": [1, 1], "group": ["pose", "object"],
        "action_ids": [[3], []],
    })  # fmt: skip
    before, after = consensus(work), consensus(work, adjudications=expert)
    assert said(after) == {3: "adjudicated"}
    assert {"pose", "object"} <= set(before["queue"]["group"])
    assert after["queue"].is_empty()


@pytest.mark.parametrize("name", ["2 good + 1 random", "3 good"])
def test_the_queue_begins_with_what_is_most_likely_wrong(name: str) -> None:
    planted = scenario(name, 0)
    queue = form_consensus(*planted.work, approved=planted.clip_ids)["queue"]
    assert queue["expected_error"].is_sorted(descending=True)
    assert (queue["frame"] == queue["second"] * 30).all()
    assert queue["expected_error"].min() > 0
