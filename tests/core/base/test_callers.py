"""Servers of this machine: under which names they answer, and whose pages may change something."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from ava_core.base.callers import Callers


async def _answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse("done")


async def _talk(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("done")
    await socket.close()


@pytest.fixture
def client() -> TestClient:
    """A server that is also called ava.lan, and takes JSON alone at /graphql."""
    methods = ["GET", "POST", "PUT", "DELETE"]
    places = [Route("/", _answer, methods=methods), Route("/graphql", _answer, methods=methods)]
    app = Starlette(routes=[*places, WebSocketRoute("/socket", _talk)])
    return TestClient(Callers(app, ["AVA.lan"], ["/graphql"]), base_url="http://127.0.0.1:3000")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:3000", 200), ("localhost", 200), ("LOCALHOST:1", 200), ("[::1]:3000", 200), ("ava.lan", 200),
        ("evil.example:3000", 400), ("127.0.0.1.evil.example", 400), ("10.0.0.1", 400), ("", 400), ("[::1", 400),
        ("localhost@evil.example", 400), ("evil.example#localhost", 400),
    ],
)  # fmt: skip
def test_it_answers_to_its_own_names_alone(client: TestClient, host: str, status: int) -> None:
    assert client.get("/", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:3000", 200), ("https://ava.lan", 200), ("http://127.0.0.1:8502", 403),
        ("http://localhost:3000", 403), ("https://evil.example", 403), ("null", 403), ("", 403),
    ],
)  # fmt: skip
def test_only_its_own_pages_change_something(client: TestClient, origin: str, status: int) -> None:
    headers = {"Origin": origin}
    assert client.get("/", headers=headers).status_code == 200
    for method in ("POST", "PUT", "DELETE"):
        assert client.request(method, "/", headers=headers).status_code == status
    if status == 200:
        with client.websocket_connect("ws://127.0.0.1:3000/socket", headers=headers) as socket:
            assert socket.receive_text() == "done"
        return
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        client.websocket_connect("ws://127.0.0.1:3000/socket", headers=headers),
    ):
        pass
    assert closed.value.code == 4403


def test_a_caller_that_is_no_browser_has_no_origin(client: TestClient) -> None:
    assert client.post("/").status_code == 200


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200), ("Application/JSON; charset=utf-8", 200), ("text/plain", 415), ("", 415),
        ("application/x-www-form-urlencoded", 415), ("multipart/form-data; boundary=x", 415),
        ("text/plain; application/json", 415),
    ],
)  # fmt: skip
def test_graphql_takes_json_alone(client: TestClient, kind: str, status: int) -> None:
    for path in ("/graphql", "/graphql/"):
        answer = client.post(path, content=b"{}", headers={"Content-Type": kind}, follow_redirects=False)
        assert answer.status_code == (307 if status == 200 and path.endswith("/") else status)
    assert client.get("/graphql", params={"query": "{version}"}).status_code == 405
    assert client.get("/graphql").status_code == 200
