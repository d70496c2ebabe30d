"""Web servers that wake up seldom still end when they are told to, and still say what time it is."""

from __future__ import annotations

import asyncio

import pytest
import uvicorn

from ava_core.annotation_server import __main__ as annotation_server
from ava_core.base import seldom_awake


async def _nothing(*_: object) -> None: ...


@pytest.mark.parametrize("module", [seldom_awake, annotation_server], ids=lambda module: module.__name__)
async def test_each_look_renews_the_time_and_the_last_ends_it(
    module: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, waited = uvicorn.Server(uvicorn.Config(_nothing)), list[float]()
    server.config.load()

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        assert server.server_state.default_headers, "the time"
        server.server_state.default_headers = []
        server.should_exit = len(waited) == 3

    monkeypatch.setattr(asyncio, "sleep", sleep)
    await module._until_told(server)  # type: ignore[attr-defined]
    assert waited == [0.5, 0.5, 0.5]
    assert server.server_state.default_headers, "the time"


def test_every_server_of_the_process_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn.Server, "main_loop", uvicorn.Server.main_loop)
    seldom_awake.wake_seldom()
    assert uvicorn.Server.main_loop is seldom_awake._until_told
