"""Dagster's webserver as the platform starts it: its own names and pages, JSON alone, and from elsewhere a login."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster_webserver import cli
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import ASGIApp
from starlette.websockets import WebSocketDisconnect

from ava_assets.running import services, signed_in, webserver
from ava_core.base.errors import StoreBusyError
from ava_core.base.private import dagster_token
from ava_core.base.settings import Settings, load_settings
from ava_core.store import annotators, labellers, open_store, users
from tests.support import doors

ADDRESS = "http://127.0.0.1:3000"
SOCKET = "ws://127.0.0.1:3000/graphql"
PASSWORD = "correct horse battery"
HERE, ELSEWHERE = ("127.0.0.1", 40000), ("10.0.0.7", 40000)
MUTATION, FILE = ("POST a mutation", "/graphql"), ("GET", "/favicon.svg")
"""Asked for beside the routes: the one in the place of all mutations, the other of all files of Dagster's pages."""

PAUSE = {"query": "mutation { setAutoMaterializePaused(paused: true) }"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home with a person of each role, and one who is about to leave."""
    given = load_settings(home=tmp_path_factory.mktemp("home"))
    store = open_store(given)
    for name, role in (
        ("viewer", "viewer"),
        ("leaver", "viewer"),
        ("reviewer", "reviewer"),
        ("admin", "admin"),
    ):
        users.add(store, name, PASSWORD, role)
    yield given
    store.close()


@pytest.fixture(scope="module")
def app(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starlette]:
    """The application that Dagster's own program would serve over no code."""
    made: list[Starlette] = []
    with (
        pytest.MonkeyPatch.context() as patch,
        dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as instance,
        WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as context,
    ):
        make = cli.create_app_from_workspace_process_context
        patch.setattr(
            cli, "main", lambda: made.append(cli.create_app_from_workspace_process_context(context))
        )
        patch.setattr(cli, "create_app_from_workspace_process_context", make)  # put back afterwards
        patch.setattr(webserver, "load_settings", lambda: settings)
        webserver.main()
        yield made[0]


def client(
    app: ASGIApp, settings: Settings, name: str = "", source: tuple[str, int] = ELSEWHERE
) -> TestClient:
    """Somebody who calls from elsewhere, with a session where there is a name."""
    cookies = {users.COOKIE: users.sign_in(open_store(settings), name, PASSWORD)} if name else {}
    return TestClient(app, base_url=ADDRESS, client=source, cookies=cookies, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200), ({"Origin": ADDRESS}, 200), ({"Origin": "https://evil.example"}, 403),
        ({"Host": "evil.example"}, 400), ({"Content-Type": "text/plain"}, 415),
        ({"X-Forwarded-For": "10.0.0.7"}, 401), ({"Forwarded": "for=10.0.0.7"}, 401),
    ],
)  # fmt: skip
def test_on_this_machine_a_query_needs_its_own_page_and_json(
    app: Starlette, settings: Settings, headers: dict[str, str], status: int
) -> None:
    answer = client(app, settings, source=HERE).post("/graphql", json={"query": "{version}"}, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/runs/1",
        "/graphql?query={version}",
        "/server_info",
        "/logs/a/b",
        "/download_debug/1",
        "/favicon.png",
    ],
)
def test_from_elsewhere_nothing_is_answered_without_a_session(
    app: Starlette, settings: Settings, path: str
) -> None:
    stranger = client(app, settings)
    stranger.headers["Authorization"] = "Bearer guess"
    assert stranger.get(path).status_code in (401, 405)
    assert stranger.post("/graphql", json={"query": "{version}"}).text == signed_in.SIGN_IN
    with pytest.raises(WebSocketDisconnect) as closed, stranger.websocket_connect(SOCKET):
        pass
    assert closed.value.code == 4401


def asked(caller: TestClient, query: dict[str, Any]) -> str:
    return json.dumps(caller.post("/graphql", json=query).json())


def test_viewers_look_and_admins_change(app: Starlette, settings: Settings) -> None:
    viewer, admin = client(app, settings, "viewer"), client(app, settings, "admin")
    assert viewer.get("/").status_code == 200
    assert "version" in asked(viewer, {"query": "{version}"})
    assert "UnauthorizedError" in asked(viewer, PAUSE)
    assert viewer.post("/report_asset_materialization/x", json={}).status_code == 401
    assert "UnauthorizedError" not in asked(admin, PAUSE)
    assert admin.post("/report_asset_materialization/x", json={}).status_code == 200


def test_the_platforms_own_programs_have_a_token(app: Starlette, settings: Settings) -> None:
    program = client(app, settings)
    program.headers["Authorization"] = f"Bearer {dagster_token(settings.home_dir)}"
    assert program.get("/server_info").status_code == 200
    assert "UnauthorizedError" not in asked(program, PAUSE)
    assert (settings.home_dir / "dagster_token").stat().st_mode & 0o077 == 0


def test_a_session_that_ends_is_over_at_once(
    app: Starlette, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed_in, "while_signed_in", partial(signed_in.while_signed_in, every=0.01))
    leaver = client(app, settings, "leaver")
    assert leaver.get("/server_info").status_code == 200
    with leaver.websocket_connect(SOCKET) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json() == {"type": "connection_ack"}
        users.change(open_store(settings), "leaver", active=False)
        assert socket.receive()["code"] == 4401
    assert leaver.get("/server_info").status_code == 401


def test_where_others_may_call_a_proxy_that_hides_them_opens_nothing(settings: Settings) -> None:
    named = load_settings(home=settings.home_dir, allow_hosts="ava.example")
    app = signed_in.SignedIn(PlainTextResponse("let in"), named)
    assert client(app, named, source=HERE).get("/").status_code == 401
    assert client(app, named, "viewer", source=HERE).get("/").text == "let in"


def test_a_database_that_is_held_puts_people_off(
    app: Starlette, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*arguments: object, **named: object) -> None:
        raise StoreBusyError("The database is held by another program.")

    viewer = client(app, settings, "viewer")
    monkeypatch.setattr(signed_in.users, "who", busy)
    answer = viewer.get("/server_info")
    assert (answer.status_code, answer.text) == (503, "The database is held by another program.")


def test_it_is_what_is_started(tmp_path: Path) -> None:
    command = services.dagster_webserver(load_settings(home=tmp_path)).command
    assert command[1:3] == ["-m", "ava_assets.running.webserver"]


def who_calls(app: Starlette, settings: Settings) -> dict[str, TestClient]:
    """A client of each kind of caller."""
    store = open_store(settings)
    annotators.put(store, "mia")
    label = {users.COOKIE: labellers.begin(store, "mia", 7, "0" * 40)}
    left = client(app, settings, "reviewer")
    users.change(store, "reviewer", active=False)
    users.change(store, "reviewer", active=True)
    program = client(app, settings)
    program.headers["Authorization"] = f"Bearer {dagster_token(settings.home_dir)}"
    return {
        "nobody": client(app, settings), "deactivated": left,
        "annotator": TestClient(app, base_url=ADDRESS, client=ELSEWHERE, cookies=label),
        "viewer": client(app, settings, "viewer"), "reviewer": client(app, settings, "reviewer"),
        "admin": client(app, settings, "admin"), "platform": program,
        "this machine": client(app, settings, source=HERE),
    }  # fmt: skip


def answer(caller: TestClient, method: str, path: str) -> str:
    address = path.replace(":path", "").replace(":str", "").replace("/*", "/x")
    if method == "websocket":
        with suppress(WebSocketDisconnect), caller.websocket_connect(SOCKET) as socket:
            socket.send_json({"type": "connection_init"})
            return "in" if socket.receive_json() == {"type": "connection_ack"} else "no"
        return "sign in"
    sent = PAUSE if "mutation" in method else {"query": "{version}"} if method == "POST" else None
    got = caller.request(
        method.partition(" ")[0], address.format(path="x", run_id="1", asset_key="x"), json=sent
    )
    refused = "UnauthorizedError" in got.text or "Not authorized" in got.text
    return "no" if refused else "in" if got.status_code == 404 else doors.word(got.status_code)


def test_each_address_answers_whom_the_page_on_doors_says(
    app: Starlette, settings: Settings, tmp_path: Path
) -> None:
    callers = who_calls(app, settings)
    files = [route for route in app.routes if str(getattr(route, "name", "")).endswith("_static")]
    listed = [*doors.doors_of(route for route in app.routes if route not in files), MUTATION, FILE]
    found = {door: [answer(caller, *door) for caller in callers.values()] for door in listed}
    doors.must_be_written("Dagster's webserver", doors.table(found, list(callers)), tmp_path)


def test_in_containers_it_is_guarded_too_and_everybody_is_called_by_a_name_that_is_allowed() -> None:
    text = (Path(__file__).parents[3] / "docker/compose.yaml").read_text()
    services = yaml.safe_load(text)["services"]
    assert services["webserver"]["command"].split()[:3] == ["python", "-m", "ava_assets.running.webserver"]
    assert all(port.startswith("127.0.0.1:") for one in services.values() for port in one.get("ports", []))
    console = services["console"]["environment"]
    assert set(console["AVA_ALLOW_HOSTS"].partition("$")[0].split(",")) == {"console", "webserver"}
    assert console["AVA_DAGSTER_URL"] == "http://webserver:3000"
