"""The sensor of batches: asks for what is missing or behind, once, again where it failed, never beside another run."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.tags import WILL_RETRY_TAG
from dagster._core.test_utils import create_run_for_test

from ava_assets import needs
from ava_core.operations.needs import FIRST_WAIT_SECONDS, VIDEO_ASSETS, in_words
from ava_core.store import batch_needs, batches, made_of
from tests.support.dagster_site import DagsterSite, Tick

BATCH = "b"


class Clock:
    """The sensor's own time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = needs.time.time()
        monkeypatch.setattr(needs.time, "time", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def look(site: DagsterSite) -> Tick:
    """A look that compares, whether anything seems to have changed or not."""
    return site.tick("batches")


def run_of(site: DagsterSite, status: dg.DagsterRunStatus, **tags: str) -> Any:
    """A run of the batch, as the daemon would have made it."""
    return create_run_for_test(
        site.instance, "video_to_tasks", status=status, tags={"dagster/partition": BATCH, **tags}
    )


def test_what_is_missing_is_asked_for_once(site: DagsterSite, clock: Clock) -> None:
    site.register_batch(BATCH)
    [request] = look(site).run_requests
    assert request.partition_key == BATCH
    assert [key.to_user_string() for key in request.asset_selection or []] == [*VIDEO_ASSETS, "cvat_tasks"]
    assert look(site).run_requests == []


def test_a_launch_that_was_lost_is_asked_for_again(site: DagsterSite, clock: Clock) -> None:
    site.register_batch(BATCH)
    [first] = look(site).run_requests
    clock.now += FIRST_WAIT_SECONDS
    [second] = look(site).run_requests
    assert first.run_key != second.run_key, "Dagster never makes two runs of one key"
    clock.now += FIRST_WAIT_SECONDS
    assert look(site).run_requests == [], "each time it waits longer"
    clock.now += FIRST_WAIT_SECONDS
    assert len(look(site).run_requests) == 1


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
def test_a_batch_has_one_run_at_a_time_whoever_started_it(
    site: DagsterSite, clock: Clock, status: dg.DagsterRunStatus
) -> None:
    site.register_batch(BATCH)
    run_of(site, status)
    assert look(site).run_requests == []


def test_a_lost_run_that_dagster_starts_again_is_left_to_it(site: DagsterSite, clock: Clock) -> None:
    site.register_batch(BATCH)
    look(site)
    run = run_of(site, dg.DagsterRunStatus.STARTED)
    site.instance.report_run_failed(run, "The run's process is gone.")
    site.instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: "true"})
    clock.now += 2 * FIRST_WAIT_SECONDS
    assert look(site).run_requests == []
    clock.now += needs.RETRY_SECONDS
    assert len(look(site).run_requests) == 1, "but not for ever"


def test_why_it_failed_and_when_it_is_tried_again_is_said(site: DagsterSite, clock: Clock) -> None:
    site.register_batch(BATCH)
    look(site)
    run = run_of(site, dg.DagsterRunStatus.STARTED)
    site.instance.report_run_failed(run, "The disk is full.")
    site.instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: "false"})
    look(site)
    row = batch_needs.known(site.store)[BATCH]
    assert in_words(row, clock.now) == "The disk is full. Tried 1 time, again in 1 minute."


def test_a_run_that_somebody_ended_waits_for_somebody(site: DagsterSite, clock: Clock) -> None:
    site.register_batch(BATCH)
    look(site)
    site.instance.report_run_canceled(run_of(site, dg.DagsterRunStatus.STARTED))
    clock.now += 1_000_000
    assert look(site).run_requests == []
    row = batch_needs.known(site.store)[BATCH]
    assert in_words(row, clock.now) == "A user stopped its run. Tried 1 time; check it by hand."


def test_an_archived_batch_needs_nothing(site: DagsterSite, clock: Clock) -> None:
    site.register_batch(BATCH)
    batches.set_archived(site.store, BATCH, True)
    assert look(site).run_requests == []
    batches.set_archived(site.store, BATCH, False)
    assert len(look(site).run_requests) == 1


def test_a_batch_of_the_same_name_is_asked_for_anew(site: DagsterSite, clock: Clock) -> None:
    site.register_batch(BATCH)
    [before] = look(site).run_requests
    with site.store.session() as session:
        session.delete(batches.get(site.store, BATCH))
    look(site)
    clock.now += 5
    site.register_batch(BATCH)
    [after] = look(site).run_requests
    assert before.run_key != after.run_key


def test_a_look_costs_nothing_where_nothing_has_changed(
    site: DagsterSite, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.register_batch(BATCH)
    for asset in (*VIDEO_ASSETS, "cvat_tasks"):
        made_of.note(site.store, BATCH, asset)
    cursor = look(site).cursor
    cursor = site.tick("batches", cursor).cursor  # its own notes were a change
    compared: list[int] = []
    monkeypatch.setattr(needs, "compare", lambda *given: compared.append(1) or needs.Asked(clock.now + 60))
    assert site.tick("batches", cursor).skipped == "No changes."
    site.register_batch("another")
    site.tick("batches", cursor)
    assert compared == [1], "whatever is written is seen"
    clock.now += needs.ALL_AGAIN_SECONDS
    site.tick("batches", cursor)
    assert compared == [1, 1], "and a while later in any case"


def test_a_clock_that_was_set_back_delays_nothing(site: DagsterSite, clock: Clock) -> None:
    site.register_batch(BATCH)
    look(site)
    clock.now -= 1_000_000
    assert look(site).run_requests == []
    clock.now += FIRST_WAIT_SECONDS
    assert len(look(site).run_requests) == 1
