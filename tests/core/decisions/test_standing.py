"""An approval is of the readings that it saw: later ones are not approved, and somebody looks again."""

from __future__ import annotations

import pytest

from ava_core import decisions
from ava_core.base.errors import DecisionError
from ava_core.decisions.standing import reread, standing
from ava_core.store import Store, batches, readings, tasks
from ava_core.store.tables import Job, Task


@pytest.fixture
def batch(store: Store) -> Store:
    """Clip c, which mia (job 1) and tom (job 2) completed and the platform has read."""
    batches.add(store, "b", "/b.zip", {})
    tasks.put_project(store, 1, "ava")
    jobs = [
        Job(job_id=number, task_id=1, batch="b", clip_id="c", job_type="consensus_replica", annotator=name,
            state="completed", frames=450, predrawn=[])
        for number, name in enumerate(("mia", "tom"), start=1)
    ]  # fmt: skip
    tasks.put_task(store, Task(task_id=1, project_id=1, name="c", batch="b", clip_id="c"), jobs)
    read(store, 1, "mia", "first")
    read(store, 2, "tom", "first")
    return store


def read(store: Store, job: int, name: str, content: str) -> None:
    readings.append(
        store,
        job_id=job,
        task_id=1,
        annotator=name,
        server_updated_at=content,
        content_hash=content,
        shapes=[],
    )


def test_an_approval_notes_the_readings_that_count(batch: Store) -> None:
    [made] = decisions.approve(batch, "b", ["c"], "ann")
    assert made.after == {"qc_status": "approved", "readings": ["mia:1:1", "tom:2:1"]}
    now = standing(batch, "b")
    assert now.readings == {"c": {"mia:1:1", "tom:2:1"}}
    assert (now.state.newest, list(now.approvals)) == (made.decision_id, ["c"])
    assert now.state.approved_on(now.readings) == {"c"}
    assert reread(now) == {}


def test_a_later_reading_is_not_approved(batch: Store) -> None:
    decisions.approve(batch, "b", ["c"], "ann")
    read(batch, 1, "mia", "first")
    assert reread(standing(batch, "b")) == {}, "the same content is no other reading"
    read(batch, 1, "mia", "second")
    now = standing(batch, "b")
    assert now.state.approved == {"c"}
    assert now.state.approved_on(now.readings) == frozenset()
    assert reread(now) == {"c": ["mia:1:2"]}


def test_work_that_is_open_again_leaves_what_was_approved(batch: Store) -> None:
    decisions.approve(batch, "b", ["c"], "ann")
    tasks.update_jobs(batch, [{"job_id": 2, "state": "in progress"}])
    now = standing(batch, "b")
    assert now.readings == {"c": {"mia:1:1"}}
    assert now.state.approved_on(now.readings) == {"c"}


def test_a_clip_that_was_read_anew_waits_for_a_review_again(batch: Store) -> None:
    decisions.approve(batch, "b", ["c"], "ann")
    assert decisions.review_reread(batch, "b", "reopen") == []
    read(batch, 1, "mia", "second")
    assert decisions.review_reread(batch, "b", "reopen") == ["c"]
    last = decisions.decisions_of(batch, "b")[-1]
    assert (last.action, last.actor, last.comment) == (
        "reopen", "platform", "read again after it was approved",
    )  # fmt: skip
    assert [task.qc_status for task in tasks.tasks_of(batch, "b")] == ["pending"]
    assert decisions.review_reread(batch, "b", "reopen") == []


def test_or_it_stays_approved_in_the_platforms_name(batch: Store) -> None:
    decisions.approve(batch, "b", ["c"], "ann")
    read(batch, 1, "mia", "second")
    assert decisions.review_reread(batch, "b", "list") == ["c"]
    now = standing(batch, "b")
    assert now.approvals["c"].actor == "platform"
    assert now.state.approved_on(now.readings) == {"c"}
    assert decisions.review_reread(batch, "b", "list") == []


def test_what_was_read_while_somebody_looked_is_not_approved_unseen(batch: Store) -> None:
    shown = standing(batch, "b").readings
    seen = decisions.newest_decision(batch, "b")
    read(batch, 2, "tom", "second")
    with pytest.raises(
        DecisionError, match=r"c was read again in the meantime \(tom:2:2\). Reload and try again"
    ):
        decisions.approve(batch, "b", ["c"], "ann", seen=seen, shown=shown)
    done = decisions.approve_unmoved(batch, "b", ["c"], "ann", "bulk", seen=seen, shown=shown)
    assert (done.made, done.moved) == ([], {"c": "c was read again in the meantime (tom:2:2)."})
    assert decisions.decisions_of(batch, "b") == []
    decisions.approve(batch, "b", ["c"], "ann", seen=seen, shown=standing(batch, "b").readings)


def test_an_approval_without_a_note_is_taken_to_have_seen_all(batch: Store) -> None:
    [made] = decisions.approve(batch, "b", ["c"], "ann")
    with batch.session() as session:
        session.merge(made).after = {"qc_status": "approved"}
    read(batch, 1, "mia", "second")
    now = standing(batch, "b")
    assert reread(now) == {}
    assert now.state.approved_on(now.readings) == {"c"}


def test_log_and_readings_are_of_one_moment(batch: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody decides and a job is read between the two questions: the snapshot knows neither."""
    decisions.approve(batch, "b", ["c"], "ann")
    counting = readings.counting

    def meanwhile(session, name):
        monkeypatch.setattr(readings, "counting", counting)
        read(batch, 1, "mia", "second")
        decisions.reopen(batch, "b", ["c"], "bob")
        return counting(session, name)

    monkeypatch.setattr(readings, "counting", meanwhile)
    now = standing(batch, "b")
    assert (now.state.approved, now.readings) == ({"c"}, {"c": {"mia:1:1", "tom:2:1"}})
    later = standing(batch, "b")
    assert (later.state.approved, later.readings) == (frozenset(), {"c": {"mia:1:2", "tom:2:1"}})
