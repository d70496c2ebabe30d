"""Practice before real work: of approved clips or an expert's answers, at a desk of its own, passed or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ava_core import decisions
from ava_core.annotation.practice.choosing import choose_practice
from ava_core.annotation.practice.desk import PracticeDesk, practice_clip, standing
from ava_core.base.errors import InputError
from ava_core.quality.consensus.batch import consensus_of_batch
from ava_core.store import annotators, practice, tasks
from ava_core.store.tables import CONSENSUS, Job, Reading
from tests.support.home import Home
from tests.support.street import BATCH, copy_street

CLIP, NEW, EXPERT = "clip_0000", "novice", "ann_0"


class Practice(Home):
    """The planted street, with somebody new."""

    def choose(self, measure: str, clip: str = CLIP) -> int:
        """Take a clip into the set; returns its number."""
        choose_practice(self.at(BATCH), clip, measure, "adam")
        return practice.clips(self.store)[-1].practice_id

    def desk(self, practice_id: int, name: str = NEW) -> PracticeDesk:
        clip = practice_clip(self.store, practice_id, name)
        return PracticeDesk(self.store, clip, self.ontology, name)

    def answer(self, practice_id: int, *, right: bool) -> None:
        """Draw and say what is right, or nobody at all; and finish."""
        desk = self.desk(practice_id)
        if right:
            desk.save(edits_of(desk.clip.truth))
        desk.set_state("completed")


def edits_of(truth: list[list[Any]]) -> list[dict[str, Any]]:
    """The truth as a person enters it who draws everybody."""
    people: dict[int, dict[str, Any]] = {}
    for second, person, box, right in truth:
        edit = people.setdefault(
            person, {"key": f"n{person}", "id": None, "base": "", "keys": [], "said": {}}
        )
        edit["keys"].append([second * 30, *box, False])
        for group, ids in right.items():
            edit["said"].setdefault(group, []).append([second * 30, ids])
    return list(people.values())


@pytest.fixture
def home(street: Path, tmp_path: Path) -> Iterator[Practice]:
    settings = copy_street(street, tmp_path / "home")
    made = Practice(settings.home_dir, ontology="street")
    made.add_annotators([NEW])
    yield made
    made.close()


def experts(home: Practice) -> list[str]:
    return sorted({job.annotator for job in tasks.jobs_of(home.store, BATCH, CLIP)})


def test_an_experts_answers_are_right_and_who_gives_them_passes(home: Practice) -> None:
    number = home.choose(experts(home)[0])
    assert standing(home.store, NEW).words == "0 of 1 practice clips"
    home.answer(number, right=True)
    now = standing(home.store, NEW)
    assert (now.passed, now.newest) == (True, 1.0)
    assert {one.username for one in annotators.everyone(home.store) if one.qualified_at} == {NEW}


def test_the_approved_consensus_can_be_right_and_nothing_else_that_was_not_approved(home: Practice) -> None:
    with pytest.raises(InputError, match="no approved consensus"):
        home.choose(CONSENSUS)
    decisions.approve(home.store, BATCH, [CLIP], "adam")
    at = home.at(BATCH)
    raw = {name: at.table("raw_annotations", name) for name in ("raw_boxes", "raw_labels", "completed_jobs")}
    formed = consensus_of_batch(raw, at.ontology, decisions.decision_state(at.store, BATCH))
    home.write_tables(BATCH, {("consensus_labels", name): table for name, table in formed.items()})
    number = home.choose(CONSENSUS)
    home.answer(number, right=True)
    assert standing(home.store, NEW).passed
    with pytest.raises(InputError, match="has not completed"):
        home.choose("nobody")


def test_what_was_wrong_is_told_and_another_try_begins_anew(home: Practice) -> None:
    number = home.choose(experts(home)[0])
    home.answer(number, right=False)
    shown = home.desk(number).open()
    assert shown["state"] == "completed"
    assert "pass mark is 80%" in shown["notes"][0]
    assert "you missed a person" in shown["issues"][0]["said"]
    with pytest.raises(InputError, match="finished this attempt"):
        home.desk(number).save([])
    assert home.desk(number).set_state("in progress") == {"state": "in progress", "anew": True}
    assert home.desk(number).open()["tracks"] == []
    home.answer(number, right=True)
    assert standing(home.store, NEW).words == "1 of 1 practice clips, 100% right (0% on the first attempt)"


def test_saving_again_doubles_nothing_and_another_tab_is_not_written_over(home: Practice) -> None:
    desk = home.desk(home.choose(experts(home)[0]))
    [first, *_] = edits_of(desk.clip.truth)
    stored = [desk.save([first])["stored"][first["key"]] for _ in range(2)]
    assert stored[0] == stored[1]
    assert len(desk.open()["tracks"]) == 1
    known = {"id": stored[0]["id"], "base": stored[0]["hash"]}
    moved = {**first, **known, "keys": [[0, 1.0, 1.0, 9.0, 9.0, False]]}
    assert desk.save([moved])["conflicts"] == {}
    late = {**first, **known, "said": {}}
    assert desk.save([late])["conflicts"][first["key"]]["keys"] == moved["keys"]
    gone = {"key": first["key"], "id": known["id"], "base": known["base"], "gone": True}
    assert desk.save([gone])["conflicts"]
    [now] = desk.open()["tracks"]
    assert desk.save([{**gone, "base": now["hash"]}])["stored"] == {first["key"]: None}


def test_real_work_waits_for_the_pass_mark_where_it_is_set(home: Practice) -> None:
    number = home.choose(experts(home)[0])
    assert NEW in {one.username for one in annotators.available(home.store)}
    practice.set_rule(home.store, "adam", pass_mark=0.9, required=True)
    names = {one.username for one in annotators.available(home.store)}
    assert names == set(experts(home)), "who has worked before is no novice"
    home.answer(number, right=False)
    assert NEW not in {one.username for one in annotators.available(home.store)}
    home.desk(number).set_state("in progress")
    home.answer(number, right=True)
    assert NEW in {one.username for one in annotators.available(home.store)}
    with pytest.raises(InputError, match="cannot be"):
        practice.set_rule(home.store, "adam", pass_mark=80, required=True)


def test_nothing_of_practice_is_work(home: Practice) -> None:
    """Neither a job nor a reading is made of it, so nothing that is made of those knows of it."""

    def work() -> tuple[int, int]:
        with home.store.session() as session:
            return session.query(Job).count(), session.query(Reading).count()

    before, number = work(), home.choose(experts(home)[0])
    home.answer(number, right=True)
    assert work() == before
    assert practice.practised(home.store, BATCH, CLIP) == {NEW}


def test_who_has_a_job_of_a_clip_does_not_practise_on_it(home: Practice) -> None:
    one, other = experts(home)[:2]
    number = home.choose(one)
    assert practice.offered(home.store, other) == []
    with pytest.raises(InputError, match="no practice clip"):
        home.desk(number, other)
    practice.end(home.store, number, "adam")
    assert practice.offered(home.store, NEW) == []
