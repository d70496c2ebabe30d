"""When work began and was completed, by what the server says at each look."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete

from ava_core.annotation.deliveries import keep_deliveries
from ava_core.annotation.sync import as_seen, unread_work
from ava_core.store import tasks
from ava_core.store.tables import Job, Task
from tests.support.annotation_site import AnnotationSite


def at(minute: int) -> datetime:
    return datetime(2026, 11, 22, 10, minute, tzinfo=UTC)


def looks(*seen: str) -> Job:
    """A job of mia's after a look a minute, which saw it in these states: `state` of annotation, or `state@stage`."""
    job = Job(job_id=1, annotator="mia", stage="annotation", state="new")
    for minute, text in enumerate(seen, start=1):
        state, _, stage = text.partition("@")
        answer = {
            "stage": stage or "annotation", "state": state, "assignee": {"username": "mia"},
            "updated_date": at(minute).isoformat().replace("+00:00", "Z"),
        }  # fmt: skip
        for name, value in as_seen(job, answer).items():
            setattr(job, name, value)
    return job


@pytest.mark.parametrize(
    ("seen", "started", "completed"),
    [
        (["new"], None, None),
        (["in progress"], 1, None),
        (["new", "in progress", "in progress", "completed"], 2, 4),
        (["completed"], None, 1),
        (["completed", "completed"], None, 1),
        (["in progress", "completed", "rejected"], 1, None),
        (["in progress", "completed", "in progress", "completed"], 1, 4),
        (["in progress@validation"], None, None),
        (["in progress", "completed@acceptance"], 1, 2),
        (["in progress", "completed", "new@validation", "in progress@validation"], 1, 2),
        (["in progress", "completed", "new@validation", "completed@acceptance"], 1, 2),
        (["in progress", "completed", "new@validation", "rejected@validation"], 1, None),
        (["in progress", "new@validation"], 1, None),
    ],
    ids=[
        "not begun", "begun", "begun and saved again", "its beginning not seen", "changed after completion",
        "handed back", "done again", "a reviewer's work", "accepted",
        "moved on", "moved on and accepted", "moved on and rejected", "moved on before it was done",
    ],
)  # fmt: skip
def test_moments_are_of_the_look_that_first_saw_a_state(
    seen: list[str], started: int | None, completed: int | None
) -> None:
    job = looks(*seen)
    assert job.started_at == (started and at(started))
    assert job.completed_at == (completed and at(completed))


def test_work_that_changes_hands_begins_anew() -> None:
    job = looks("in progress")
    answer = {"stage": "annotation", "state": "in progress", "assignee": {"username": "tom"}}
    assert as_seen(job, answer | {"updated_date": at(9).isoformat()})["started_at"] == at(9)


def told(job_id: int, moment: datetime, **state: str) -> dict[str, Any]:
    """The webhook's word that a job became completed."""
    shown = {"id": job_id, "stage": "annotation", "state": "completed", "updated_date": moment.isoformat()}
    return {
        "event": "update:job",
        "job": shown,
        "changes": state or {"state": {"from": "new", "to": "completed"}},
    }


def test_completion_is_the_webhooks_moment_not_that_of_a_later_touch(site: AnnotationSite) -> None:
    site.create()
    job_id = own_job(site).job_id
    with site.gateway() as gateway:
        moment = datetime.fromisoformat(gateway.set_job(job_id, state="completed")["updated_date"])
        keep_deliveries(site.store, [told(job_id, moment)])
        gateway.put_tracks(job_id, [])
        assert datetime.fromisoformat(gateway.job(job_id)["updated_date"]) > moment, "it was touched since"
    for _ in range(2):
        site.look()
        assert own_job(site).completed_at == moment


def test_a_late_word_or_one_of_another_change_is_no_completion(site: AnnotationSite) -> None:
    site.create()
    job_id = own_job(site).job_id
    with site.gateway() as gateway:
        early = datetime.fromisoformat(gateway.set_job(job_id, state="completed")["updated_date"])
        gateway.set_job(job_id, state="in progress")
        again = datetime.fromisoformat(gateway.set_job(job_id, state="completed")["updated_date"])
    site.look()
    keep_deliveries(site.store, [told(job_id, early)])
    keep_deliveries(site.store, [told(job_id, datetime.now(UTC), updated_date="…")])
    site.look()
    assert own_job(site).completed_at == again


def own_job(site: AnnotationSite) -> Any:
    return next(job for job in tasks.jobs_of(site.store, "b") if job.of_annotator)


def test_the_database_learns_moments_from_the_server(site: AnnotationSite) -> None:
    site.create()
    ready = own_job(site)
    assert ready.created_at is not None
    assert (ready.started_at, ready.completed_at) == (None, None)
    moments = []
    for state in ("in progress", "completed"):
        with site.gateway() as gateway:
            moments.append(datetime.fromisoformat(gateway.set_job(ready.job_id, state=state)["updated_date"]))
        site.look()
    job = own_job(site)
    assert (job.created_at, job.started_at, job.completed_at) == (ready.created_at, *moments)
    with site.gateway() as gateway:
        gateway.set_job(job.job_id, state="rejected")
    site.look()
    assert own_job(site).completed_at is None


def test_jobs_that_are_found_again_on_the_server_know_when_they_were_completed(site: AnnotationSite) -> None:
    """The database is lost; the server has the tasks, and work in them."""
    site.create()
    job_id = own_job(site).job_id
    with site.gateway() as gateway:
        moment = datetime.fromisoformat(gateway.set_job(job_id, state="completed")["updated_date"])
    with site.store.session() as session:
        session.execute(delete(Job))
        session.execute(delete(Task))
    site.create()
    [found] = [job for job in tasks.jobs_of(site.store, "b") if job.job_id == job_id]
    assert (found.state, found.started_at, found.completed_at) == ("completed", None, moment)


def test_work_is_unread_until_its_present_state_was_read(site: AnnotationSite) -> None:
    site.create()
    job_id = own_job(site).job_id
    assert unread_work(site.store) == {}
    for state in ("completed", "rejected", "completed"):
        with site.gateway() as gateway:
            gateway.set_job(job_id, state=state)
        site.look()
        assert unread_work(site.store) == ({"b": 1} if state == "completed" else {})
        if state == "completed":
            site.read()
            assert unread_work(site.store) == {}
