"""What a batch needs next follows from what there is: never from what happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from ava_core import decisions
from ava_core.base.settings import Settings
from ava_core.operations.needs import (
    CONSENSUS_ASSETS,
    LONGEST_UNREAD_SECONDS,
    LONGEST_WAIT_SECONDS,
    QUIET_SECONDS,
    READING_ASSETS,
    VIDEO_ASSETS,
    Need,
    consensus_state,
    may_wait,
    needs,
    reading_state,
    wait_seconds,
)
from ava_core.store import Store, batches, made_of, tasks
from ava_core.store.tables import Job, Task

BATCH, JOBS = "b", (11, 12)


@pytest.fixture
def batch(store: Store) -> str:
    """A batch whose one clip has a task with two jobs; nothing is completed."""
    batches.add(store, BATCH, "/inbox/b.zip", {})
    for asset in (*VIDEO_ASSETS, "cvat_tasks"):
        made_of.note(store, BATCH, asset)
    tasks.put_project(store, 1, "ava")
    jobs = [
        Job(job_id=job, task_id=1, batch=BATCH, clip_id="c", annotator=f"a{job}", stage="annotation", state="new",
            job_type="consensus_replica", frames=10, server_updated_at="2026-01-05T10:00:00Z")
        for job in JOBS
    ]  # fmt: skip
    tasks.put_task(store, Task(task_id=1, project_id=1, name="c", batch=BATCH, clip_id="c"), jobs)
    return BATCH


def complete(store: Store, job: int, moment: str = "2026-01-05T11:00:00Z") -> None:
    tasks.update_jobs(store, [{"job_id": job, "state": "completed", "server_updated_at": moment}])


def need(store: Store, settings: Settings) -> Need | None:
    return needs(store, settings).get(BATCH)


def read(store: Store) -> None:
    for asset in READING_ASSETS:
        made_of.note(store, BATCH, asset, reading_state(store, BATCH))


def form(store: Store) -> None:
    state = consensus_state(reading_state(store, BATCH), decisions.newest_decision(store, BATCH))
    for asset in CONSENSUS_ASSETS:
        made_of.note(store, BATCH, asset, state)


def test_video_is_made_from_the_first_asset_that_is_missing(store: Store, settings: Settings) -> None:
    batches.add(store, BATCH, "/inbox/b.zip", {})
    for asset in ("source_videos", "clips"):
        made_of.note(store, BATCH, asset)
    found = need(store, settings)
    assert found is not None
    assert found.assets == ("tracks", "dense_proposals", "cvat_tasks")


def test_tasks_wait_for_whoever_has_seen_the_plan(store: Store, settings: Settings) -> None:
    batches.add(store, BATCH, "/inbox/b.zip", {"deal_out": "on request"})
    for asset in VIDEO_ASSETS:
        made_of.note(store, BATCH, asset)
    assert need(store, settings) is None


def test_tasks_that_were_begun_are_finished(batch: str, store: Store, settings: Settings) -> None:
    """Somebody dealt the batch out, and the run was lost half-way."""
    batches.set_options(store, batch, {"deal_out": "on request"})
    with store.session() as session:
        session.execute(made_of.MadeOf.__table__.delete().where(made_of.MadeOf.asset == "cvat_tasks"))
    found = need(store, settings)
    assert found is not None
    assert found.assets == ("cvat_tasks",)


def test_completed_work_is_read_and_measured_in_one_run(batch: str, store: Store, settings: Settings) -> None:
    assert need(store, settings) is None
    complete(store, 11)
    some = need(store, settings)
    assert some is not None
    assert (some.stage, some.assets, some.complete) == ("reading", READING_ASSETS, False)
    complete(store, 12)
    everything = need(store, settings)
    assert everything is not None
    assert everything.complete, "nothing more is to come"
    read(store)
    assert need(store, settings) is None


def test_work_that_is_done_again_is_read_again(batch: str, store: Store, settings: Settings) -> None:
    for job in JOBS:
        complete(store, job)
    read(store)
    complete(store, 12, "2026-01-06T09:00:00Z")
    found = need(store, settings)
    assert found is not None
    assert found.stage == "reading"


def test_a_run_that_was_lost_between_two_assets_is_found(
    batch: str, store: Store, settings: Settings
) -> None:
    complete(store, 11)
    made_of.note(store, BATCH, "raw_annotations", reading_state(store, BATCH))
    found = need(store, settings)
    assert found is not None
    assert found.stage == "reading"


def test_consensus_follows_decisions_and_readings(batch: str, store: Store, settings: Settings) -> None:
    for job in JOBS:
        complete(store, job)
    read(store)
    decisions.approve(store, BATCH, ["c"], "ann")
    found = need(store, settings)
    assert found is not None
    assert (found.stage, found.assets) == ("consensus", CONSENSUS_ASSETS)
    form(store)
    assert need(store, settings) is None
    decisions.reopen(store, BATCH, ["c"], "ann")
    assert need(store, settings) is not None, "a newer decision"
    form(store)
    complete(store, 12, "2026-01-06T09:00:00Z")
    read(store)
    found = need(store, settings)
    assert found is not None
    assert found.stage == "consensus", "a newer reading"


def test_more_work_is_waited_for_but_not_for_ever(tmp_path: Path) -> None:
    open_work = Need(BATCH, "reading", READING_ASSETS, "x", "", complete=False)
    assert may_wait(open_work, since=100, first=100, now=100 + QUIET_SECONDS - 1)
    assert not may_wait(open_work, since=100, first=100, now=100 + QUIET_SECONDS)
    late = 100 + LONGEST_UNREAD_SECONDS
    assert not may_wait(open_work, since=late - 1, first=100, now=late), "somebody completes job after job"
    assert not may_wait(Need(BATCH, "reading", READING_ASSETS, "x", ""), since=100, first=100, now=100)


def test_each_try_waits_longer_up_to_an_hour() -> None:
    waits = [wait_seconds(tries) for tries in range(1, 20)]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_SECONDS
