"""Dagster's webserver as `ava up` starts it: its own names, its own pages, JSON alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dagster_webserver import cli
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ava_assets.running import services, webserver
from ava_core.base.settings import load_settings


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """What Dagster's own program would serve, whose application is a plain one here."""

    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse("done")

    def plain(*arguments: Any, **named: Any) -> Starlette:
        return Starlette(routes=[Route("/graphql", answer, methods=["GET", "POST"])])

    served: list[Starlette] = []
    monkeypatch.setattr(cli, "create_app_from_workspace_process_context", plain)
    monkeypatch.setattr(
        cli, "main", lambda: served.append(cli.create_app_from_workspace_process_context(None, ""))
    )
    webserver.main()
    return TestClient(served[0], base_url="http://127.0.0.1:3000")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200), ({"Origin": "http://127.0.0.1:3000"}, 200), ({"Origin": "https://evil.example"}, 403),
        ({"Host": "evil.example"}, 400), ({"Content-Type": "text/plain"}, 415),
    ],
)  # fmt: skip
def test_a_mutation_needs_its_own_page_and_json(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    assert client.post("/graphql", json={"query": "{version}"}, headers=headers).status_code == status


def test_it_is_what_is_started(tmp_path: Path) -> None:
    command = services.dagster_webserver(load_settings(home=tmp_path)).command
    assert command[1:3] == ["-m", "ava_assets.running.webserver"]
