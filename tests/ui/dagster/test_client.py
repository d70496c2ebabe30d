"""What the console asks of Dagster, held to the pinned version's own schema, and how it reads the answers."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from dagster_graphql.schema import create_schema
from graphql import parse, validate

from ava_ui.dagster import queries
from ava_ui.dagster.client import UNKNOWN_CURE, DagsterClient, DagsterError
from tests.support.dagster_answers import REPOSITORY, RUN, answering

QUERIES = {
    name: text
    for name, text in vars(queries).items()
    if isinstance(text, str) and text.strip().startswith(("query", "mutation"))
}


@pytest.fixture(scope="module")
def schema() -> Any:
    """Dagster's schema as graphql-core knows it."""
    return create_schema().graphql_schema


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_fits_the_schema(schema: Any, name: str) -> None:
    assert validate(schema, parse(QUERIES[name])) == []


async def test_runs_are_read() -> None:
    asked: list[dict[str, Any]] = []
    client = answering({"Runs": {"runsOrError": {"__typename": "Runs", "results": [RUN]}}}, asked)
    (run,) = await client.runs(batch="street", statuses=["FAILURE"])
    assert (run.batch, run.assets, run.seconds, run.is_over) == ("street", ("clips",), 4.5, True)
    assert asked[0]["filter"] == {
        "tags": [{"key": "dagster/partition", "value": "street"}],
        "statuses": ["FAILURE"],
    }


async def test_processing_makes_the_partition_first() -> None:
    asked: list[dict[str, Any]] = []
    answers = {
        "Workspace": REPOSITORY,
        "Add": {"addDynamicPartition": {"__typename": "DuplicateDynamicPartitionError"}},
        "Backfill": {"launchPartitionBackfill": {"__typename": "LaunchBackfillSuccess", "backfillId": "abc"}},
    }
    assert await answering(answers, asked).process(["a", "b"], ["clips"]) == "abc"
    assert [entry["operation"] for entry in asked] == ["Workspace", "Add", "Add", "Backfill"]
    assert asked[-1]["params"]["partitionNames"] == ["a", "b"]


async def test_a_removed_batch_loses_its_partition() -> None:
    asked: list[dict[str, Any]] = []
    done = {"deleteDynamicPartitions": {"__typename": "DeleteDynamicPartitionsSuccess"}}
    await answering({"Workspace": REPOSITORY, "Delete": done}, asked).remove_batch("north")
    assert (asked[-1]["operation"], asked[-1]["key"]) == ("Delete", "north")


async def test_the_cause_of_a_failure_is_told() -> None:
    event = {
        "__typename": "ExecutionStepFailureEvent", "stepKey": "clips",
        "error": {"message": "DagsterExecutionStepExecutionError", "cause": {"message": "a.mp4: no frames\n"}},
    }  # fmt: skip
    page = {"__typename": "EventConnection", "events": [event], "cursor": "9", "hasMore": False}
    client = answering({"Failure": {"logsForRun": page}})
    assert await client.failure("1") == f"clips: a.mp4: no frames {UNKNOWN_CURE}"


async def test_of_several_errors_the_first_is_told_with_its_own_cure_and_what_was_tried_again_is_none() -> (
    None
):
    def event(kind: str, step: str, message: str) -> dict[str, Any]:
        return {
            "__typename": kind,
            "stepKey": step,
            "message": "",
            "error": {"message": message, "cause": None},
        }

    ours = "ava_core.base.errors.MediaError: a.mp4 has no frames. Copy it again.\n"
    events = [
        {"__typename": "LogMessageEvent", "stepKey": "clips", "message": "clips: 3/7 clips"},
        event("ExecutionStepUpForRetryEvent", "clips", "TimeoutError"),
        event("ExecutionStepFailureEvent", "clips", ours),
        event("ExecutionStepFailureEvent", "tracks", "KeyError: 'clips'"),
    ]
    page = {"__typename": "EventConnection", "events": events, "cursor": "9", "hasMore": False}
    client = answering({"Failure": {"logsForRun": page}})
    assert await client.failure("1") == "clips: a.mp4 has no frames. Copy it again."


async def test_whether_it_is_over_is_told_of_runs_and_backfills() -> None:
    runs = {"runsOrError": {"__typename": "Runs", "results": [RUN]}}
    none = {"runsOrError": {"__typename": "Runs", "results": []}}
    row = {"id": "abc", "status": "REQUESTED", "timestamp": 10.0, "numPartitions": 1, "assetSelection": [],
           "error": None, "assetBackfillData": None}  # fmt: skip
    backfills = {"partitionBackfillsOrError": {"__typename": "PartitionBackfills", "results": [row]}}
    assert await answering({"Runs": runs}).is_over("1")
    assert not await answering({"Runs": none, "Backfills": backfills}).is_over("abc")
    assert await answering({"Runs": none, "Backfills": backfills}).is_over("gone")


async def test_a_failure_after_many_lines_is_found() -> None:
    failed = {"__typename": "RunFailureEvent", "message": "out of memory"}
    pages = {None: ([], True), "1": ([failed], False)}

    def handle(request: httpx.Request) -> httpx.Response:
        events, more = pages[json.loads(request.content)["variables"]["cursor"]]
        page = {"__typename": "EventConnection", "events": events, "cursor": "1", "hasMore": more}
        return httpx.Response(200, json={"data": {"logsForRun": page}})

    client = DagsterClient("http://dagster", httpx.MockTransport(handle))
    assert await client.failure("1") == f"out of memory {UNKNOWN_CURE}"


async def test_backfills_are_read_and_cancelled() -> None:
    asked: list[dict[str, Any]] = []
    counts = {"__typename": "AssetPartitionsStatusCounts", "numPartitionsTargeted": 3}
    row = {
        "id": "abc", "status": "REQUESTED", "title": "", "timestamp": 10.0, "endTimestamp": None, "numPartitions": 3,
        "assetSelection": [{"path": ["clips"]}, {"path": ["tracks"]}], "error": None,
        "assetBackfillData": {"assetBackfillStatuses": [
            counts | {"numPartitionsMaterialized": 3, "numPartitionsFailed": 0},
            counts | {"numPartitionsMaterialized": 1, "numPartitionsFailed": 1},
        ]},
    }  # fmt: skip
    answers = {
        "Backfills": {"partitionBackfillsOrError": {"__typename": "PartitionBackfills", "results": [row]}},
        "Cancel": {"cancelPartitionBackfill": {"__typename": "CancelBackfillSuccess"}},
    }
    client = answering(answers, asked)
    (backfill,) = await client.backfills()
    assert (backfill.batches, backfill.done, backfill.failed, backfill.is_over) == (3, 1, 1, False)
    await client.cancel_backfill("abc")
    assert asked[-1] == {"operation": "Cancel", "backfillId": "abc"}


async def test_a_refusal_is_an_error_for_people() -> None:
    refused = {
        "launchRun": {"__typename": "RunConfigValidationInvalid", "errors": [{"message": "no such field"}]}
    }
    with pytest.raises(DagsterError, match="no such field"):
        await answering({"Workspace": REPOSITORY, "Launch": refused}).make_release({"nmae": "v1"})


async def test_a_dagster_that_is_away_is_an_error_for_people() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(DagsterError, match="is not responding at http://dagster") as away:
        await DagsterClient("http://dagster", httpx.MockTransport(handle)).version()
    assert "ava up" in away.value.cure


async def test_code_that_does_not_load_is_told() -> None:
    broken = {"name": "ava", "locationOrLoadError": {"__typename": "PythonError", "message": "SyntaxError"}}
    client = answering(
        {"Workspace": {"workspaceOrError": {"__typename": "Workspace", "locationEntries": [broken]}}}
    )
    with pytest.raises(DagsterError, match="cannot load ava: SyntaxError"):
        await client.add_batch("street")
