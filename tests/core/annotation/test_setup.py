"""`ava cvat setup` and `check`: what is made, what is there, what a person must still do."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.setup import check, set_up, version_difference
from ava_core.annotation.webhook import webhook_app
from ava_core.base.errors import CvatError
from ava_core.base.settings import Settings, load_settings
from ava_core.ontology import load_ontology
from ava_core.store import open_store, webhook_events

SECRET = "s3cret"


@pytest.fixture
def given(cvat_server: Any, tmp_path: Path) -> Settings:
    return load_settings(
        home=tmp_path / "home", cvat_url=cvat_server.url, cvat_username=cvat_server.username,
        cvat_password=cvat_server.password, webhook_secret=SECRET,
    )  # fmt: skip


@pytest.fixture
def webhook_url(given: Settings) -> Iterator[str]:
    """The webhook's endpoint, running."""
    open_store(given)
    server = uvicorn.Server(uvicorn.Config(webhook_app(given), port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/webhook"
    server.should_exit = True
    thread.join(10)


def test_a_bare_server_is_set_up_once(given: Settings, webhook_url: str) -> None:
    ontology = load_ontology("street")
    first = set_up(given, ontology, ["ghost"], webhook_url)
    assert [step.state for step in first] == ["there", "made", "made", "by hand", "made"]
    assert "invite" in first[3].said
    again = set_up(given, ontology, ["ghost"], webhook_url)
    assert [step.state for step in again] == ["there", "there", "there", "by hand", "there"]
    assert [event.event for event in webhook_events.after(open_store(given), 0)][:1] == ["ping"]


def test_a_change_on_the_server_arrives_as_an_event(
    given: Settings, webhook_url: str, cvat_server: Any, small_clip: Path
) -> None:
    store = open_store(given)
    set_up(given, load_ontology("street"), [], webhook_url)
    with CvatGateway(given) as gateway:
        project = gateway.project_named(given.cvat_project)
        assert project is not None
        task = gateway.create_task(project["id"], "c", small_clip, replicas=0)
        [job] = gateway.jobs_of_task(task["id"])
        gateway.set_job(job["id"], state="completed")
    deadline = time.monotonic() + 20
    while not webhook_events.newest_of_jobs(store):
        assert time.monotonic() < deadline, "no event came"
        time.sleep(0.02)
    found = [e for e in webhook_events.after(store, 0) if e.job_id == job["id"]]
    assert found[0].payload["job"]["state"] == "completed"


def test_what_a_person_must_do_is_said(given: Settings) -> None:
    ontology = load_ontology("street")
    no_secret = given.with_options({"webhook_secret": None})
    assert "AVA_WEBHOOK_SECRET" in set_up(no_secret, ontology, [], "http://127.0.0.1:9/webhook")[-1].said
    assert "SMOKESCREEN_OPTS" in set_up(given, ontology, [], "http://127.0.0.1:9/webhook")[-1].said
    assert "--webhook-url" in set_up(given, ontology, [])[-1].said


def test_another_secret_on_the_receiving_side_is_said(given: Settings, webhook_url: str) -> None:
    other = given.with_options({"webhook_secret": "another"})
    assert "another AVA_WEBHOOK_SECRET" in set_up(other, load_ontology("street"), [], webhook_url)[-1].said


def test_check_makes_nothing(given: Settings, cvat_server: Any) -> None:
    ontology = load_ontology("street")
    assert [step.state for step in check(given, ontology, [])] == ["there", "there", "by hand"]
    with cvat_server.api() as api:
        assert api.get("/api/organizations").json()["count"] == 0
        assert api.get("/api/projects").json()["count"] == 0
    set_up(given, ontology, [])
    assert {step.state for step in check(given, ontology, [])} == {"there"}


@pytest.mark.parametrize(
    ("server", "sdk", "differs"),
    [("2.73.0", "2.73.4", False), ("2.73.0", "2.80.0", True), ("3.0", "2.80.0", True)],
)
def test_versions_that_differ_are_said(server: str, sdk: str, differs: bool) -> None:
    assert bool(version_difference(server, sdk)) == differs


def token_of(server: Any, *, read_only: bool) -> str:
    """A personal access token of the administrator."""
    with server.api() as api:
        made = api.post("/api/auth/access_tokens", json={"name": "ava", "read_only": read_only})
        return str(made.json()["value"])


def test_a_personal_access_token_is_enough_and_a_read_only_one_is_said(
    given: Settings, cvat_server: Any
) -> None:
    ontology = load_ontology("street")
    bare = {"cvat_password": None, "cvat_token": token_of(cvat_server, read_only=False)}
    set_up(given.with_options(bare), ontology, [])
    assert {step.state for step in check(given.with_options(bare), ontology, [])} == {"there"}
    reader = given.with_options({"cvat_token": token_of(cvat_server, read_only=True)})
    assert [step.what for step in check(reader, ontology, []) if step.state == "by hand"] == ["token"]


def test_an_api_token_is_enough(given: Settings, cvat_server: Any) -> None:
    with cvat_server.api() as api:
        login = {"username": cvat_server.username, "password": cvat_server.password}
        key = api.post("/api/auth/login", json=login).json()["key"]
    bare = given.with_options({"cvat_password": None, "cvat_token": key})
    assert set_up(bare, load_ontology("street"), [])[1].state == "made"


def test_a_session_that_was_ended_is_begun_again(given: Settings) -> None:
    set_up(given, load_ontology("street"), [])
    with CvatGateway(given) as gateway:
        gateway._client.api_client.auth_api.create_logout()
        assert gateway.members()


def test_no_secret_shows(given: Settings, cvat_server: Any) -> None:
    token = token_of(cvat_server, read_only=True)
    reader = given.with_options({"cvat_token": token})
    with pytest.raises(CvatError) as caught:
        set_up(reader, load_ontology("street"), [])
    with CvatGateway(reader) as gateway:
        shown = f"{caught.value} {gateway!r} {reader!r} {gateway.__dict__}"
    assert token not in shown
    assert SECRET not in shown
