"""What a look of a sensor reads is bounded by what changed, however much was done before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from ava_core.annotation.sync import look_at_jobs
from ava_core.store import tasks
from ava_core.store.tables import Batch, Job, Task
from tests.support.dagster_site import DagsterSite
from tests.support.reads import Reads, reading

DRAWN = [{"seed_track": 1, "shapes": [{"frame": n, "box": [1.0, 2.0, 3.0, 4.0]} for n in range(100)]}]
LOOKED = "2026-01-05T10:00:00.000000Z"
FEW, MANY = 40, 400
ROW_BYTES = 100
"""Of a completed job, in a comparison of all that is active: its number, date and batch."""


def plant(site: DagsterSite, batch: str, jobs: int, *, archived: bool = False) -> None:
    """A batch whose jobs are all completed, with what was pre-drawn into them."""
    site.register_batch(batch)
    first = 1 + len(tasks.everything(site.store)) * 10_000
    tasks.put_project(site.store, 1, "ava")
    rows = [
        Job(
            job_id=first + n, task_id=first, batch=batch, clip_id=batch, job_type="annotation", annotator="mia",
            state="completed", frames=450, predrawn=DRAWN, server_updated_at=LOOKED,
        )
        for n in range(jobs)
    ]  # fmt: skip
    tasks.put_task(
        site.store, Task(task_id=first, project_id=1, name=batch, batch=batch, clip_id=batch), rows
    )
    if archived:
        with site.store.session() as session:
            session.execute(
                update(Batch).where(Batch.name == batch).values(archived_at=datetime(2026, 2, 1, tzinfo=UTC))
            )


def look(site: DagsterSite) -> Reads:
    """One comparison of everything by the sensor of batches."""
    with reading(site.store) as read:
        site.tick("batches")
    return read


def test_a_look_at_which_nothing_changed_reads_nothing(site: DagsterSite) -> None:
    plant(site, "north", MANY)
    tick = site.tick("batches")
    for _ in range(3):  # what a look itself writes is a change to the next one
        with reading(site.store) as read:
            tick = site.tick("batches", tick.cursor)
    assert tick.skipped == "No changes."
    assert read == Reads(0, 0)


def test_what_is_archived_is_not_read(site: DagsterSite) -> None:
    plant(site, "north", FEW)
    look(site)
    before = look(site)
    plant(site, "south", MANY, archived=True)
    read = look(site)
    assert (read.rows - before.rows, read.size - before.size) <= (1, len("south")), "its name at most"


def test_a_comparison_reads_little_of_each_completed_job(site: DagsterSite) -> None:
    plant(site, "north", FEW)
    look(site)
    few = look(site)
    plant(site, "south", MANY)
    look(site)
    many = look(site)
    assert few.rows > FEW
    assert many.size - few.size < ROW_BYTES * MANY
    assert len(str(DRAWN)) > 10 * ROW_BYTES, "and none of what is drawn into them"


class Server:
    """An annotation server on which some jobs have changed."""

    url = "http://cvat"

    def __init__(self, changed: range) -> None:
        self.changed = changed

    def jobs_changed_since(self, _: str) -> list[dict[str, Any]]:
        moment = "2026-01-06T10:00:00.000000Z"
        job = {"stage": "annotation", "state": "completed", "updated_date": moment, "assignee": None}
        return [job | {"id": number} for number in self.changed]


@pytest.mark.parametrize("jobs", [FEW, MANY])
def test_a_look_at_the_server_reads_the_jobs_that_changed(site: DagsterSite, jobs: int) -> None:
    plant(site, "north", jobs)
    with reading(site.store) as read:
        look_at_jobs(Server(range(1, 6)), site.store)  # type: ignore[arg-type]
    assert read.rows == 5
    assert read.size < 5 * 4 * ROW_BYTES
