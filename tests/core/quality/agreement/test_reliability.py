"""What holds, and who errs how: pooled over the crew, in decisions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ava_core.quality.agreement.build import build_panel
from ava_core.quality.agreement.evidence import decisions
from ava_core.quality.agreement.panel import Panel
from ava_core.quality.agreement.patterns import exclusive_patterns, multi_patterns
from ava_core.quality.agreement.reliability import SHARED_ERROR, estimate_labels
from tests.support.planted_scenarios import scenario
from tests.support.written_work import Track, written


def test_a_run_of_equal_answers_is_one_decision() -> None:
    said = {"pose": {0: [1], 1: [1], 2: [2], 3: [2], 4: [2]}}
    panel = written({("c", "anna"): [Track(seconds=range(5), labels=said)]}).panel
    pose = [group.name for group in panel.ontology.groups].index("pose")
    assert decisions(panel)[:, 0, pose] == pytest.approx([1 / 2, 1 / 2, 1 / 3, 1 / 3, 1 / 3])


def test_a_gap_ends_a_run_and_what_is_unset_weighs_nothing() -> None:
    said = {"pose": {0: [1], 2: [1]}}
    panel = written({("c", "anna"): [Track(seconds=range(3), labels=said)]}).panel
    pose = [group.name for group in panel.ontology.groups].index("pose")
    assert decisions(panel)[:, 0, pose].tolist() == [1, 0, 1]


@pytest.mark.parametrize("name", ["pool of 12", "2 good + 1 lazy"])
def test_patterns_stand_for_every_decision(name: str) -> None:
    panel = _panel(name)
    evidence = decisions(panel)
    for number, group in enumerate(panel.ontology.groups):
        columns = np.flatnonzero(panel.group_of == number)
        at = np.flatnonzero(panel.group_of[panel.named.column] == number)
        own = evidence[:, :, number]
        if group.kind == "exclusive":
            patterns, row = exclusive_patterns(panel, number, columns, own, None)
            assert len(row) == len(panel.second)
            problems = 1
        else:
            patterns, row, _ = multi_patterns(panel, number, columns, at, own, None)
            assert len(row) == len(at)
            problems = len(columns)
        counted = np.bincount(patterns.problem, patterns.evidence.sum(axis=1), problems)
        assert counted == pytest.approx(np.full(problems, own.sum()))
        assert len(patterns.count) < problems * len(panel.second) / 2


def test_a_lazy_annotator_is_known_by_the_sensitivity_not_by_false_alarms() -> None:
    panel = _panel("2 good + 1 lazy")
    found = estimate_labels(panel)
    lazy = panel.annotators.index("other0")
    assert found.sensitivity.argmin() == lazy
    assert found.false_alarms[lazy] < 0.01


def test_alone_nothing_is_known_of_somebody() -> None:
    found = estimate_labels(written({("clip", "anna"): [Track(labels={"pose": [1]})]}).panel)
    assert found.known.tolist() == [0]
    assert np.isnan(found.sensitivity).all()
    assert np.isnan(found.false_alarms).all()


def test_chances_of_an_exclusive_group_add_up_to_one() -> None:
    panel = _panel("3 good")
    found = estimate_labels(panel)
    pose = next(n for n, group in enumerate(panel.ontology.groups) if group.kind == "exclusive")
    own = panel.group_of[panel.named.column] == pose
    named = np.bincount(panel.named.place[own], found.posterior[own], len(panel.second)) / (1 - SHARED_ERROR)
    rated = panel.raters[:, pose] > 0
    assert (named + found.unnamed[:, pose])[rated] == pytest.approx(1)
    assert (found.unnamed[~rated] == 0).all()


def test_the_slots_of_a_crew_do_not_matter() -> None:
    panel = _panel("2 good + 1 random")
    turned = replace(
        panel, crew=panel.crew[:, ::-1].copy(), boxes=panel.boxes[:, ::-1], edited=panel.edited[:, ::-1],
        rated=panel.rated[:, ::-1], votes=panel.votes[:, ::-1],
    )  # fmt: skip
    one, other = estimate_labels(panel), estimate_labels(turned)
    assert one.posterior == pytest.approx(other.posterior, abs=1e-6)


def _panel(name: str) -> Panel:
    return build_panel(*scenario(name, 0).work)


@pytest.mark.parametrize("others", [[], ["cleo"]])
def test_that_two_differ_does_not_tell_which_of_them_is_right(others: list[str]) -> None:
    """Ben says 2 throughout, anna 1 and 2 in turn: of 1 against 2 the model is sure, of two people it can't be."""
    said = {"anna": lambda clip: 1 + clip % 2, "ben": lambda _: 2} | {
        name: lambda clip: 1 + clip % 2 for name in others
    }
    jobs = {(f"c{clip}", name): [Track(labels={"pose": [answer(clip)]})]
            for clip in range(40) for name, answer in said.items()}  # fmt: skip
    panel = written(jobs).panel
    chance = estimate_labels(panel).posterior[panel.named.yes < len(said)]
    assert (chance.max() < 0.75) == (not others)
