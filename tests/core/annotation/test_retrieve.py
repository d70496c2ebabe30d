"""Reading back while people work on: never half of it, never the same twice, and each version with its author."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ava_core.annotation import reader, retrieve
from ava_core.annotation.gateway import CvatGateway
from ava_core.store import readings, tasks
from tests.support.annotation_site import PEOPLE, AnnotationSite


@pytest.fixture
def done(site: AnnotationSite) -> int:
    """A completed job, seen by the platform."""
    job_id = int(site.create().filter(pl.col("annotator") != "")["job_id"][0])
    with site.gateway() as gateway:
        gateway.set_job(job_id, state="completed")
    site.look()
    return job_id


def meanwhile(monkeypatch: pytest.MonkeyPatch, site: AnnotationSite, change: Any, times: int = 1) -> None:
    """`change(gateway)` happens right after a job's content was read, so many times."""
    original, left = CvatGateway.annotations, [times]

    def read(self: CvatGateway, job_id: int) -> Any:
        content = original(self, job_id)
        if left[0]:
            left[0] -= 1
            with site.gateway() as other:
                change(other)
        return content

    monkeypatch.setattr(CvatGateway, "annotations", read)


def test_work_that_is_opened_again_while_it_is_read_is_left_alone(
    site: AnnotationSite, done: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, site, lambda gateway: gateway.set_job(done, state="in progress"))
    assert site.read()["completed_jobs"].is_empty()
    assert readings.latest(site.store, [done]) == {}
    assert tasks.completed_jobs(site.store, "b") == []


def test_a_change_while_it_is_read_is_read_as_well(
    site: AnnotationSite, done: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, site, lambda gateway: gateway.put_tracks(done, []))
    tables = site.read()
    assert tables["raw_boxes"].is_empty(), "the newer content"
    assert tables["completed_jobs"]["version"].to_list() == [1]
    with site.gateway() as gateway:
        assert (
            readings.latest(site.store, [done])[done].server_updated_at == gateway.job(done)["updated_date"]
        )


def test_a_job_that_never_rests_is_taken_up_later(
    site: AnnotationSite, done: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    often = reader.READ_TRIES
    meanwhile(monkeypatch, site, lambda gateway: gateway.set_job(done, state="completed"), often)
    assert site.read()["completed_jobs"].is_empty()
    assert site.read()["completed_jobs"]["job_id"].to_list() == [done]


def test_a_touch_without_a_change_makes_no_version(site: AnnotationSite, done: int) -> None:
    first = site.read()
    with site.gateway() as gateway:
        gateway.set_job(done, state="completed")
    site.look()
    assert site.read()["completed_jobs"].equals(first["completed_jobs"])
    [reading] = readings.latest(site.store, [done]).values()
    assert reading.version == 1


def test_done_work_keeps_its_author_whoever_the_job_is_given_to(site: AnnotationSite, done: int) -> None:
    [author] = site.read()["completed_jobs"]["annotator"].to_list()
    with site.gateway() as gateway:
        other = next(name for name in PEOPLE if name != author)
        gateway.set_job(done, assignee=gateway.members()[other])
    site.look()
    assert site.read()["completed_jobs"].select("annotator", "version").rows() == [(author, 1)]


def test_work_that_somebody_else_does_over_is_a_version_of_its_new_author(
    site: AnnotationSite, done: int
) -> None:
    [author] = site.read()["completed_jobs"]["annotator"].to_list()
    with site.gateway() as gateway:
        other = next(name for name in PEOPLE if name != author)
        gateway.set_job(done, assignee=gateway.members()[other], state="in progress")
    site.look()
    with site.gateway() as gateway:
        gateway.set_job(done, state="completed")
    site.look()
    assert site.read()["completed_jobs"].select("annotator", "version").rows() == [(author, 1)], (
        "only looked at"
    )
    with site.gateway() as gateway:
        gateway.set_job(done, state="in progress")
        gateway.put_tracks(done, [])
        gateway.set_job(done, state="completed")
    site.look()
    assert site.read()["completed_jobs"].select("annotator", "version").rows() == [(other, 2)]


@pytest.mark.parametrize("stage", ["validation", "acceptance"])
def test_work_that_is_moved_on_in_cvat_stays_its_authors_work(
    site: AnnotationSite, done: int, stage: str
) -> None:
    [author] = site.read()["completed_jobs"]["annotator"].to_list()
    with site.gateway() as gateway:
        reviewer = next(name for name in PEOPLE if name != author)
        gateway.set_job(done, stage=stage, assignee=gateway.members()[reviewer])
    for state in ("new", "in progress", "completed"):
        with site.gateway() as gateway:
            gateway.set_job(done, state=state)
        site.look()
        assert site.read()["completed_jobs"].select("annotator", "version").rows() == [(author, 1)], state
    with site.gateway() as gateway:
        gateway.set_job(done, state="rejected")
    site.look()
    assert site.read()["completed_jobs"].is_empty(), "work that is to be done again"


def test_what_annotators_did_is_held_to_the_rules(site: AnnotationSite, done: int) -> None:
    tables = site.read()
    findings = retrieve.check_rules(site.context, tables)
    assert set(findings["rule"]) == {"tiny_box"}, "boxes of 12 × 24 pixels"
    [task] = {job.task_id for job in tasks.jobs_of(site.store, "b") if job.job_id == done}
    page = f"{site.settings.resolved_cvat_url}/tasks/{task}/jobs/{done}"
    assert findings["link"].to_list() == [f"{page}?frame=0", f"{page}?frame=30"]
