"""Who gets in, what goes out, and how much fits: registration, names, sessions, webhooks, quotas, the lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ava_core.annotation_server import receivers
from ava_core.annotation_server.lock import HomeInUse, locked
from tests.support.server_place import PASSWORD, Place, make_place
from tests.support.webhook_receiver import Receiver, receiving

NEWCOMER = {
    "username": "newcomer", "email": "new@example.org", "password1": PASSWORD, "password2": PASSWORD,
}  # fmt: skip


def test_strangers_make_no_accounts_and_the_administrator_does(shared: Place) -> None:
    for client in (shared.client(), shared.maria):
        answer = client.post("/api/auth/register", json=NEWCOMER)
        assert answer.status_code == 403
        assert "administrator" in answer.json()["detail"]
    assert shared.admin.post("/api/auth/register", json=NEWCOMER).status_code == 201


def test_strangers_make_accounts_where_that_is_asked_for(tmp_path: Path, small_clip: Path) -> None:
    place = make_place(tmp_path, small_clip, registration=True)
    assert place.client().post("/api/auth/register", json=NEWCOMER).status_code == 201
    assert place.client("newcomer").get("/api/jobs").json()["count"] == 0
    place.app.state.store.close()


# Names and pages


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8502", 200), ("localhost", 200), ("LOCALHOST:1", 200), ("[::1]:8502", 200), ("cvat.lan:80", 200),
        ("evil.example:8502", 400), ("127.0.0.1.evil.example", 400), ("10.0.0.1", 400), ("", 400), ("[::1", 400),
        ("localhost@evil.example", 400), ("evil.example#localhost", 400),
    ],
)  # fmt: skip
def test_the_server_answers_to_its_own_names_alone(named: Place, host: str, status: int) -> None:
    assert named.client(Host=host).get("/api/server/about").status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8501", 200), ("http://cvat.lan", 200), ("https://evil.example", 403), ("null", 403),
        ("http://localhost.evil.example", 403),
    ],
)  # fmt: skip
def test_pages_of_elsewhere_change_nothing(named: Place, origin: str, status: int) -> None:
    client = named.client(Origin=origin)
    assert client.get("/api/server/about").status_code == 200
    body = {"username": "admin", "password": PASSWORD}
    assert client.post("/api/auth/login", json=body).status_code == status


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory, small_clip: Path) -> Any:
    """A place that is called by a name in the network, too."""
    place = make_place(tmp_path_factory.mktemp("named"), small_clip, hosts=("cvat.lan",))
    yield place
    place.app.state.store.close()


# Sessions


def by_session(place: Place) -> Any:
    """maria, signed in by a cookie."""
    client = place.client()
    client.post("/api/auth/login", json={"username": "maria", "password": PASSWORD}).raise_for_status()
    return client


def test_who_is_deactivated_is_signed_out_at_once(place: Place) -> None:
    cookie, key = by_session(place), place.maria
    place.admin.patch(f"/api/users/{place.ids['maria']}", json={"is_active": False}).raise_for_status()
    assert [client.get("/api/users/self").status_code for client in (cookie, key)] == [401, 401]
    place.admin.patch(f"/api/users/{place.ids['maria']}", json={"is_active": True}).raise_for_status()
    assert [client.get("/api/users/self").status_code for client in (cookie, key)] == [401, 401]
    assert place.client("maria").get("/api/users/self").status_code == 200


def test_sessions_end_by_themselves(place: Place) -> None:
    client = by_session(place)
    assert client.get("/api/users/self").status_code == 200
    state = place.app.state.store
    [session] = [
        one for one in state.find("session", user=place.ids["maria"]) if one["key"] in str(client.cookies)
    ]
    session["created_date"] = (datetime.now(UTC) - timedelta(days=15)).isoformat()
    assert client.get("/api/users/self").status_code == 401


def access_token(place: Place, **fields: Any) -> tuple[int, Any]:
    """A personal access token of maria's, and a client that comes with it."""
    made = (
        place.maria.post("/api/auth/access_tokens", json={"name": "mine"} | fields).raise_for_status().json()
    )
    client = place.client()
    client.headers["Authorization"] = f"Bearer {made['value']}"
    return made["id"], client


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def test_a_key_is_good_for_a_while_after_the_last_sign_in(place: Place) -> None:
    state, old = place.app.state.store, place.maria
    [key] = state.find("token", user=place.ids["maria"])
    state.put("token", key | {"created_date": days_ago(90), "updated_date": days_ago(13)})
    again = place.client("maria")
    assert again.headers["Authorization"] == old.headers["Authorization"]
    [key] = state.find("token", user=place.ids["maria"])
    state.put("token", key | {"updated_date": days_ago(15)})
    assert old.get("/api/users/self").status_code == 401
    assert place.client("maria").get("/api/users/self").status_code == 200
    assert old.get("/api/users/self").status_code == 401, "that is another key"


def test_a_personal_token_ends_at_its_date(place: Place) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    number, client = access_token(place, expiry_date=soon)
    assert client.get("/api/users/self").status_code == 200
    place.maria.patch(
        f"/api/auth/access_tokens/{number}", json={"expiry_date": days_ago(1)}
    ).raise_for_status()
    assert client.get("/api/users/self").status_code == 401
    assert place.maria.get("/api/auth/access_tokens").json()["count"] == 0


def test_a_personal_token_that_nobody_uses_ends_after_a_year(place: Place) -> None:
    number, client = access_token(place)
    state = place.app.state.store
    state.put("access_token", state.get("access_token", number) | {"created_date": days_ago(400)})
    assert client.get("/api/users/self").status_code == 401
    state.put("access_token", state.get("access_token", number) | {"last_used_date": days_ago(300)})
    assert client.get("/api/users/self").status_code == 200
    used = place.maria.get(f"/api/auth/access_tokens?id={number}").json()["results"][0]
    assert used["last_used_date"] > days_ago(1), "its use counts"


# Webhooks


def hook(url: str, **fields: Any) -> dict[str, Any]:
    return {"target_url": url, "type": "organization", "events": []} | fields


def test_webhooks_are_the_leaders(place: Place) -> None:
    url = "http://127.0.0.1:8501/webhook"
    path, of_project = "/api/webhooks?org=ava", hook(url, type="project", project_id=place.ids["project"])
    number = place.admin.post(path, json=hook(url)).raise_for_status().json()["id"]
    place.admin.post("/api/organizations", json={"slug": "other"}).raise_for_status()
    for role in ("worker", "supervisor"):
        [row] = place.maria.get("/api/memberships").json()["results"]
        place.admin.patch(f"/api/memberships/{row['id']}", json={"role": role}).raise_for_status()
        assert place.maria.post(path, json=hook(url)).status_code == 403
        assert place.maria.post(path, json=of_project).status_code == 403
        assert place.maria.post("/api/webhooks", json=of_project).status_code == 400
        assert place.maria.get("/api/webhooks").json()["count"] == 0
        for call in ("", "/deliveries"):
            assert place.maria.get(f"/api/webhooks/{number}{call}").status_code == 403
        assert (
            place.maria.patch(f"/api/webhooks/{number}", json={"target_url": "http://a.org"}).status_code
            == 403
        )
        assert place.maria.post(f"/api/webhooks/{number}/ping").status_code == 403
    place.admin.patch(f"/api/memberships/{row['id']}", json={"role": "maintainer"}).raise_for_status()
    assert place.maria.post(path, json=of_project).status_code == 201
    assert place.maria.post("/api/webhooks?org=other", json=hook(url)).status_code == 403


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
     "[::ffff:127.0.0.1]", "[fd00::1]", "2130706433", "127.1"],
)  # fmt: skip
def test_webhooks_call_no_private_address(shared: Place, host: str) -> None:
    with receiving() as receiver:
        port = receiver.url.rpartition(":")[2]
        number = shared.admin.post("/api/webhooks?org=ava", json=hook(f"http://{host}:{port}/x")).json()["id"]
        told = shared.admin.post(f"/api/webhooks/{number}/ping").raise_for_status().json()
        assert (told["status_code"], receiver.deliveries) == (502, [])
        assert "private" in told["response"]


def test_webhooks_call_the_console(tmp_path: Path, small_clip: Path) -> None:
    with receiving() as console, receiving() as other:
        place = make_place(tmp_path, small_clip, webhook_receivers=(console.url.removeprefix("http://"),))

        def ping(receiver: Receiver) -> int:
            made = place.admin.post("/api/webhooks?org=ava", json=hook(f"{receiver.url}/webhook")).json()
            return int(place.admin.post(f"/api/webhooks/{made['id']}/ping").json()["status_code"])

        assert (ping(console), ping(other)) == (200, 502)
        assert console.deliveries[0].headers["Host"] == console.url.removeprefix("http://")
        assert other.deliveries == []
        place.app.state.store.close()


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads to a public address when it is checked cannot lead elsewhere when it is called."""
    looked_up = []

    def find(host: str, port: int, **options: Any) -> list[Any]:
        looked_up.append(host)
        return [(2, 1, 6, "", ("93.184.216.34" if host == "rebound.example" else host, port))]

    called = []

    def call(self: httpx.Client, url: httpx.URL, **options: Any) -> httpx.Response:
        called.append((str(url), options["headers"]["Host"], options["extensions"]["sni_hostname"]))
        return httpx.Response(200)

    monkeypatch.setattr(receivers.socket, "getaddrinfo", find)
    monkeypatch.setattr(httpx.Client, "post", call)
    receivers.post("https://rebound.example:444/x?y=1", b"", {}, allowed=(), timeout=1, verify=False)
    assert looked_up == ["rebound.example"]
    assert called == [("https://93.184.216.34:444/x?y=1", "rebound.example:444", "rebound.example")]


@pytest.mark.parametrize(
    "url", ["nota url", "ftp://a.org/x", "http://", "http://user:word@a.org/", "javascript:x", "http://[::1"]
)
def test_addresses_that_are_none_are_refused(shared: Place, url: str) -> None:
    answer = shared.admin.post("/api/webhooks?org=ava", json=hook(url))
    assert (answer.status_code, answer.json()) == (400, {"target_url": ["Enter a valid URL."]})


# Uploads

QUOTA = 200_000


@pytest.fixture
def narrow(tmp_path: Path, small_clip: Path) -> Any:
    """A place whose tasks may take little, and an empty task."""
    place = make_place(tmp_path, small_clip, task_bytes=QUOTA)
    body = {"name": "narrow", "project_id": place.ids["project"]}
    place.ids["narrow"] = place.admin.post("/api/tasks?org=ava", json=body).raise_for_status().json()["id"]
    yield place
    place.app.state.store.close()


def send_bundle(place: Place, size: int, name: str = "a.mp4") -> int:
    url, files = f"/api/tasks/{place.ids['narrow']}/data/", {"client_files[0]": (name, b"x" * size)}
    return int(place.admin.post(url, headers={"Upload-Multiple": ""}, files=files).status_code)


def announce(place: Place, length: int | str) -> Any:
    headers = {"Upload-Length": str(length), "Upload-Metadata": "filename YS5tcDQ="}
    return place.admin.post(f"/api/tasks/{place.ids['narrow']}/data/", headers=headers)


def test_media_of_a_task_have_a_quota(narrow: Place) -> None:
    assert send_bundle(narrow, QUOTA - 1000) == 200
    assert send_bundle(narrow, 2**20 + 2000, "b.mp4") == 413
    assert announce(narrow, 2000).status_code == 413
    assert announce(narrow, 900).status_code == 201
    assert announce(narrow, 900).status_code == 413  # the first is on its way
    folder = narrow.app.state.store.media / str(narrow.ids["narrow"])
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < QUOTA


@pytest.mark.parametrize("length", ["-1", "many", "", "1e9", 10**30])
def test_lengths_that_are_none_are_refused(narrow: Place, length: int | str) -> None:
    assert announce(narrow, length).status_code in (400, 413)


def test_no_more_comes_than_was_announced(narrow: Place) -> None:
    address = announce(narrow, 100).headers["Location"]
    headers = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert narrow.admin.patch(address, content=b"x" * 101, headers=headers).status_code == 413


@pytest.mark.parametrize("name", ["..", "parts", "/", "a" * 300 + ".mp4", "é" * 200, "a\\..\\..\\b", ".mp4"])
def test_no_name_leaves_the_tasks_folder(narrow: Place, name: str) -> None:
    assert send_bundle(narrow, 10, name) == 200
    folder = narrow.app.state.store.media / str(narrow.ids["narrow"])
    assert [path.stat().st_size for path in folder.iterdir()] == [10]


# The lock


def test_a_folder_is_locked_once(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(HomeInUse, match=f"process {os.getpid()}"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def start(home: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ava_core.annotation_server", "--home", str(home), "--port", "0"]
    environment = os.environ | {"AVA_CVAT_PASSWORD": PASSWORD}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_second_server_says_which_process_runs_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    first = start(tmp_path)
    assert first.stdout is not None
    assert "annotation server on" in first.stdout.readline()
    second = start(tmp_path)
    said = second.communicate(timeout=60)[1].strip()
    assert (second.returncode, said.count("\n")) == (1, 0)
    assert f"process {first.pid}" in said
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=60)
    third = start(tmp_path)
    assert third.stdout is not None
    assert "annotation server on" in third.stdout.readline()
    assert (tmp_path / "cvat.db").stat().st_mode & 0o077 == 0
    third.kill()
    third.communicate(timeout=60)
