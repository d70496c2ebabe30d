"""The keyframe trap: an answer given at the keyframe that is shown holds, whatever the untouched ones after it say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ava_core.annotation.reading import (
    extent,
    held_answers,
    read_shapes,
    said_at,
    steps,
    unclear_answers,
)
from ava_core.base.schemas import CLIP_FPS
from ava_core.ontology import CANNOT_TELL, NONE, UNSET
from ava_core.ontology.form import form_fields, values_from_labels
from ava_core.ontology.load import parse_ontology

ONTOLOGY = parse_ontology(
    """
name: tiny
version: 1
groups:
  - {name: pose, kind: exclusive, actions: [{id: 1, name: stand}, {id: 2, name: sit}, {id: 3, name: lie}]}
  - {name: object, kind: multi, max_active: 2, actions: [{id: 4, name: bag}, {id: 5, name: phone}, {id: 6, name: cup}]}
""",
    "tiny",
)
FIELDS = {field.name: field.values for field in form_fields(ONTOLOGY)}
SECONDS = 12


def keyframe(frame: int, *, outside: bool = False, **values: str) -> dict[str, Any]:
    return {
        "track_id": 1, "frame": frame, "xtl": 5.0, "ytl": 5.0, "xbr": 50.0, "ybr": 90.0, "outside": outside,
        "attributes": dict.fromkeys(FIELDS, UNSET) | values,
    }  # fmt: skip


def objects(*keyframes: dict[str, Any]) -> list[list[int] | None]:
    """The group `object` after each keyframe."""
    return [step.labels.get("object") for step in steps(keyframes, ONTOLOGY)]


KEYFRAMES = st.lists(
    st.tuples(st.integers(0, SECONDS * CLIP_FPS - 1), st.fixed_dictionaries({
        name: st.sampled_from(values) for name, values in FIELDS.items()
    }), st.booleans()),
    min_size=1, max_size=25, unique_by=lambda given: given[0],
)  # fmt: skip


@given(KEYFRAMES)
def test_a_pose_holds_until_the_next_one_is_said(given: list[tuple[int, dict[str, str], bool]]) -> None:
    track = [
        keyframe(frame, outside=outside, **values)
        for frame, values, outside in sorted(given, key=lambda g: g[0])
    ]
    _, labels = read_shapes(track, ONTOLOGY, frames=SECONDS * CLIP_FPS, width=640, height=360, predrawn=[])
    read = {row["second"]: row["action_ids"] for row in labels if row["group"] == "pose"}
    ids = {action.name: action.id for action in ONTOLOGY.actions}
    poses = [(shape["frame"], shape["attributes"]["pose"]) for shape in track]
    said = [(frame, ids[pose]) for frame, pose in poses if pose != UNSET]
    for second in range(SECONDS):
        before = [answer for frame, answer in said if frame <= second * CLIP_FPS]
        seen = [shape for shape in track if shape["frame"] <= second * CLIP_FPS]
        lives = bool(seen) and not seen[-1]["outside"]
        assert read.get(second) == ([before[-1]] if before and lives else None)


@given(KEYFRAMES)
def test_no_answer_is_ever_taken_back_by_unset(given: list[tuple[int, dict[str, str], bool]]) -> None:
    track = [keyframe(frame, **values) for frame, values, _ in sorted(given, key=lambda g: g[0])]
    answered: set[str] = set()
    for step in steps(track, ONTOLOGY):
        assert answered <= set(step.labels)
        answered |= set(step.labels)


@given(KEYFRAMES, st.data())
def test_an_untouched_keyframe_changes_nothing(
    given: list[tuple[int, dict[str, str], bool]], data: st.DataObject
) -> None:
    track = [keyframe(frame, **values) for frame, values, _ in sorted(given, key=lambda g: g[0])]
    free = sorted(set(range(SECONDS * CLIP_FPS)) - {shape["frame"] for shape in track})
    more = [*track, keyframe(data.draw(st.sampled_from(free)))]
    more.sort(key=lambda shape: int(shape["frame"]))
    exclusive = [(step.frame, step.labels.get("pose")) for step in steps(track, ONTOLOGY)]
    with_more = {step.frame: step.labels.get("pose") for step in steps(more, ONTOLOGY)}
    assert all(with_more[frame] == pose for frame, pose in exclusive)


ANSWERS = st.fixed_dictionaries({
    "pose": st.sampled_from([[1], [2], [3]]),
    "object": st.lists(st.sampled_from([4, 5, 6]), max_size=2, unique=True).map(sorted),
})  # fmt: skip


@given(st.lists(st.tuples(ANSWERS, st.booleans()), min_size=1, max_size=12))
def test_what_is_written_second_by_second_reads_back_over_untouched_keyframes(
    given: list[tuple[dict[str, list[int]], bool]],
) -> None:
    track, expected, now = [], [], {}
    for second, (labels, speaks) in enumerate(given):
        now = labels if speaks else now
        values = values_from_labels(ONTOLOGY, labels) if speaks else {}
        track.append(keyframe(second * CLIP_FPS, **values))
        expected.append(now)
    found = [dict(said_at(track, second * CLIP_FPS, ONTOLOGY).labels) for second in range(len(given))]
    assert found == expected


def test_a_track_labelled_at_its_first_keyframe_is_answered_to_its_end() -> None:
    first = keyframe(0, pose="sit", object_1="bag")
    gap = [keyframe(100, outside=True), keyframe(200)]
    track = [first, keyframe(30), keyframe(60), *gap, keyframe(300)]
    _, labels = read_shapes(track, ONTOLOGY, frames=SECONDS * CLIP_FPS, width=640, height=360, predrawn=[])
    seen = [0, 1, 2, 3, 7, 8, 9, 10, 11]
    assert [row["second"] for row in labels if row["group"] == "pose"] == seen
    assert [row["second"] for row in labels if row["group"] == "object"] == seen


def test_before_the_first_answer_nothing_is_said() -> None:
    assert objects(keyframe(0), keyframe(30, object_1="bag"), keyframe(60)) == [None, [4], [4]]


@pytest.mark.parametrize(
    ("then", "left"),
    [
        ({"object_2": "phone"}, [4, 5]),  # one more, beside the bag that the other slot held
        ({"object_1": "cup"}, [6]),  # the slot says something else
        ({"object_1": NONE}, []),  # none of these
        ({"object_2": NONE}, [4]),  # nothing more than the bag
        ({}, [4]),
    ],
)
def test_slots_of_a_group_are_answered_one_by_one_and_none_of_these_ends_them_all(
    then: dict[str, str], left: list[int]
) -> None:
    assert objects(keyframe(0, object_1="bag"), keyframe(30, **then), keyframe(60))[1:] == [left, left]


def test_none_in_a_later_slot_leaves_the_others() -> None:
    both = keyframe(0, object_1="bag", object_2="phone")
    assert objects(both, keyframe(30, object_2=NONE), keyframe(60)) == [[4, 5], [4], [4]]
    assert objects(both, keyframe(30, object_1=NONE), keyframe(60)) == [[4, 5], [], []]


def test_none_beside_another_object_empties_its_own_slot_only() -> None:
    both = keyframe(0, object_1="bag", object_2="phone")
    assert objects(both, keyframe(30, object_1=NONE, object_2="phone"), keyframe(60)) == [[4, 5], [5], [5]]


def test_a_none_that_was_said_before_is_not_said_again_by_a_copied_keyframe() -> None:
    first = keyframe(0, object_1=NONE, object_2="phone")
    assert objects(first, keyframe(30, object_1=NONE), keyframe(60, object_1=NONE)) == [[5], [5], [5]]


def test_answers_that_cvat_shows_as_unset_are_named() -> None:
    track = [keyframe(0, pose="sit", object_1="bag"), keyframe(45), keyframe(90, pose="lie"), keyframe(150)]
    held = held_answers(track, ONTOLOGY, 180)
    assert {(row["second"], row["group"]) for row in held} == {
        (2, "pose"), (2, "object"), (3, "object"), (4, "object"), (5, "pose"), (5, "object"),
    }  # fmt: skip
    assert {row["track_key"] for row in held} == {"t1"}


def test_what_cannot_be_told_is_named_as_long_as_it_holds_and_counts_as_answered() -> None:
    track = [keyframe(0, pose="sit"), keyframe(30, pose=CANNOT_TELL), keyframe(60), keyframe(90, pose="lie")]
    unclear = unclear_answers(track, ONTOLOGY, 120)
    assert [(row["track_key"], row["second"], row["group"]) for row in unclear] == [
        ("t1", 1, "pose"), ("t1", 2, "pose"),
    ]  # fmt: skip
    assert extent(track, ONTOLOGY, 120) == (4, 4)
