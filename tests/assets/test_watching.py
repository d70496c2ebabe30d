"""The sensor on CVAT's jobs: polls at its pace, is woken by the webhook, and loses nothing either way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ava_assets.annotation import sensors
from ava_core.annotation.deliveries import keep_deliveries
from ava_core.base.errors import CvatUnreachableError
from tests.support.dagster_site import DagsterSite


class Cvat:
    """Stands for the server: counts the looks, or is away."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looks = 0
        self.cursors: list[Any] = []
        self.away = False
        monkeypatch.setattr(sensors, "look_at_jobs", self.look)
        self.compared = 0
        monkeypatch.setattr(sensors, "reconcile", self.compare)
        monkeypatch.setattr(sensors.Platform, "gateway", self.gateway)

    def compare(self, gateway: Any, store: Any, settings: Any) -> None:
        self.compared += 1

    @contextmanager
    def gateway(self) -> Iterator[None]:
        yield None

    def look(self, gateway: Any, store: Any, cursor: Any) -> tuple[Any, list[Any]]:
        self.looks += 1
        self.cursors.append(cursor)
        if self.away:
            raise CvatUnreachableError("The annotation server does not answer.")
        return {"since": "2026"}, []


@pytest.fixture
def site(tmp_path: Path) -> Iterator[DagsterSite]:
    """A platform that takes deliveries."""
    built = DagsterSite(tmp_path / "home", webhook_secret="s3cret")
    yield built
    built.close()


@pytest.fixture
def cvat(monkeypatch: pytest.MonkeyPatch) -> Cvat:
    return Cvat(monkeypatch)


def tick(site: DagsterSite, cursor: str | None) -> tuple[Any, str | None]:
    """A tick of a daemon that has ticked before."""
    context = dg.SensorEvaluationContext(
        instance_ref=None, last_tick_completion_time=time.time(), last_run_key=None, cursor=cursor,
        repository_name=None, instance=site.instance,
    )  # fmt: skip
    with context:
        found = site.definitions.resolve_sensor_def("cvat_jobs")(context)
    return found, context.cursor


def job_event(number: int) -> dict[str, Any]:
    return {"event": "update:job", "job": {"id": 5, "updated_date": str(number)}}


def test_between_two_polls_nothing_is_asked(site: DagsterSite, cvat: Cvat) -> None:
    _, cursor = tick(site, None)
    found, later = tick(site, cursor)
    assert cvat.looks == 1
    assert "not due" in found.skip_message
    assert later == cursor


def test_where_no_delivery_can_come_every_tick_is_a_poll(tmp_path: Path, cvat: Cvat) -> None:
    quiet = DagsterSite(tmp_path / "home")
    sensor = quiet.definitions.resolve_sensor_def("cvat_jobs")
    assert sensor.minimum_interval_seconds == quiet.settings.cvat_poll_seconds
    _, cursor = tick(quiet, None)
    tick(quiet, cursor)
    assert cvat.looks == 2, "a tick that comes a moment early is not put off until the next"
    quiet.close()


def test_an_event_about_a_job_wakes_it_once(site: DagsterSite, cvat: Cvat) -> None:
    _, cursor = tick(site, None)
    store = site.platform.store
    keep_deliveries(store, [{"event": "ping"}])
    _, cursor = tick(site, cursor)
    assert cvat.looks == 1, "a ping is no news"
    for _ in range(3):
        keep_deliveries(store, [job_event(1)])
    for _ in range(3):
        _, cursor = tick(site, cursor)
    assert cvat.looks == 2, "one event, delivered three times, is one look"
    keep_deliveries(store, [job_event(0)])
    _, cursor = tick(site, cursor)
    assert cvat.looks == 3, "an older event that comes late is a reason to look, too"


def test_an_event_is_not_forgotten_while_cvat_is_away(site: DagsterSite, cvat: Cvat) -> None:
    _, cursor = tick(site, None)
    keep_deliveries(site.platform.store, [job_event(1)])
    cvat.away = True
    found, cursor = tick(site, cursor)
    assert "does not answer" in found.skip_message
    cvat.away = False
    tick(site, cursor)
    assert cvat.looks == 3


def test_a_lost_event_is_only_a_late_one(
    site: DagsterSite, cvat: Cvat, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, cursor = tick(site, None)
    later = time.time() + site.settings.cvat_poll_seconds
    monkeypatch.setattr(sensors.time, "time", lambda: later)
    tick(site, cursor)
    assert cvat.looks == 2


def test_a_clock_that_was_set_back_stops_nothing(
    site: DagsterSite, cvat: Cvat, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, cursor = tick(site, None)
    earlier = time.time() - 1_000_000
    monkeypatch.setattr(sensors.time, "time", lambda: earlier)
    tick(site, cursor)
    assert cvat.looks == 2


def test_all_jobs_are_looked_at_again_every_hour(
    site: DagsterSite, cvat: Cvat, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    _, cursor = tick(site, None)
    for later in (60, 120, sensors.ALL_AGAIN_SECONDS + 60, sensors.ALL_AGAIN_SECONDS + 120):
        monkeypatch.setattr(sensors.time, "time", lambda: now + later)  # noqa: B023 - used at once
        _, cursor = tick(site, cursor)
    since = {"since": "2026"}
    assert cvat.cursors == [None, since, since, None, since]


def test_the_server_is_compared_with_what_was_made_every_few_minutes(
    site: DagsterSite, cvat: Cvat, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    _, cursor = tick(site, None)
    compared = [cvat.compared]
    for later in (60, sensors.RECONCILE_SECONDS + 60, sensors.RECONCILE_SECONDS + 120):
        monkeypatch.setattr(sensors.time, "time", lambda: now + later)  # noqa: B023 - used at once
        _, cursor = tick(site, cursor)
        compared.append(cvat.compared)
    assert compared == [1, 1, 2, 2]
