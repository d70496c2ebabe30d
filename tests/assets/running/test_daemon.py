"""Dagster's processes ask the code server seldom whether it is new."""

from __future__ import annotations

from typing import Any

import pytest
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._grpc import server_watcher
from dagster._grpc.client import DagsterGrpcClient

from ava_assets.running.daemon import WATCH_SECONDS, WATCHES, watch_calmly


class Server(DagsterGrpcClient):
    """A code server that answers so often, then never; it is also the clock of whoever watches it."""

    def __init__(self, answers: int) -> None:
        self.answers, self.waited, self.given_up = answers, list[float](), list[str]()

    def get_server_id(self, timeout: int | None = None) -> str:
        self.answers -= 1
        if self.answers < 0:
            raise DagsterUserCodeUnreachableError("away")
        return "one"

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)

    def is_set(self) -> bool:
        return bool(self.given_up)


def test_the_code_server_is_asked_every_few_seconds_and_given_up_as_soon_as_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("WATCH_INTERVAL", "MAX_RECONNECT_ATTEMPTS"):
        monkeypatch.setattr(server_watcher, name, getattr(server_watcher, name))
    usual = server_watcher.WATCH_INTERVAL * server_watcher.MAX_RECONNECT_ATTEMPTS
    watch_calmly()
    server: Any = Server(answers=3)
    nothing = lambda *names: None  # noqa: E731
    server_watcher.watch_grpc_server_thread(
        "ava", server, server, get_location_entry=nothing, refresh_code_location=nothing,
        on_disconnect=nothing, on_reconnected=nothing, on_updated=nothing, on_error=server.given_up.append,
    )  # fmt: skip
    *waited, on_leaving = server.waited
    assert waited == [on_leaving] * (3 + WATCHES) == [WATCH_SECONDS] * (3 + WATCHES)
    assert usual == WATCH_SECONDS * WATCHES
