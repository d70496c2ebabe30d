"""Assignment: everyone's share is even, pairs meet evenly, and the same seed gives the same plan."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ava_core.annotation.assignment import plan_assignment
from ava_core.base.errors import AssignmentError

CLIPS = [f"clip_{number:03d}" for number in range(60)]
PEOPLE = ["ann", "bob", "cem", "dana", "eve", "fred"]


@given(
    clips=st.integers(1, 60),
    people=st.integers(1, 6),
    k=st.integers(1, 6),
    overlap=st.floats(0, 1),
    seed=st.integers(0, 2**31),
)
def test_every_clip_gets_its_annotators_and_loads_are_even(
    clips: int, people: int, k: int, overlap: float, seed: int
) -> None:
    k = min(k, people)
    plan = plan_assignment(CLIPS[:clips], PEOPLE[:people], overlap=overlap, k=k, seed=seed)
    shared = round(overlap * clips)
    assert sorted(plan.annotators) == CLIPS[:clips]
    assert all(len(set(names)) == len(names) for names in plan.annotators.values())
    assert sum(len(names) for names in plan.annotators.values()) == shared * k + clips - shared
    loads = [plan.load[name] for name in PEOPLE[:people]]
    assert max(loads) - min(loads) <= 1


def test_the_order_of_what_is_given_does_not_matter() -> None:
    clips, people = CLIPS[:], PEOPLE[:]
    random.Random(1).shuffle(clips)
    random.Random(2).shuffle(people)
    assert (
        plan_assignment(CLIPS, PEOPLE, overlap=0.5, k=3, seed=4).annotators
        == plan_assignment(clips, people, overlap=0.5, k=3, seed=4).annotators
    )


def test_another_seed_gives_another_plan() -> None:
    plans = [plan_assignment(CLIPS, PEOPLE, overlap=0.5, k=2, seed=seed).annotators for seed in (0, 1)]
    assert plans[0] != plans[1]


def test_pairs_meet_about_equally_often() -> None:
    plan = plan_assignment(CLIPS, PEOPLE, overlap=1.0, k=2, seed=0)
    assert len(plan.shared) == 15
    assert max(plan.shared.values()) - min(plan.shared.values()) <= 2


def test_capacity_is_kept() -> None:
    plan = plan_assignment(CLIPS[:20], PEOPLE[:3], overlap=0.0, k=1, seed=0, capacity={"ann": 2})
    assert plan.load["ann"] == 2
    with pytest.raises(AssignmentError, match="capacity"):
        plan_assignment(CLIPS[:20], ["ann"], overlap=0.0, k=1, seed=0, capacity={"ann": 2})


def test_too_few_annotators_is_a_sentence_with_a_cure() -> None:
    with pytest.raises(AssignmentError, match="ava annotator add"):
        plan_assignment(CLIPS, [], overlap=1.0, k=3, seed=0)
    with pytest.raises(AssignmentError, match="AVA_ANNOTATORS_PER_CLIP"):
        plan_assignment(CLIPS, PEOPLE[:2], overlap=1.0, k=3, seed=0)


@given(
    clips=st.integers(10, 40), people=st.integers(2, 6), k=st.integers(2, 10), floor=st.integers(0, 4),
    overlap=st.sampled_from([0.0, 0.2, 1.0]), seed=st.integers(0, 99),
)  # fmt: skip
def test_every_two_share_the_floor_or_it_is_said(
    clips: int, people: int, k: int, floor: int, overlap: float, seed: int
) -> None:
    names, k = PEOPLE[:people], min(k, people)
    given_clips = CLIPS[:clips]
    try:
        plan = plan_assignment(given_clips, names, overlap=overlap, k=k, seed=seed, pair_floor=floor)
    except AssignmentError:
        every_clip = plan_assignment(given_clips, names, overlap=1.0, k=k, seed=seed)
        assert min(every_clip.shared[pair] for pair in combinations(names, 2)) < floor
        return
    assert all(plan.shared[pair] >= floor for pair in combinations(names, 2))
    shared = sum(len(who) > 1 for who in plan.annotators.values())
    assert shared >= round(overlap * clips)
    if floor == 0:
        assert shared == round(overlap * clips), "no more is shared than was asked for"


def test_the_floor_shares_no_more_than_it_needs() -> None:
    plan = plan_assignment(CLIPS[:40], PEOPLE[:3], overlap=0.0, k=3, seed=0, pair_floor=5)
    assert sum(len(who) > 1 for who in plan.annotators.values()) == 5


def test_a_floor_without_sharing_is_said() -> None:
    with pytest.raises(AssignmentError, match="AVA_ANNOTATORS_PER_CLIP"):
        plan_assignment(CLIPS, PEOPLE, overlap=0.0, k=1, seed=0, pair_floor=1)


def test_a_floor_that_no_plan_reaches_is_said() -> None:
    with pytest.raises(AssignmentError, match="Lower AVA_PAIR_FLOOR"):
        plan_assignment(CLIPS[:3], PEOPLE, overlap=1.0, k=2, seed=0, pair_floor=1)
