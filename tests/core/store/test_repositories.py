"""What is kept about batches, annotators, jobs, readings and webhook events."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from sqlalchemy import select

from ava_core.base.errors import InputError
from ava_core.store import Store, annotators, audit_log, batches, readings, tasks, webhook_events
from ava_core.store.tables import Job, Task

SHAPE = {
    "track_id": 1, "frame": 0, "xtl": 1.0, "ytl": 2.0, "xbr": 3.0, "ybr": 4.0, "outside": False,
    "attributes": {"posture": "upright"},
}  # fmt: skip


@pytest.fixture
def with_job(store: Store) -> Store:
    """A batch with one task of two annotators."""
    batches.add(store, "b", "/inbox/b.zip", {"detector": "motion"})
    tasks.put_project(store, 1, "ava")
    tasks.put_task(store, _task(), [_job(100, "mia"), _job(101, "tom"), _job(99, "")])
    return store


def _task() -> Task:
    return Task(task_id=10, project_id=1, name="c", batch="b", clip_id="c")


def _job(job_id: int, annotator: str, **more: Any) -> Job:
    return Job(
        job_id=job_id, task_id=10, batch="b", clip_id="c", job_type="consensus_replica", annotator=annotator,
        frames=450, predrawn=[], **more,
    )  # fmt: skip


def test_a_batch_is_added_once(store: Store) -> None:
    batches.add(store, "one", "/x.zip", {"overlap": 0.2})
    with pytest.raises(InputError, match="already exists"):
        batches.add(store, "one", "/y.zip", {})
    assert batches.get(store, "one").options == {"overlap": 0.2}
    assert batches.names(store) == ["one"]


def test_an_unknown_batch_names_the_cure(store: Store) -> None:
    with pytest.raises(InputError, match="ava batch list"):
        batches.get(store, "nothing")


def test_only_active_unpaused_annotators_get_work(store: Store) -> None:
    for name in ("mia", "tom", "zoe"):
        annotators.put(store, name)
    annotators.set_state(store, "tom", paused=True)
    annotators.set_state(store, "zoe", active=False, capacity=3)
    assert [person.username for person in annotators.available(store)] == ["mia"]
    annotators.put(store, "zoe")
    assert [person.username for person in annotators.available(store)] == ["mia", "zoe"]


def test_annotators_are_found_by_their_whole_name_only(store: Store) -> None:
    annotators.put(store, "maria")
    with pytest.raises(InputError, match="exactly"):
        annotators.set_state(store, "mari", paused=True)


def test_done_means_completed_by_an_annotator(with_job: Store) -> None:
    tasks.update_jobs(with_job, [
        {"job_id": 100, "state": "completed"},
        {"job_id": 101, "state": "new", "stage": "validation"},
        {"job_id": 99, "state": "completed"},
    ])  # fmt: skip
    assert [job.job_id for job in tasks.completed_jobs(with_job, "b")] == [100]
    assert tasks.job_counts(with_job, "b") == tasks.JobCounts(tasks=1, jobs=2, completed=1)
    assert tasks.workload(with_job) == {"mia": (1, 1), "tom": (1, 0)}


def test_a_task_is_completed_when_all_annotators_are(with_job: Store) -> None:
    tasks.update_jobs(with_job, [{"job_id": 100, "state": "completed"}])
    tasks.note_retrieval(with_job, [10])
    [task] = tasks.tasks_of(with_job, "b")
    assert task.retrieved_at is not None
    assert (task.status, task.qc_status) == ("annotation", "pending")
    tasks.update_jobs(with_job, [{"job_id": 101, "state": "completed"}])
    tasks.note_retrieval(with_job, [10])
    assert tasks.tasks_of(with_job, "b")[0].status == "completed"


def _read(store: Store, content_hash: str, shapes: list[dict[str, Any]]) -> int:
    reading = readings.append(
        store, job_id=100, task_id=10, annotator="mia", server_updated_at="t", content_hash=content_hash, shapes=shapes
    )  # fmt: skip
    return reading.version


def test_readings_are_versions_and_the_same_content_makes_none(with_job: Store) -> None:
    versions = [
        _read(with_job, "a", [SHAPE]),
        _read(with_job, "a", [SHAPE]),
        _read(with_job, "b", [SHAPE, SHAPE | {"frame": 30}]),
    ]
    assert versions == [1, 1, 2]
    latest = readings.latest(with_job, [100, 101])
    assert list(latest) == [100]
    kept = readings.shapes_of(with_job, latest[100].reading_id)
    assert kept == [SHAPE, SHAPE | {"frame": 30}]


def test_a_reading_that_is_held_does_not_count_until_somebody_takes_it_up(with_job: Store) -> None:
    def counts() -> int:
        return readings.latest(with_job, [100])[100].version

    given = {"job_id": 100, "task_id": 10, "annotator": "mia", "server_updated_at": "t"}
    readings.append_all(with_job, [given | {"content_hash": "a", "shapes": [SHAPE]}])
    readings.append_all(with_job, [given | {"content_hash": "b", "shapes": [], "held": "It has lost all."}])
    assert counts() == 1
    assert readings.latest(with_job, [100], held=True)[100].version == 2
    before = readings.judged(with_job)
    readings.take_up(with_job, 100, 2, "ann")
    assert counts() == 2
    after = readings.judged(with_job)
    readings.take_up(with_job, 100, 1, "ann")
    assert counts() == 1
    assert len({str(judged) for judged in (before, after, readings.judged(with_job))}) == 3
    assert [(one.version, one.held) for one in readings.versions(with_job, 100)] == [
        (1, ""), (2, "ann took version 1 up instead"),
    ]  # fmt: skip
    assert [entry.action for entry in audit_log.newest(with_job)] == ["take_up_reading"] * 2
    with pytest.raises(InputError, match=r"Job 100 has no version 9\. It has 1, 2\."):
        readings.take_up(with_job, 100, 9, "ann")


def test_the_same_content_keeps_its_author(with_job: Store) -> None:
    given = {"job_id": 100, "task_id": 10, "server_updated_at": "t", "content_hash": "a", "shapes": [SHAPE]}
    for name in ("mia", "tom"):
        readings.append_all(with_job, [given | {"annotator": name}])
    assert [(one.version, one.annotator) for one in readings.versions(with_job, 100)] == [(1, "mia")]


def test_a_webhook_event_is_kept_once_however_often_it_comes(store: Store) -> None:
    event: dict[str, Any] = {"digest": "d1", "event": "update:job", "job_id": 5, "payload": {"n": 1}}
    with store.session() as session:
        assert webhook_events.keep(session, [event]) == [True]
    with store.session() as session:
        other = event | {"digest": "d2"}
        assert webhook_events.keep(session, [event, other, event, other]) == [False, True, False, False]
    kept = webhook_events.after(store, 0)
    assert [(e.digest, e.deliveries) for e in kept] == [("d1", 3), ("d2", 2)]
    assert webhook_events.after(store, kept[-1].event_id) == []


def test_who_did_what_is_recorded(store: Store) -> None:
    audit_log.note(store, "admin", "approve", "clip", batch="b")
    assert [(entry.actor, entry.action, entry.detail) for entry in audit_log.newest(store)] == [
        ("admin", "approve", {"batch": "b"})
    ]


def test_a_job_and_a_question_to_the_database_agree_on_what_is_done_and_whose_it_is(with_job: Store) -> None:
    stages, states = (
        ("annotation", "validation", "acceptance"),
        ("new", "in progress", "completed", "rejected"),
    )
    moments = (None, datetime(2026, 11, 22, tzinfo=UTC))
    expected = set()
    for number, (stage, state, moment) in enumerate(product(stages, states, moments)):
        job = {"stage": stage, "state": state, "completed_at": moment}
        moved_on = stage != "annotation" and state in ("new", "in progress") and moment is not None
        expected |= {200 + number, 300 + number} if state == "completed" or moved_on else set()
        tasks.put_task(with_job, _task(), [_job(200 + number, "mia", **job), _job(300 + number, "", **job)])
    with with_job.session() as session:
        everything = list(session.scalars(select(Job)))
        done = set(session.scalars(select(Job.job_id).where(Job.is_done)))
        own = set(session.scalars(select(Job.job_id).where(Job.of_annotator)))
    assert done == {job.job_id for job in everything if job.is_done} == expected
    assert own == {job.job_id for job in everything if job.of_annotator}
    assert {job.annotator for job in everything if job.job_id in own} == {"mia", "tom"}


def test_what_an_annotator_labels_next_is_their_own_and_open(store: Store) -> None:
    batches.add(store, "b", "/inbox/b.zip", {"detector": "motion"})
    tasks.put_project(store, 1, "ava")
    given = {
        100: ("mia", "new"), 101: ("tom", "new"), 102: ("mia", "in progress"), 103: ("mia", "rejected"),
        104: ("mia", "completed"), 105: ("tom", "completed"), 106: ("", "new"),
    }  # fmt: skip
    jobs = [_job(number, name, state=state) for number, (name, state) in given.items()]
    tasks.put_task(store, _task(), jobs)

    def following(annotator: str, after: int) -> list[int]:
        return [job.job_id for job in tasks.next_jobs(store, annotator, after)]

    assert following("mia", 100) == [103, 102]
    assert following("mia", 103) == [102, 100]
    assert following("tom", 105) == [101]
    assert following("tom", 101) == []
