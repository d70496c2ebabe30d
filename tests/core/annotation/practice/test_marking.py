"""Practice is marked answer by answer, and each stretch that was not right is told with what is."""

from __future__ import annotations

from typing import Any

from ava_core.annotation.practice.marking import mark
from ava_core.base.schemas import CLIP_FPS
from ava_core.ontology import CANNOT_TELL
from ava_core.ontology.load import parse_ontology

ONTOLOGY = parse_ontology(
    """
name: tiny
version: 1
groups:
  - {name: pose, kind: exclusive, actions: [{id: 1, name: stand}, {id: 2, name: sit_down}]}
  - {name: object, kind: multi, max_active: 2, actions: [{id: 4, name: bag}, {id: 5, name: phone}]}
""",
    "tiny",
)
FRAMES = 4 * CLIP_FPS
HERE, THERE = [10.0, 10.0, 30.0, 60.0], [100.0, 10.0, 120.0, 60.0]


def person(number: int, box: list[float], **right: list[int]) -> list[list[Any]]:
    """Somebody who stands at one place, and does the same all the time."""
    return [[second, number, box, right] for second in range(4)]


def track(box: list[float], seed: str = "7", **said: Any) -> dict[str, Any]:
    changes = {group: answer if isinstance(answer, list) else [[0, answer]] for group, answer in said.items()}
    return {"id": 1, "seed": seed, "keys": [[0, *box, False]], "said": changes}


def told(truth: list[list[Any]], *tracks: dict[str, Any]) -> tuple[int, int, list[tuple[int, str]]]:
    marks = mark(sorted(truth), tracks, ONTOLOGY, FRAMES)
    return marks.asked, marks.correct, [(r["frame"] // CLIP_FPS, r["said"]) for r in marks.remarks]


def test_what_is_right_is_counted_and_nothing_is_remarked() -> None:
    own = track(HERE, pose=[[0, [1]]], object=[[0, [5, 4]]])
    assert told(person(1, HERE, pose=[1], object=[4, 5]), own) == (8, 8, [])


def test_a_stretch_that_is_wrong_is_one_sentence_with_what_is_right() -> None:
    own = track(HERE, pose=[[0, [1]], [CLIP_FPS, [2]], [3 * CLIP_FPS, [1]]])
    assert told(person(1, HERE, pose=[1]), own) == (
        4, 2, [(1, "person 7, pose: you said sit down; the correct answer is stand, up to second 2")],
    )  # fmt: skip


def test_saying_nothing_or_that_one_cannot_tell_is_not_right() -> None:
    _, correct, remarks = told(person(1, HERE, pose=[2], object=[]), track(HERE, pose=[[0, CANNOT_TELL]]))
    assert correct == 0
    assert remarks == [
        (0, "person 7, object: you said nothing; the correct answer is none of these, up to second 3"),
        (0, "person 7, pose: you said “cannot tell”; the correct answer is sit down, up to second 3"),
    ]


def test_who_is_missing_and_who_is_nobody_are_told() -> None:
    own = track(THERE, pose=[[0, [1]]])
    asked, correct, remarks = told(person(1, HERE, pose=[1]), own)
    assert (asked, correct) == (5, 0), "four answers that are missing, and one box around nobody"
    assert [said for _, said in remarks] == [
        "person 7 is not a person: press “Not a person” to remove the box",
        "you missed a person, or drew their box in the wrong place, up to second 3",
    ]


def test_a_person_in_two_pieces_is_still_that_person() -> None:
    early, late = track(HERE, pose=[[0, [1]]]), track(HERE, seed="", pose=[[0, [1]]])
    early["keys"].append([2 * CLIP_FPS, *HERE, True])
    late["keys"] = [[2 * CLIP_FPS, *HERE, False]]
    assert told(person(1, HERE, pose=[1]), early, late) == (4, 4, [])


def test_two_who_pass_each_other_keep_their_answers() -> None:
    left, right = [10.0, 10.0, 30.0, 60.0], [14.0, 10.0, 34.0, 60.0]
    truth = [[s, 1, left, {"pose": [1]}] for s in range(4)] + [
        [s, 2, right if s == 1 else THERE, {"pose": [2]}] for s in range(4)
    ]
    stays = track(left, seed="1", pose=[[0, [1]]])
    passes = track(THERE, seed="2", pose=[[0, [2]]])
    passes["keys"] += [[29, *THERE, False], [30, *left, False], [31, *THERE, False]]
    assert told(truth, stays, passes)[:2] == (8, 8)


def test_of_a_clip_in_which_nothing_was_asked_nothing_is_wrong() -> None:
    assert told(person(1, HERE), track(HERE)) == (0, 0, [])
