"""Nothing is served without a session but the login and the webhook; sessions and roles hold."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import sqlite3
import threading
from functools import partial

import pytest
from nicegui import core
from sqlalchemy import delete
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from ava_core.base.errors import StoreBusyError
from ava_core.base.settings import Settings, load_settings
from ava_core.store import audit_log, labellers, open_store, users, webhook_events
from ava_core.store.tables import User
from ava_ui.known.console import Console
from ava_ui.web import door
from ava_ui.web.door import COOKIE, Door
from tests.support.site import ADDRESS, Site
from tests.support.street import BATCH, PASSWORD
from tests.support.waiting import eventually

SOCKET = "ws://localhost:8501/_nicegui_ws/socket.io/"

CLOSED = [
    "/", "/batches", f"/quality/{BATCH}/clips/clip_0000", f"/media/clip/{BATCH}/clip_0000",
    f"/media/review/{BATCH}/clip_0000", "/download/v1.zip", "/upload/0123456789abcdef", "/_nicegui/auto/x.js",
    "/docs", "/openapi.json",
]  # fmt: skip


@pytest.mark.parametrize("path", CLOSED)
async def test_everything_is_closed_without_a_session(site: Site, path: str) -> None:
    assert (await site.http.get(path)).status_code == 401
    page = await site.http.get(path, headers={"Accept": "text/html"})
    assert page.status_code == 303
    assert page.headers["location"].startswith("/login?next=")


async def test_the_socket_is_closed_without_a_session(site: Site) -> None:
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        TestClient(core.app).websocket_connect(SOCKET),
    ):
        pass
    assert closed.value.code == 4401


@pytest.mark.parametrize("path", ["/", "/login", "/webhook", "/_nicegui/auto/x.js", "/favicon.ico"])
async def test_nothing_is_answered_under_a_strange_name(site: Site, path: str) -> None:
    for method in ("GET", "POST"):
        answer = await site.http.request(method, path, headers={"Host": "evil.example:8501"})
        assert (answer.status_code, "AVA_ALLOW_HOSTS" in answer.text) == (400, True)


async def test_a_page_of_elsewhere_signs_nobody_in_or_out(site: Site) -> None:
    form = {"username": "rita", "password": PASSWORD}
    for origin in ("https://evil.example", "null", "http://localhost:9999"):
        assert (await site.http.post("/login", data=form, headers={"Origin": origin})).status_code == 403
    assert (await site.http.post("/login", data=form, headers={"Origin": ADDRESS})).status_code == 303


async def test_a_page_of_elsewhere_gets_no_socket(site: Site) -> None:
    cookie = f"{COOKIE}={users.sign_in(site.console.store, 'rita', PASSWORD)}"
    client = TestClient(core.app)
    for header in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        with (
            pytest.raises(WebSocketDisconnect) as closed,
            client.websocket_connect(SOCKET, headers={"Cookie": cookie} | header),
        ):
            pass
        assert closed.value.code == 4403


def test_a_page_that_stands_open_ends_with_its_session(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def page(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    monkeypatch.setattr(door, "while_signed_in", partial(door.while_signed_in, every=0.01))
    console = Console.open(settings)
    cookie = {"Cookie": f"{COOKIE}={users.sign_in(console.store, 'rita', PASSWORD)}"}
    with TestClient(Door(page, console)).websocket_connect(SOCKET, headers=cookie) as socket:
        users.change(console.store, "rita", active=False)
        assert socket.receive()["code"] == 4401


async def test_login_leads_to_where_one_wanted_to_go(site: Site) -> None:
    form = {"username": "rita", "password": PASSWORD, "next": "/quality?status=approved"}
    answer = await site.http.post("/login", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/quality?status=approved")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert (await site.http.get("/quality")).status_code == 200


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:1"]
)
async def test_login_leads_nowhere_else(site: Site, elsewhere: str) -> None:
    answer = await site.http.post(
        "/login", data={"username": "rita", "password": PASSWORD, "next": elsewhere}
    )
    assert answer.headers["location"] == "/"


async def test_a_wrong_password_lets_nobody_in(site: Site) -> None:
    answer = await site.http.post("/login", data={"username": "rita", "password": "<script>"})
    assert answer.status_code == 403
    assert "Name or password is wrong" in answer.text
    assert COOKIE not in answer.headers.get("set-cookie", "")


async def test_signing_out_ends_the_session(site: Site) -> None:
    rita = site.enter("rita")
    assert (await rita.http_client.get("/")).status_code == 200
    assert (await rita.http_client.post("/logout")).status_code == 303
    assert (await rita.http_client.get("/")).status_code == 401


async def test_the_first_admin_is_made_with_the_code(site: Site) -> None:
    store, home = site.console.store, site.console.settings.home_dir
    with store.session() as session:
        session.execute(delete(User))
    assert "Make the first admin" in (await site.http.get("/login")).text
    form = {"username": "adam", "password": PASSWORD, "code": "guess"}
    assert (await site.http.post("/first", data=form)).status_code == 403
    answer = await site.http.post("/first", data=form | {"code": str(users.first_code(store, home))})
    assert answer.status_code == 303
    assert (await site.http.get("/people")).status_code == 200
    assert "Make the first admin" not in (await site.http.get("/login")).text


async def test_a_refused_form_keeps_the_code_and_says_the_rule(site: Site) -> None:
    store, home = site.console.store, site.console.settings.home_dir
    with store.session() as session:
        session.execute(delete(User))
    assert users.PASSWORD_RULE in (await site.http.get("/login")).text
    code = str(users.first_code(store, home))
    answer = await site.http.post("/first", data={"username": "adam", "password": "short", "code": code})
    assert answer.status_code == 403
    assert f'value="{code}"' in answer.text
    assert 'value="adam"' in answer.text
    assert "too short" in answer.text
    assert 'value="short"' not in answer.text, "a password never comes back"
    hostile = await site.http.post("/first", data={"username": "a", "password": "b", "code": '"><script>'})
    assert "<script>" not in hostile.text


async def test_only_admins_see_people(site: Site) -> None:
    rita, adam = site.enter("rita"), site.enter("adam")
    await rita.open("/people")
    await rita.should_see("Only admins can open this page.")
    await adam.open("/people")
    await adam.should_see("vera")


async def test_only_admins_upload(site: Site) -> None:
    key = "0123456789abcdef"
    assert (
        await site.enter("rita").http_client.post(f"/upload/{key}?offset=0", content=b"x")
    ).status_code == 403
    assert (
        await site.enter("adam").http_client.post(f"/upload/{key}?offset=0", content=b"x")
    ).status_code == 200


async def test_an_action_asks_for_the_session_anew(site: Site) -> None:
    adam = site.enter("adam")
    await adam.open("/people")
    users.set_password(site.console.store, "adam", "another long password")
    await adam.should_see(marker="new-name", retries=50)
    adam.find(marker="new-name").type("eve")
    adam.find(marker="new-password").type(PASSWORD)
    adam.find(marker="add-user").click()
    await adam.should_see("Your session has expired; nothing was changed.", retries=10)
    assert "eve" not in {user.username for user in users.everyone(site.console.store)}


async def test_an_admin_adds_somebody_and_it_is_recorded(site: Site) -> None:
    adam = site.enter("adam")
    await adam.open("/people")
    await adam.should_see(marker="new-name", retries=50)
    adam.find(marker="new-name").type("eve")
    adam.find(marker="new-password").type(PASSWORD)
    adam.find(marker="add-user").click()
    await eventually(lambda: "eve" in {user.username for user in users.everyone(site.console.store)})
    await adam.should_see("make viewer", retries=10)
    newest = audit_log.newest(site.console.store, 1)[0]
    assert (newest.actor, newest.action, newest.subject) == ("adam", "add user", "eve")


async def test_a_locked_database_costs_one_person_one_request(site: Site) -> None:
    rita = site.enter("rita").http_client
    with sqlite3.connect(site.console.settings.home_dir / "ava.db", timeout=0) as other:
        other.execute("BEGIN IMMEDIATE")
        form = {"username": "vera", "password": PASSWORD}
        waiting = asyncio.create_task(site.http.post("/login", data=form))
        await asyncio.sleep(0)
        assert (await rita.get("/login")).status_code == 200
        assert not waiting.done(), "others are answered while somebody waits for the lock"
        answer = await waiting
        assert "Another program has locked the database" in answer.text
        assert COOKIE not in answer.headers.get("set-cookie", "")
        other.rollback()
    assert (await site.http.post("/login", data=form)).status_code == 303


async def test_a_session_that_cannot_be_asked_for_is_put_off(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*arguments: object) -> None:
        assert threading.current_thread() is not threading.main_thread(), "asked on the event loop"
        raise StoreBusyError("The database is Another program has locked the database.")

    rita = site.enter("rita").http_client
    monkeypatch.setattr(labellers, "anybody", busy)
    answer = await rita.get("/quality")
    assert (answer.status_code, answer.text) == (
        503,
        "The database is Another program has locked the database.",
    )


def test_the_webhook_believes_a_signature_alone(settings: Settings) -> None:
    signed = load_settings(home=settings.home, webhook_secret="s3cret")

    async def closed(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        raise AssertionError("the door let it through")

    client = TestClient(Door(closed, Console.open(signed)), base_url=ADDRESS)
    body = b'{"event": "update:job", "job": {"id": 1}}'
    good = "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert client.post("/webhook", content=body, headers={"X-Signature-256": good}).status_code == 200
    assert client.post("/webhook", content=body, headers={"X-Signature-256": "sha256=00"}).status_code == 401
    assert len(webhook_events.after(open_store(signed), 0)) == 1
