"""Who notices a change late, or early: what they change counts from when it happened."""

from __future__ import annotations

import numpy as np
import pytest

from ava_core.quality.agreement.delay import aligned
from ava_core.quality.agreement.panel import Panel
from tests.support.planted_scenarios import scenario
from tests.support.written_work import Track, written

SECONDS = 12
CLIPS = [f"c{number}" for number in range(8)]
MANY = [f"m{number}" for number in range(60)]
ENDS = [f"e{number}" for number in range(30)]


def answered(
    changes: dict[str, int], group: str = "pose", answers: tuple[int, int] = (1, 2), clips: list[str] = CLIPS
) -> Panel:
    """Everybody says first one thing, then another, from a second of their own on, in many clips."""
    return written(jobs_of(changes, group, answers, clips)).panel


def jobs_of(
    changes: dict[str, int], group: str, answers: tuple[int, int], clips: list[str]
) -> dict[tuple[str, str], list[Track]]:
    before, after = answers
    return {
        (clip, name): [Track(seconds=range(SECONDS), labels={group: {
            second: [before] if second < at else [after] for second in range(SECONDS)}})]
        for clip in clips
        for name, at in changes.items()
    }  # fmt: skip


def begins(panel: Panel, action: int) -> dict[str, set[int]]:
    """Seconds from which each annotator gives the action."""
    column = panel.action_ids.tolist().index(action)
    found: dict[str, set[int]] = {}
    for slot, name in enumerate(panel.annotators):
        for clip in range(len(panel.clips)):
            own = (panel.clip == clip) & panel.votes[:, slot, column]
            found.setdefault(name, set()).add(int(panel.second[own].min()))
    return found


@pytest.mark.parametrize(("group", "answers"), [("pose", (1, 2)), ("object", (4, 5))])
def test_who_is_always_late_is_moved_to_where_the_others_are(group: str, answers: tuple[int, int]) -> None:
    panel = answered({"anna": 5, "ben": 5, "cleo": 6}, group, answers)
    assert begins(aligned(panel), answers[1]) == {"anna": {5}, "ben": {5}, "cleo": {5}}
    still = aligned(panel).votes[:, :, panel.action_ids.tolist().index(answers[0])]
    assert not (still & (panel.second >= 5)[:, None]).any()


@pytest.mark.parametrize("group", ["pose", "object"])
def test_two_who_are_late_do_not_outvote_the_one_who_sees_what_happens_at_the_last_second(group: str) -> None:
    answers = (1, 2) if group == "pose" else (4, 5)
    behind = jobs_of({"anna": 5, "ben": 6, "cleo": 6}, group, answers, MANY)
    too_late = jobs_of({"anna": SECONDS - 1, "ben": SECONDS, "cleo": SECONDS}, group, answers, ENDS)
    panel = aligned(written(behind | too_late).panel)
    ends = np.isin(np.array(panel.clips)[panel.clip], ENDS)
    column = panel.action_ids.tolist().index(answers[1])
    assert panel.votes[~ends & (panel.second == 5), :, column].all()
    last = panel.votes[ends & (panel.second == SECONDS - 1), :, column]
    assert last.tolist() == [[True, False, False]] * len(ENDS)


@pytest.mark.parametrize(("group", "answers"), [("pose", (1, 2)), ("object", (4, 5))])
@pytest.mark.parametrize("early", [1, 2])
def test_one_who_is_always_early_is_moved_to_where_the_others_are(
    group: str, answers: tuple[int, int], early: int
) -> None:
    panel = answered({"anna": 6 - early, "ben": 6, "cleo": 6}, group, answers, MANY)
    assert begins(aligned(panel), answers[1]) == {"anna": {6}, "ben": {6}, "cleo": {6}}


def test_of_two_nobody_knows_which_is_early_and_which_is_late_so_answers_stay() -> None:
    panel = answered({"anna": 5, "ben": 6}, clips=MANY)
    assert np.array_equal(aligned(panel).votes, panel.votes)


def test_who_changes_together_stays() -> None:
    panel = answered({"anna": 5, "ben": 5, "cleo": 5})
    assert np.array_equal(aligned(panel).votes, panel.votes)


def test_changes_far_apart_are_two() -> None:
    panel = answered({"anna": 3, "ben": 3, "cleo": 8})
    assert np.array_equal(aligned(panel).votes, panel.votes)


def test_who_answers_anew_at_every_second_tells_nothing_of_when_it_happened() -> None:
    guesses = {second: [1 + second % 3] for second in range(SECONDS)}
    jobs = {(clip, name): [Track(seconds=range(SECONDS), labels={"pose": said})]
            for clip in CLIPS for name, said in (("anna", [1]), ("guesser", guesses))}  # fmt: skip
    panel = written(jobs).panel
    assert np.array_equal(aligned(panel).votes, panel.votes)


def test_an_answer_stays_within_its_person_and_what_was_rated() -> None:
    panel = answered({"anna": 1, "ben": 1, "cleo": 2})
    unrated = panel.without_ratings(*np.nonzero((panel.second == 1)[:, None] & (np.arange(3) == 2)))
    moved = aligned(unrated)
    assert not moved.votes[unrated.second == 1, 2].any()
    assert np.array_equal(moved.votes[unrated.second == 0], unrated.votes[unrated.second == 0])


def test_nobody_at_all_is_left_as_it_is() -> None:
    panel = written({("c", "anna"): []}).panel
    assert aligned(panel) is panel


@pytest.mark.parametrize(("name", "most"), [("two of three late", 0.1), ("3 good, 10 clips", 0.005)])
def test_planted_answers_move_where_somebody_is_late_and_nearly_none_elsewhere(
    name: str, most: float
) -> None:
    from ava_core.quality.agreement.build import match_work

    panel = match_work(*scenario(name, 0).work).panel
    moved = (aligned(panel).votes != panel.votes).any(axis=2)[panel.present].mean()
    assert moved <= most
    assert (moved > 0.02) == name.endswith("late")
