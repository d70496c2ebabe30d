"""Which label holds: by model, by majority, by a tie's rule, by copy."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core.quality.consensus.form import form_consensus
from ava_core.quality.consensus.queue import ALONE, OPENING_S
from tests.support.planted_scenarios import scenario
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
    assert said(tables) == {4: "dawid_skene"}
    row = tables["consensus_labels"].row(0, named=True)
    assert (row["votes"], row["voters"]) == (3, 3)


def test_an_exclusive_group_has_exactly_one_action() -> None:
    tables = consensus(group({"pose": [1]}, {"pose": [2]}, {"pose": [2]}))
    assert said(tables) == {2: "dawid_skene"}


def test_of_two_poses_the_one_that_is_common_elsewhere_is_likelier() -> None:
    one = {"pose": {0: [1], 1: [3], 2: [3]}}
    other = {"pose": {0: [3], 1: [3], 2: [3]}}
    assert said(consensus(group(one, other, seconds=3))) == {3: "dawid_skene"}


def test_a_change_that_one_notices_late_counts_for_that_one_too_from_when_it_happened() -> None:
    begins = {"anna": 5, "ben": 5, "cleo": 6}
    jobs = {
        (f"c{clip}", name): [Track(labels={"pose": {s: [1 if s < at else 2] for s in range(10)}})]
        for clip in range(8)
        for name, at in begins.items()
    }
    labels = consensus(written(jobs))["consensus_labels"].filter(pl.col("second") == 5)
    assert labels.select("action_id", "votes", "voters").unique().rows() == [(2, 3, 3)]


def test_an_even_tie_of_poses_goes_to_the_lower_id() -> None:
    assert said(consensus(group({"pose": [3]}, {"pose": [2]}))) == {2: "majority_tie"}
    assert said(consensus(group({"pose": [2]}, {"pose": [3]}))) == {2: "majority_tie"}


def test_of_two_who_differ_the_one_who_names_an_action_is_thought_right() -> None:
    tables = consensus(group({"object": [4]}, {"object": []}))
    assert said(tables) == {4: "dawid_skene"}
    assert 0.5 < tables["consensus_labels"]["posterior"][0] < 0.9
    assert tables["queue"]["group"].to_list() == ["object"]


def test_at_most_three_of_a_group_best_first() -> None:
    four = {"object": [4, 5, 6, 7]}
    tables = consensus(group(four, four, {"object": [5, 6, 7]}))
    assert set(said(tables)) == {5, 6, 7}


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


def test_what_two_or_more_rated_has_a_posterior() -> None:
    planted = scenario("3 good", 0)
    labels = form_consensus(*planted.work, approved=planted.clip_ids)["consensus_labels"]
    modelled = labels.filter(pl.col("voters") >= 2)
    assert set(modelled["rule"]) <= {"dawid_skene", "majority_tie"}
    assert modelled["posterior"].is_between(0, 1).all()
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
def test_the_queue_begins_with_what_a_minute_mends_most_of(name: str) -> None:
    planted = scenario(name, 0)
    queue = form_consensus(*planted.work, approved=planted.clip_ids)["queue"]
    assert queue["per_minute"].is_sorted(descending=True)
    assert queue["stretch"].is_sorted()
    assert (queue["frame"] == queue["second"] * 30).all()
    assert queue["expected_error"].min() > 0


def test_a_stretch_is_one_persons_group_at_seconds_on_end_at_which_nobody_changes() -> None:
    one = {"pose": {0: [1], 1: [1], 2: [2], 3: [2]}}
    other = {"pose": {0: [3], 1: [3], 2: [3], 3: [3]}}
    queue = consensus(group(one, other, seconds=4))["queue"]
    assert [sorted(part["second"].to_list()) for _, part in queue.group_by("stretch")] in (
        [[0, 1], [2, 3]], [[2, 3], [0, 1]],
    )  # fmt: skip
    for _, part in queue.group_by("stretch"):
        assert part["per_minute"][0] == pytest.approx(60 * part["expected_error"].sum() / (OPENING_S + 2))


def test_copied_answers_wait_too_once_it_is_known_how_the_annotator_errs() -> None:
    planted = scenario("20 % overlap, pool of 5", 0)
    tables = form_consensus(*planted.work, approved=planted.clip_ids)
    alone = tables["queue"].filter(pl.col("reason") == ALONE)
    assert alone.height > 0.2 * tables["queue"].height
    assert tables["consensus_labels"].filter(pl.col("rule") == "single")["posterior"].null_count() == 0


def test_where_nobody_shares_a_clip_no_copied_answer_waits() -> None:
    assert consensus(group({"pose": [1], "object": [4]}))["queue"].is_empty()


def test_one_annotator_more_is_worth_something_where_answers_differ() -> None:
    alike, other = (Track(seconds=range(30), labels={"pose": [pose]}) for pose in (1, 2))
    said_by = {
        ("same", "anna"): [alike],
        ("same", "ben"): [alike],
        ("split", "anna"): [alike],
        ("split", "ben"): [other],
    }
    needs = consensus(written(said_by))["needs"].sort("clip_id")
    assert needs["clip_id"].to_list() == ["same", "split"]
    assert needs["worth"][0] == 0 < needs["worth"][1]
    assert needs["expected_errors"][0] < needs["expected_errors"][1]
