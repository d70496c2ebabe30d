"""Moments within questions mean the same on both systems."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select

from ava_core.store import Store, batches, tasks
from ava_core.store.moments import hours_between, utc_day
from ava_core.store.tables import Job, Task

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


def job_with(store: Store, created: datetime | None, completed: datetime | None) -> None:
    batches.add(store, "b", "/in/b.zip", {})
    tasks.put_project(store, 1, "ava")
    job = Job(job_id=1, task_id=1, batch="b", clip_id="c", job_type="annotation", frames=30)
    tasks.put_task(store, Task(task_id=1, project_id=1, name="c", batch="b", clip_id="c"), [job])
    tasks.update_jobs(store, [{"job_id": 1, "created_at": created, "completed_at": completed}])


@pytest.mark.parametrize(
    ("created", "completed", "hours"),
    [
        (MIDNIGHT, MIDNIGHT + timedelta(days=2, minutes=90), 49.5),
        (MIDNIGHT, MIDNIGHT - timedelta(seconds=3), 0.0),
        (MIDNIGHT, None, None),
        (None, MIDNIGHT, None),
    ],
    ids=["later", "clocks differ", "no end", "no beginning"],
)
def test_hours(
    store: Store, created: datetime | None, completed: datetime | None, hours: float | None
) -> None:
    job_with(store, created, completed)
    with store.session() as session:
        found = session.scalar(select(hours_between(Job.created_at, Job.completed_at)))
    assert found == (None if hours is None else pytest.approx(hours, abs=1e-6))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (MIDNIGHT, "2026-03-01"),
        (MIDNIGHT - timedelta(seconds=1), "2026-02-28"),
        (datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2026-02-28"),
        (None, None),
    ],
)
def test_days_are_in_utc(store: Store, moment: datetime | None, day: str | None) -> None:
    job_with(store, None, moment)
    with store.session() as session:
        assert session.scalar(select(utc_day(Job.completed_at))) == day
