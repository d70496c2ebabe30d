"""`ava up` as people run it: real processes, driven over HTTP as Dagster's UI drives them."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from ava_assets.running import services
from ava_core.base.settings import Settings, load_settings
from ava_core.base.storage import Storage
from ava_core.demo.truth import SceneTruth
from ava_core.store import open_store
from ava_core.video.intake.inbox import add_to_inbox
from tests.support.processes import ava_up
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("up")]

PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, subprocess.Popen[bytes]]]:
    """`ava up` in a process of its own, on free ports."""
    settings = load_settings(
        home=tmp_path_factory.mktemp("up"), cvat_port=services.free_port(), dagster_port=services.free_port(),
        console_port=services.free_port(), cvat_poll_seconds=1,
    )  # fmt: skip
    with ava_up(settings) as (process, _):
        yield settings, process


def graphql(settings: Settings, query: str, **variables: Any) -> Any:
    answer = httpx.post(
        f"http://127.0.0.1:{settings.dagster_port}/graphql",
        json={"query": query, "variables": variables},
        timeout=60,
        verify=False,
    ).json()
    assert "errors" not in answer, answer
    return answer["data"]


def test_the_graph_is_shown(up: tuple[Settings, Any]) -> None:
    nodes = graphql(up[0], "{ assetNodes { assetKey { path } description } }")["assetNodes"]
    assert {"source_videos", "cvat_tasks", "annotated_in_cvat", "ava_release"} <= {
        node["assetKey"]["path"][0] for node in nodes
    }


BACKFILL = """
mutation($keys: [String!]!) {
  launchPartitionBackfill(backfillParams: {
    assetSelection: [{path: ["source_videos"]}, {path: ["clips"]}], partitionNames: $keys
  }) { __typename ... on LaunchBackfillSuccess { backfillId } }
}"""

ADD_PARTITION = """
mutation($key: String!) {
  addDynamicPartition(
    partitionsDefName: "video_batch", partitionKey: $key
    repositorySelector: {repositoryLocationName: "ava", repositoryName: "__repository__"}
  ) { __typename }
}"""


@pytest.mark.nightly
def test_a_backfill_over_two_batches(up: tuple[Settings, Any], scenes: tuple[Path, SceneTruth]) -> None:
    """Two batches are registered, and their partitions made and backfilled as the UI does it."""
    settings = up[0]
    store, storage = open_store(settings), Storage(settings.resolved_storage_url)
    videos = {"first": "scene_1.mp4", "second": "scene_2.mp4"}
    for key, name in videos.items():
        add_to_inbox(settings, store, scenes[0].parent / "scenes" / name, name=key)
        graphql(settings, ADD_PARTITION, key=key)
    started = graphql(settings, BACKFILL, keys=list(videos))["launchPartitionBackfill"]
    assert started["__typename"] == "LaunchBackfillSuccess"
    status = "query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"

    def ended() -> str:
        found = graphql(settings, status, id=started["backfillId"])["partitionBackfillOrError"]["status"]
        return found if found not in ("REQUESTED", "IN_PROGRESS") else ""

    assert wait_until(ended, PATIENCE_SECONDS, pause=0.5) == "COMPLETED_SUCCESS"
    for key, name in videos.items():
        assert storage.read_table(storage.table_path(key, "source_videos"))["original_name"].to_list() == [
            name
        ]
        assert storage.read_table(storage.table_path(key, "clips")).height == 1


def test_nothing_listens_beyond_loopback_and_sigterm_ends_everything(
    up: tuple[Settings, subprocess.Popen[bytes]],
) -> None:
    _, process = up
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    assert len(family) >= 4
    listening = [
        connection.laddr.ip
        for one in family
        for connection in one.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert set(listening) <= {"127.0.0.1", "::1"}
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []
