"""Dagster's processes look seldom at what seldom changes."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any
from unittest.mock import Mock

import pytest
import sqlalchemy
from dagster import DagsterInstance
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from dagster._daemon import sensor
from dagster._grpc import server_watcher
from dagster._grpc.client import DagsterGrpcClient

from ava_assets.running.daemon import WATCH_SECONDS, WATCHES, keep_engines, look_calmly, watch_calmly


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


@pytest.mark.parametrize(("look_seconds", "between"), [(15, 7.5), (5, 5), (60, 30)])
def test_sensors_are_gone_through_twice_between_two_of_their_looks(
    monkeypatch: pytest.MonkeyPatch, look_seconds: float, between: float
) -> None:
    monkeypatch.setattr(sensor, "MIN_INTERVAL_LOOP_TIME", sensor.MIN_INTERVAL_LOOP_TIME)
    look_calmly(look_seconds)
    waited, workspace, nobody = list[float](), Mock(), Event()
    workspace.create_request_context().get_code_location_entries.return_value = {}
    workspace.instance.all_instigator_state.return_value = []

    def wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(nobody, "wait", wait)
    loop = sensor.execute_sensor_iteration_loop(workspace, Mock(), nobody)
    while not waited:
        next(loop)
    assert waited == [pytest.approx(between, abs=1)]


def test_the_engine_of_a_database_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[str]()

    def create_engine(url: str, **options: Any) -> Any:
        made.append(url.rpartition("/")[2])
        return sqlalchemy.create_engine(url, **options)

    with DagsterInstance.local_temp(str(tmp_path)) as instance:
        for module in (sqlite_schedule_storage, sqlite_run_storage):
            monkeypatch.setattr(module, "create_engine", create_engine)
        keep_engines()
        for _ in range(3):
            assert not instance.all_instigator_state()
            assert instance.get_runs_count() == 0
    assert sorted(made) == ["runs.db", "schedules.db"]
