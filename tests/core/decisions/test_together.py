"""Several people decide at once: nobody overrules what the page did not show, and the log says what held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest

from ava_core import decisions
from ava_core.base.errors import DecisionError
from ava_core.store import Store, batches, open_store, tasks
from ava_core.store.tables import Decision, Job, Task, now

CLIPS = ("c1", "c2", "c3")
PEOPLE = 6


@pytest.fixture(params=["sqlite", "postgresql"])
def batch(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Three clips that mia completed, on each database that is supported."""
    sqlite = f"sqlite:///{tmp_path / 'ava.db'}"
    store = open_store(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    batches.add(store, "b", "/b.zip", {})
    tasks.put_project(store, 1, "ava")
    for number, clip in enumerate(CLIPS, start=1):
        job = Job(
            job_id=number, task_id=number, batch="b", clip_id=clip, job_type="annotation", annotator="mia",
            state="completed", frames=450, predrawn=[],
        )  # fmt: skip
        tasks.put_task(store, Task(task_id=number, project_id=1, name=clip, batch="b", clip_id=clip), [job])
    yield store
    store.close()


def at_once(acts: list[Callable[[], object]]) -> list[str]:
    """Everybody acts at the same moment; returns what they were told who were refused."""
    start = Barrier(len(acts))

    def one(act: Callable[[], object]) -> str:
        start.wait(10)
        try:
            act()
        except DecisionError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(len(acts)) as pool:
        return [said for said in pool.map(one, acts) if said]


WHAT = {"clip_id": "c1", "second": 3, "person_id": 1}
ACTS: dict[str, Callable[[Store, str, int], object]] = {
    "approve": lambda store, who, seen: decisions.approve(store, "b", ["c1"], who, seen=seen),
    "reject": lambda store, who, seen: decisions.reject(store, "b", ["c1"], who, "mend it", seen=seen),
    "reopen": lambda store, who, seen: decisions.reopen(store, "b", ["c1"], who, seen=seen),
    "exclude": lambda store, who, seen: decisions.exclude_annotator(store, "b", "mia", who, "", seen=seen),
    "include": lambda store, who, seen: decisions.include_annotator(store, "b", "mia", who, seen=seen),
    "gold": lambda store, who, seen: decisions.mark_gold(store, "b", "c1", "mia", who, seen=seen),
    "no gold": lambda store, who, seen: decisions.unmark_gold(store, "b", "c1", who, seen=seen),
    "adjudicate": lambda store, who, seen: decisions.adjudicate(
        store, "b", **WHAT, group="pose", action_ids=[1], actor=who, seen=seen
    ),
    "presence": lambda store, who, seen: decisions.settle_presence(
        store, "b", **WHAT, present=False, actor=who, seen=seen
    ),
}


@pytest.mark.parametrize("act", list(ACTS))
def test_of_several_who_saw_the_same_one_decides_and_the_others_look_again(batch: Store, act: str) -> None:
    seen = decisions.newest_decision(batch, "b")
    people = [f"rita{n}" for n in range(PEOPLE)]
    refused = at_once([lambda who=who: ACTS[act](batch, who, seen) for who in people])
    [made] = decisions.decisions_of(batch, "b")
    assert len(refused) == PEOPLE - 1
    assert all(
        said.startswith(f"{made.actor} ") and said.endswith("Reload and try again.") for said in refused
    )


def test_approving_and_rejecting_at_once_leaves_one_of_the_two(batch: Store) -> None:
    [said] = at_once([lambda: ACTS["approve"](batch, "rita", 0), lambda: ACTS["reject"](batch, "lead", 0)])
    [made] = decisions.decisions_of(batch, "b")
    [status] = {task.qc_status for task in tasks.tasks_of(batch, "b") if task.clip_id == "c1"}
    assert status == made.after["qc_status"]
    assert said.startswith(
        {"rita": "rita approved c1 just now", "lead": "lead rejected c1 just now: 'mend it'"}[made.actor]
    )


def test_whatever_comes_in_between_the_log_says_what_held(batch: Store) -> None:
    """Nobody looked, so everybody decides: each one's `before` is what the one before left."""
    turns = [
        lambda who=f"rita{n}", act=act: ACTS[act](batch, who, None)
        for n in range(3)
        for act in ("approve", "reject", "exclude", "include", "gold", "no gold")
    ]  # fmt: skip
    assert at_once(turns) == []
    log = decisions.decisions_of(batch, "b")
    assert len(log) == len(turns)
    for actions, first in (
        (("approve", "reject"), {"qc_status": "pending"}),
        (("exclude", "include"), {"excluded": False}),
        (("gold",), {"expert": ""}),
    ):
        own = [one for one in log if one.action in actions]
        assert [one.before for one in own] == [first, *(one.after for one in own[:-1])]


def test_what_somebody_else_decided_on_another_clip_is_no_conflict(batch: Store) -> None:
    seen = decisions.newest_decision(batch, "b")
    decisions.approve(batch, "b", ["c2"], "lead")
    decisions.mark_gold(batch, "b", "c1", "mia", "lead")
    decisions.reject(batch, "b", ["c1"], "rita", "boxes drift", seen=seen)
    assert decisions.decision_state(batch, "b").rejected == {"c1"}


def test_many_are_approved_but_those_that_moved_and_they_are_named(batch: Store) -> None:
    seen = decisions.newest_decision(batch, "b")
    decisions.reject(batch, "b", ["c2"], "lead", "boxes drift")
    tasks.update_jobs(batch, [{"job_id": 3, "state": "in progress"}])
    done = decisions.approve_unmoved(batch, "b", CLIPS, "rita", "bulk", seen=seen)
    assert [one.subject for one in done.made] == ["c1"]
    assert done.moved == {
        "c2": "lead rejected c2 just now: 'boxes drift'.",
        "c3": "Nobody has completed c3.",
    }
    state = decisions.decision_state(batch, "b")
    assert (state.approved, state.rejected) == ({"c1"}, {"c2"})


def test_a_stretch_is_settled_as_a_whole_or_not_at_all(batch: Store) -> None:
    pose = WHAT | {"group": "pose", "action_ids": [1]}
    seen = decisions.newest_decision(batch, "b")
    decisions.adjudicate(batch, "b", **pose | {"second": 5}, actor="lead")
    with pytest.raises(DecisionError, match="lead settled pose of person 1 of c1 at second 5 just now"):
        decisions.adjudicate(batch, "b", **pose, until=6, actor="rita", seen=seen)
    assert len(decisions.decisions_of(batch, "b")) == 1
    decisions.adjudicate(
        batch, "b", **pose, until=6, actor="rita", seen=decisions.newest_decision(batch, "b")
    )
    assert decisions.decision_state(batch, "b").adjudications["second"].to_list() == [5, 3, 4, 6]


@pytest.mark.parametrize(
    ("hours", "said"),
    [(0.001, "just now"), (0.02, "a minute ago"), (0.5, "30 minutes ago"), (0.99, "59 minutes ago"),
     (0.9999, "an hour ago"), (5.2, "5 hours ago"), (24, "on 2026-03-01 12:00")],
)  # fmt: skip
def test_when_it_was_is_said_in_words(hours: float, said: str) -> None:
    moment = now().replace(year=2026, month=3, day=1, hour=12, minute=0)
    assert decisions.ago(moment, moment + timedelta(hours=hours)) == said


@pytest.mark.parametrize(
    ("action", "after", "did"),
    [("exclude", {}, "left mia out"), ("include", {}, "took mia in again"), ("reopen", {}, "reopened mia"),
     ("gold", {"expert": "eva"}, "made mia gold with the work of eva"),
     ("gold", {"expert": ""}, "removed mia from gold"),
     ("expert", {"expert": "eva"}, "gave mia to eva"), ("expert", {"expert": ""}, "withdrew mia from its expert"),
     ("adjudicate", WHAT | {"group": "presence"}, "settled the presence of person 1 of c1 at second 3")],
)  # fmt: skip
def test_every_decision_has_its_words(action: str, after: dict[str, object], did: str) -> None:
    decision = Decision(
        batch="b", action=action, subject="mia", actor="lead", comment="", after=after, decided_at=now()
    )
    assert decisions.told(decision) == f"lead {did} just now."
