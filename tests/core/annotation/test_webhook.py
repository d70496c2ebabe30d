"""The webhook's endpoint: right signatures alone, each event once, whatever CVAT sends and how often."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from ava_core.annotation.webhook import MAX_BODY_BYTES, SIGNATURE_HEADER, is_signed, signature, webhook_app
from ava_core.base.settings import Settings, load_settings
from ava_core.store import Store, batches, tasks, webhook_events
from ava_core.store.tables import Job, Task
from tests.support.recordings import Delivery, read_deliveries

SECRET = "s3cret"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home", webhook_secret=SECRET)


@pytest.fixture
def deliveries() -> list[Delivery]:
    """What a real server delivered, signed with `SECRET`; only what was recorded whole."""
    return [one for one in read_deliveries() if one.whole]


async def post(settings: Settings, body: bytes, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=webhook_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://ava") as client:
        return await client.post("/webhook", content=body, headers=headers)


async def deliver(settings: Settings, payload: dict[str, Any], secret: str = SECRET) -> httpx.Response:
    body = json.dumps(payload).encode()
    return await post(settings, body, **{SIGNATURE_HEADER: signature(secret, body)})


def kept(store: Store) -> list[tuple[str, int | None, int]]:
    return [(e.event, e.job_id, e.deliveries) for e in webhook_events.after(store, 0)]


def completed(job: int, moment: str = "2026-11-22T14:43:12Z", webhook: int = 1) -> dict[str, Any]:
    return {
        "event": "update:job", "webhook_id": webhook,
        "job": {"id": job, "state": "completed", "updated_date": moment},
        "before_update": {"state": "new"}, "changes": {"state": {"from": "new", "to": "completed"}},
    }  # fmt: skip


def test_the_signature_is_the_real_servers(deliveries: list[Delivery]) -> None:
    assert len(deliveries) > 30
    for one in deliveries:
        assert is_signed(SECRET, json.dumps(one.body).encode(), one.signature)


async def test_real_deliveries_are_kept_once_each(
    settings: Settings, store: Store, deliveries: list[Delivery]
) -> None:
    """Late, out of order and doubled: the same events are kept, and two webhooks' word of one event is one."""
    shuffled = random.Random(5).sample(deliveries, len(deliveries)) + deliveries[:7]
    for one in shuffled:
        body = json.dumps(one.body).encode()
        answer = await post(settings, body, **{SIGNATURE_HEADER: one.signature})
        assert answer.status_code == 200
    found = webhook_events.after(store, 0)
    different = {json.dumps({k: v for k, v in one.body.items() if k != "webhook_id"}) for one in deliveries}
    assert len(found) == len(different) < len(deliveries)
    assert sum(event.deliveries for event in found) == len(shuffled)
    jobs = {one.body["job"]["id"] for one in deliveries if "job" in one.body}
    issues = {one.body["issue"]["job"] for one in deliveries if "issue" in one.body}
    assert {event.job_id for event in found} - {None} == jobs | issues


async def test_a_repeated_delivery_is_known(settings: Settings, store: Store) -> None:
    answers = [(await deliver(settings, completed(5))).json()["detail"] for _ in range(2)]
    assert answers == ["kept", "known already"]
    await deliver(settings, completed(5, "2026-11-22T15:00:00Z"))
    assert kept(store) == [("update:job", 5, 2), ("update:job", 5, 1)]


@pytest.mark.parametrize(
    "header",
    ["", "sha256=", "sha256=" + "0" * 64, signature("other", b""), "ü", signature(SECRET, b"{}")[7:]],
    ids=["missing", "empty", "zeros", "another secret's", "not ascii", "without its prefix"],
)
async def test_a_forged_delivery_leaves_nothing(settings: Settings, store: Store, header: str) -> None:
    body = json.dumps(completed(5)).encode()
    headers = {SIGNATURE_HEADER.encode(): header.encode()} if header else {}
    transport = httpx.ASGITransport(app=webhook_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://ava") as client:
        answer = await client.post("/webhook", content=body, headers=headers)
    assert answer.status_code == 401
    assert kept(store) == []


async def test_a_signature_is_of_one_body(settings: Settings, store: Store) -> None:
    genuine = json.dumps(completed(5)).encode()
    forged = genuine.replace(b"5", b"6")
    answer = await post(settings, forged, **{SIGNATURE_HEADER: signature(SECRET, genuine)})
    assert (answer.status_code, kept(store)) == (401, [])


async def test_without_a_secret_nothing_is_trusted(tmp_path: Path, store: Store) -> None:
    open_to_all = load_settings(home=tmp_path / "home")
    answer = await deliver(open_to_all, completed(5), secret="")
    assert (answer.status_code, kept(store)) == (403, [])


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"[]", 400), (b"{}", 400), (b"x" * (MAX_BODY_BYTES + 1), 413)]
)
async def test_what_is_no_event_is_refused(
    settings: Settings, store: Store, body: bytes, status: int
) -> None:
    answer = await post(settings, body, **{SIGNATURE_HEADER: signature(SECRET, body)})
    assert (answer.status_code, kept(store)) == (status, [])


async def test_a_database_that_is_away_asks_for_another_delivery(tmp_path: Path) -> None:
    away = load_settings(home=tmp_path, webhook_secret=SECRET, database_url="postgresql://u:p@127.0.0.1:1/no")
    answer = await deliver(away, completed(5))
    assert answer.status_code == 503, "CVAT delivers again what was answered with 5xx"


async def test_only_events_about_jobs_wake(settings: Settings, store: Store) -> None:
    await deliver(settings, {"event": "ping", "webhook": {"id": 1}})
    assert webhook_events.newest_of_jobs(store) == 0
    await deliver(settings, completed(5))
    assert webhook_events.newest_of_jobs(store) > 0


def begun(moment: object, annotator: str = "mia", **more: str) -> dict[str, Any]:
    job = {"id": 5, "stage": "annotation", "state": "in progress", "assignee": {"username": annotator}}
    return {"event": "update:job", "job": job | {"updated_date": moment} | more}


async def test_the_earliest_word_of_a_beginning_holds_in_any_order(settings: Settings, store: Store) -> None:
    """It comes late, early, of another's work, of another stage, and with a moment that is none."""
    batches.add(store, "b", "/in/b.zip", {})
    tasks.put_project(store, 1, "ava")
    job = Job(job_id=5, task_id=1, batch="b", clip_id="c", job_type="annotation", annotator="mia", frames=30)
    tasks.put_task(store, Task(task_id=1, project_id=1, name="c", batch="b", clip_id="c"), [job])
    for payload in (
        begun("2026-11-22T14:50:00Z"),
        begun("2026-11-22T14:43:12.273750Z"),
        begun("2026-11-22T14:44:00Z"),
        begun("2026-11-22T14:00:00Z", annotator="tom"),
        begun("2026-11-22T14:00:00Z", stage="validation"),
        begun("2026-11-22T14:00:00Z", state="completed"),
        begun("yesterday"),
        begun(None),
    ):
        assert (await deliver(settings, payload)).status_code == 200
    [job] = tasks.jobs_of(store, "b")
    assert job.started_at == datetime(2026, 11, 22, 14, 43, 12, 273750, UTC)
    assert job.state == "new", "what happened is read from the server alone"
