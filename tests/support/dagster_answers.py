"""Answers as Dagster's GraphQL gives them, for a client that reaches no server."""

from __future__ import annotations

import json
from typing import Any

import httpx

from ava_ui.dagster.client import DagsterClient

REPOSITORY = {
    "workspaceOrError": {"__typename": "Workspace", "locationEntries": [{
        "name": "x", "locationOrLoadError": {
            "__typename": "RepositoryLocation", "name": "ava_assets.definitions", "repositories": [{"name": "r"}],
        },
    }]},
}  # fmt: skip

RUN = {
    "runId": "1", "status": "FAILURE", "jobName": "video_to_tasks", "creationTime": 10.0, "startTime": 11.0,
    "endTime": 15.5, "tags": [{"key": "dagster/partition", "value": "street"}],
    "assetSelection": [{"path": ["clips"]}],
}  # fmt: skip


def answering(answers: dict[str, Any], asked: list[dict[str, Any]] | None = None) -> DagsterClient:
    """A client of a Dagster that answers each operation as given."""

    def handle(request: httpx.Request) -> httpx.Response:
        content = json.loads(request.content)
        operation = content["query"].split("{")[0].split("(")[0].split()[1]
        if asked is not None:
            asked.append({"operation": operation} | content["variables"])
        return httpx.Response(200, json={"data": answers[operation]})

    return DagsterClient("http://dagster", httpx.MockTransport(handle))
