"""What is asked of Dagster shows at once, and is asked once, whichever tab it is asked from."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from ava_core.store import batches
from ava_ui.elements.ask_button import WAITING
from tests.support.dagster_answers import REPOSITORY, RUN
from tests.support.site import Site
from tests.support.street import BATCH
from tests.support.waiting import eventually

NONE: dict[str, Any] = {
    "Runs": {"runsOrError": {"__typename": "Runs", "results": []}},
    "Backfills": {"partitionBackfillsOrError": {"__typename": "PartitionBackfills", "results": []}},
    "Workspace": REPOSITORY,
    "Add": {"addDynamicPartition": {"__typename": "DuplicateDynamicPartitionError"}},
    "Backfill": {"launchPartitionBackfill": {"__typename": "LaunchBackfillSuccess", "backfillId": "abc"}},
    "Retry": {"launchRunReexecution": {"__typename": "LaunchRunSuccess", "run": {"runId": "2"}}},
}


@dataclass
class SlowDagster:
    """Answers questions at once, and what it is asked to do when it may."""

    answers: dict[str, Any]
    may_do: asyncio.Event = field(default_factory=asyncio.Event)
    done: list[str] = field(default_factory=list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        operation = json.loads(request.content)["query"].split("{")[0].split("(")[0].split()[1]
        if operation in ("Backfill", "Retry"):
            self.done.append(operation)
            await self.may_do.wait()
        return httpx.Response(200, json={"data": self.answers[operation]})


@pytest.fixture
def dagster(site: Site) -> Iterator[SlowDagster]:
    """In the place of the console's Dagster."""
    slow = SlowDagster(dict(NONE))
    site.console.dagster.transport = httpx.MockTransport(slow)
    yield slow
    slow.may_do.set()


async def test_processing_says_that_it_was_asked_for_and_is_asked_once(
    site: Site, dagster: SlowDagster
) -> None:
    adam, other_tab = site.enter("adam"), site.enter("adam")
    for tab in (adam, other_tab):
        await tab.open(f"/batches/{BATCH}")
        await tab.should_see(marker="process", retries=50)
    adam.find(marker="process").click()
    await adam.should_see(WAITING, retries=50)
    (button,) = adam.find(marker="process").elements
    assert not button.enabled  # type: ignore[attr-defined]
    other_tab.find(marker="process").click()
    await other_tab.should_see("adam asked for source_videos", retries=50)
    dagster.may_do.set()
    await eventually(lambda: button.enabled)  # type: ignore[attr-defined]
    assert dagster.done == ["Backfill"]
    await adam.should_see(marker="asked", retries=100)


async def test_a_failed_run_is_retried_once(site: Site, dagster: SlowDagster) -> None:
    failed = {"__typename": "EventConnection", "events": [], "cursor": "", "hasMore": False}
    dagster.answers |= {
        "Runs": {"runsOrError": {"__typename": "Runs", "results": [RUN]}}, "Failure": {"logsForRun": failed},
        "Logs": {"logsForRun": failed},
    }  # fmt: skip
    adam, other_tab = site.enter("adam"), site.enter("adam")
    for tab in (adam, other_tab):
        await tab.open("/runs/1")
        await tab.should_see(marker="retry", retries=50)
    adam.find(marker="retry").click()
    await adam.should_see(WAITING, retries=50)
    other_tab.find(marker="retry").click()
    await other_tab.should_see("it waits for Dagster", retries=50)
    assert dagster.done == ["Retry"]


async def test_an_archived_batch_is_asked_nothing_of_and_its_failure_waits_for_nobody(
    site: Site, dagster: SlowDagster
) -> None:
    failed = {"__typename": "EventConnection", "events": [], "cursor": "", "hasMore": False}
    run = RUN | {"status": "FAILURE", "endTime": 20.0, "tags": [{"key": "dagster/partition", "value": BATCH}]}
    dagster.answers |= {
        "Runs": {"runsOrError": {"__typename": "Runs", "results": [run]}}, "Failure": {"logsForRun": failed},
        "Logs": {"logsForRun": failed},
    }  # fmt: skip
    await site.console.runs.look()
    adam = site.enter("adam")
    await adam.open(f"/batches/{BATCH}")
    await adam.should_see(marker="process", retries=50)
    batches.set_archived(site.console.store, BATCH, True)
    for button in ("process", "retry"):
        await adam.should_see(marker=button, retries=50)
        adam.find(marker=button).click()
    await adam.should_see("Batch street is in the archive.", retries=50)
    batches.add(site.console.store, "other", "/in/other.zip", {})
    site.console.counts.refresh()
    await adam.open("/")
    await adam.should_see("Nothing to do.", retries=50)
    await adam.should_see("Running and failed", retries=50)
    await adam.should_not_see(marker="retry", retries=2)
    assert dagster.done == []


async def test_a_backfill_that_failed_although_its_runs_went_well_says_so(
    site: Site, dagster: SlowDagster
) -> None:
    failed = {
        "id": "abc", "status": "FAILED", "timestamp": 10.0, "numPartitions": 1, "assetSelection": [{"path": ["clips"]}],
        "error": {"message": "a code location was away\n"}, "assetBackfillData": None,
    }  # fmt: skip
    dagster.answers |= {
        "Backfills": {"partitionBackfillsOrError": {"__typename": "PartitionBackfills", "results": [failed]}},
        "Runs": {"runsOrError": {"__typename": "Runs", "results": [RUN | {"status": "SUCCESS"}]}},
    }
    vera = site.enter("vera")
    await vera.open("/batches")
    await vera.should_see("every batch was processed; you need not do anything.", retries=50)
    await vera.should_see("Dagster stopped it: a code location was away")
