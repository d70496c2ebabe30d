"""Decisions: append-only, reversible, only on what can be decided."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from ava_core import decisions
from ava_core.base.errors import DecisionError
from ava_core.store import Store, batches, tasks
from ava_core.store.tables import Job, Task

FIELDS = ("approved", "rejected", "excluded", "gold", "experts")


@pytest.fixture
def batch(store: Store) -> Store:
    """Clips c1 (completed by mia) and c2 (nobody done)."""
    batches.add(store, "b", "/b.zip", {})
    tasks.put_project(store, 1, "ava")
    for number, (clip, state) in enumerate([("c1", "completed"), ("c2", "in progress")], start=1):
        job = Job(
            job_id=number, task_id=number, batch="b", clip_id=clip, job_type="annotation", annotator="mia",
            state=state, frames=450, predrawn=[],
        )  # fmt: skip
        tasks.put_task(store, Task(task_id=number, project_id=1, name=clip, batch="b", clip_id=clip), [job])
    return store


def qc_status(store: Store) -> dict[str, str]:
    return {task.clip_id: task.qc_status for task in tasks.tasks_of(store, "b")}


def test_the_newest_decision_holds_and_every_one_is_kept(batch: Store) -> None:
    decisions.approve(batch, "b", ["c1"], "ann")
    decisions.reject(batch, "b", ["c1"], "bob", "boxes drift")
    assert decisions.decision_state(batch, "b").rejected == {"c1"}
    decisions.reopen(batch, "b", ["c1"], "ann")
    state = decisions.decision_state(batch, "b")
    assert (state.approved, state.rejected) == (frozenset(), frozenset())
    log = decisions.decisions_of(batch, "b")
    assert [(d.action, d.actor, d.before["qc_status"], d.after["qc_status"]) for d in log] == [
        ("approve", "ann", "pending", "approved"),
        ("reject", "bob", "approved", "rejected"),
        ("reopen", "ann", "rejected", "pending"),
    ]
    assert log[1].comment == "boxes drift"
    assert qc_status(batch) == {"c1": "pending", "c2": "pending"}


def test_what_nobody_completed_is_not_approved(batch: Store) -> None:
    with pytest.raises(DecisionError, match="c2"):
        decisions.approve(batch, "b", ["c1", "c2"], "ann")
    assert decisions.decisions_of(batch, "b") == []
    assert qc_status(batch)["c1"] == "pending"


def test_a_rejection_needs_a_comment(batch: Store) -> None:
    with pytest.raises(DecisionError, match="comment"):
        decisions.reject(batch, "b", ["c1"], "ann", "  ")


def test_an_unknown_clip_or_annotator_is_refused(batch: Store) -> None:
    with pytest.raises(DecisionError, match="nowhere"):
        decisions.approve(batch, "b", ["nowhere"], "ann")
    with pytest.raises(DecisionError, match="exactly"):
        decisions.exclude_annotator(batch, "b", "mi", "ann", "?")


def test_an_exclusion_can_be_taken_back(batch: Store) -> None:
    decisions.exclude_annotator(batch, "b", "mia", "ann", "random clicks")
    assert decisions.decision_state(batch, "b").excluded == {"mia"}
    taken_back = decisions.include_annotator(batch, "b", "mia", "ann")
    assert taken_back.before == {"excluded": True}
    assert decisions.decision_state(batch, "b").excluded == frozenset()


def test_the_last_adjudication_of_a_label_holds(batch: Store) -> None:
    what = {"clip_id": "c1", "second": 3, "person_id": 1, "group": "posture_gesture"}
    decisions.adjudicate(batch, "b", **what, action_ids=[41], actor="ann")
    [second] = decisions.adjudicate(batch, "b", **what, action_ids=[40], actor="bob")
    assert second.before["action_ids"] == [41]
    rows = decisions.decision_state(batch, "b").adjudications.to_dicts()
    assert rows == [what | {"action_ids": [40]}]


def test_a_reader_finds_what_is_new(batch: Store) -> None:
    [first] = decisions.approve(batch, "b", ["c1"], "ann")
    [second] = decisions.reopen(batch, "b", ["c1"], "ann")
    assert [d.decision_id for d in decisions.decisions_after(batch, first.decision_id)] == [
        second.decision_id
    ]


def test_gold_needs_the_experts_completed_work_and_can_be_taken_back(batch: Store) -> None:
    with pytest.raises(DecisionError, match="has not completed c2"):
        decisions.mark_gold(batch, "b", "c2", "mia", "ann")
    decisions.mark_gold(batch, "b", "c1", "mia", "ann")
    assert decisions.decision_state(batch, "b").gold == {"c1": "mia"}
    taken_back = decisions.unmark_gold(batch, "b", "c1", "ann")
    assert taken_back.before == {"expert": "mia"}
    assert decisions.decision_state(batch, "b").gold == {}


def test_the_states_of_all_batches_are_each_ones_state_from_one_query(batch: Store) -> None:
    batches.add(batch, "other", "/o.zip", {})
    batches.add(batch, "untouched", "/u.zip", {})
    job = Job(
        job_id=9, task_id=9, batch="other", clip_id="o1", job_type="annotation", annotator="tom",
        state="completed", frames=450, predrawn=[],
    )  # fmt: skip
    tasks.put_task(batch, Task(task_id=9, project_id=1, name="o1", batch="other", clip_id="o1"), [job])
    at = {"second": 3, "person_id": 1}
    decisions.approve(batch, "b", ["c1"], "ann")
    decisions.reject(batch, "other", ["o1"], "ann", "boxes drift")
    decisions.exclude_annotator(batch, "other", "tom", "ann", "")
    decisions.adjudicate(batch, "b", clip_id="c1", **at, group="pose", action_ids=[1], actor="ann")
    decisions.settle_presence(batch, "other", clip_id="o1", **at, present=False, actor="ann")
    decisions.mark_gold(batch, "b", "c1", "mia", "ann")
    decisions.note_expert(batch, "other", "o1", "eva", 9, "ann")
    decisions.reopen(batch, "b", ["c1"], "bob")
    asked: list[str] = []
    sa.event.listen(batch.engine, "before_cursor_execute", lambda *event: asked.append(event[2]))
    states = decisions.decision_states(batch)
    assert len(asked) == 1
    assert list(states) == ["b", "other", "untouched"]
    for name, state in states.items():
        one = decisions.decision_state(batch, name)
        assert state.adjudications.equals(one.adjudications)
        assert [getattr(state, f) for f in FIELDS] == [getattr(one, f) for f in FIELDS]
    assert (states["other"].excluded, states["other"].experts) == ({"tom"}, {"o1": "eva"})
    assert states["untouched"].adjudications.is_empty()


def test_a_rejected_clip_waits_for_review_once_it_is_done_again(batch: Store) -> None:
    decisions.reject(batch, "b", ["c1"], "ann", "boxes drift")
    [rejection] = decisions.decisions_of(batch, "b")
    assert decisions.reopen_redone(batch, "b") == [], "what was rejected is still what there is"
    again = rejection.decided_at + timedelta(minutes=5)
    tasks.update_jobs(batch, [{"job_id": 1, "state": "rejected", "completed_at": None}])
    assert decisions.reopen_redone(batch, "b") == [], "the annotator is at it"
    tasks.update_jobs(batch, [{"job_id": 1, "state": "completed", "completed_at": again}])
    assert decisions.reopen_redone(batch, "b") == ["c1"]
    assert qc_status(batch)["c1"] == "pending"
    assert decisions.decisions_of(batch, "b")[-1].actor == "platform"
    assert decisions.reopen_redone(batch, "b") == []
