"""From a plan to jobs on a real HTTP server and back: once, whatever breaks in between; nothing lost or doubled."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ava_core.annotation import pool
from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.sync import completed_work
from ava_core.annotation.tasks import create_tasks
from ava_core.base.errors import (
    AssignmentError,
    CvatError,
    CvatLoginError,
    CvatUnreachableError,
    InputError,
)
from ava_core.base.schemas import CVAT_JOBS
from ava_core.base.settings import load_settings
from ava_core.batch import BatchContext
from ava_core.ontology import load_ontology
from ava_core.store import annotators, batches, open_store, readings, tasks
from ava_core.video.outcome import set_aside_of
from tests.support.annotation_site import PEOPLE, AnnotationSite


def test_a_task_per_clip_and_a_job_per_annotator(site: AnnotationSite) -> None:
    jobs = site.create()
    assert dict(jobs.schema) == dict(CVAT_JOBS)
    by_clip = {clip: rows for (clip,), rows in jobs.group_by("clip_id")}
    shapes = sorted((rows.height, rows.filter(pl.col("annotator") != "").height) for rows in by_clip.values())
    assert shapes == [(1, 1), (3, 2)], "the shared clip has a parent and two replicas, the other one job"
    assert site.server_tasks() == ["c0", "c1"]
    with site.server.api() as api:
        for job_id, annotator in jobs.select("job_id", "annotator").rows():
            job = api.get(f"/api/jobs/{job_id}").json()
            drawn = api.get(f"/api/jobs/{job_id}/annotations").json()["tracks"]
            assert (job["assignee"] or {}).get("username", "") == annotator
            assert len(drawn) == (1 if annotator else 0)
            assert job["organization"] is not None, "made inside the organisation"


def test_a_batch_in_the_archive_gets_none(site: AnnotationSite) -> None:
    batches.set_archived(site.store, "b", True)
    with pytest.raises(InputError, match="b is in the archive"):
        site.create()
    assert site.server_tasks() == []
    batches.set_archived(site.store, "b", False)
    assert site.create().height


def test_making_them_again_changes_nothing(site: AnnotationSite) -> None:
    first = site.create()
    assert site.create().equals(first)
    assert site.server_tasks() == ["c0", "c1"]


@pytest.mark.parametrize("method", ["create_task", "jobs_of_task", "put_tracks", "set_job"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_point_is_taken_up_where_it_stopped(
    site: AnnotationSite, monkeypatch: pytest.MonkeyPatch, method: str, when: str
) -> None:
    """A call that fails, or whose answer is lost: the next run ends in exactly the planned tasks."""
    original = getattr(CvatGateway, method)
    calls = []

    def breaks(self: CvatGateway, *arguments: Any, **named: Any) -> Any:
        calls.append(method)
        if len(calls) != 2:
            return original(self, *arguments, **named)
        if when == "after":
            original(self, *arguments, **named)
        raise CvatError("the connection broke")

    monkeypatch.setattr(pool, "AT_ONCE", 1)
    monkeypatch.setattr(CvatGateway, method, breaks)
    with pytest.raises(CvatError, match="connection broke"):
        site.create()
    monkeypatch.setattr(CvatGateway, method, original)
    jobs = site.create()
    assert site.server_tasks() == ["c0", "c1"]
    assert jobs.filter(pl.col("annotator") != "").height == 3
    with site.server.api() as api:
        for job_id in jobs.filter(pl.col("annotator") != "")["job_id"]:
            assert len(api.get(f"/api/jobs/{job_id}/annotations").json()["tracks"]) == 1
            assert api.get(f"/api/jobs/{job_id}").json()["assignee"] is not None


@pytest.mark.parametrize("left", [0, 200, None], ids=["empty", "cut short", "missing"])
def test_a_clip_that_the_server_cannot_use_stops_no_other_and_leaves_no_task(
    site: AnnotationSite, left: int | None
) -> None:
    broken = site.storage.local(site.storage.path("clips", "c1.mp4"))
    whole = broken.read_bytes()
    broken.unlink()
    if left is not None:
        broken.write_bytes(whole[:left])
    jobs = site.create()
    assert jobs["clip_id"].unique().to_list() == site.server_tasks() == ["c0"]
    ((aside, reason),) = set_aside_of(site.context, "cvat_tasks").rows()
    assert aside == "c1"
    assert reason
    broken.write_bytes(whole)
    site.create()
    assert site.server_tasks() == ["c0", "c1"]
    assert set_aside_of(site.context, "cvat_tasks").is_empty()


def test_a_lost_database_finds_its_tasks_on_the_server(site: AnnotationSite, tmp_path: Path) -> None:
    jobs = site.create()
    site.store = open_store(f"sqlite:///{tmp_path / 'new.db'}")
    batches.add(site.store, "b", "x", {})
    for name in PEOPLE:
        annotators.put(site.store, name)
    assert site.create().equals(jobs)
    assert site.server_tasks() == ["c0", "c1"]


def test_two_runs_at_once_make_each_task_once(site: AnnotationSite) -> None:
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: site.create(), range(2))
    assert first.equals(second)
    assert site.server_tasks() == ["c0", "c1"]


@pytest.mark.parametrize("size", [{"annotators_per_clip": 3}, {"overlap": 0.0}])
def test_work_that_is_found_again_stays_as_it_was_dealt(site: AnnotationSite, size: dict[str, Any]) -> None:
    """The database is lost, and clips would be dealt otherwise today: completed work is no less welcome."""
    jobs = site.create()
    finish(site, jobs.filter(pl.col("annotator") != "")["job_id"][0])
    site.forget()
    site.settings = site.settings.with_options(size)
    assert site.create().equals(jobs)
    assert site.server_tasks() == ["c0", "c1"]


def test_completed_work_is_never_advised_to_be_removed(site: AnnotationSite) -> None:
    job = site.create().filter(pl.col("annotator") != "").row(0, named=True)
    finish(site, job["job_id"])
    site.forget()
    site.clips = site.clips.with_columns(frames=pl.lit(59, pl.Int32))
    with pytest.raises(CvatError, match="Nothing was removed") as caught:
        site.create()
    assert "Rename the task" in caught.value.cure
    assert "remove it" not in str(caught.value)
    assert set(site.server_tasks()) == {"c0", "c1"}


def test_work_without_an_author_is_nobodys(site: AnnotationSite) -> None:
    """The account was removed in CVAT, and then the database was lost: the plan's names are not put to it."""
    job = site.create().filter(pl.col("annotator") != "").row(0, named=True)
    finish(site, job["job_id"])
    with site.gateway() as gateway:
        gateway.set_job(job["job_id"], assignee=None)
    site.forget()
    with pytest.raises(CvatError, match=f"job {job['job_id']} was started .*not assigned to anyone"):
        site.create()


def test_another_batch_never_gets_the_task_of_a_clip_of_the_same_name(
    site: AnnotationSite, tmp_path: Path
) -> None:
    """Ids of an earlier version could be alike: the other batch is refused, before anything is made."""
    site.create()
    batches.add(site.store, "other", "x", {})
    at = BatchContext(
        "other", site.settings, storage=site.storage, store=site.store, ontology=site.ontology
    )  # fmt: skip
    with pytest.raises(InputError, match="c0 of batch other has the id of a clip of batch b"):
        create_tasks(at, site.clips, site.tracks)
    assert site.server_tasks() == ["c0", "c1"]
    assert tasks.tasks_of(site.store, "other") == []


def test_a_task_is_known_by_its_batch_too(site: AnnotationSite, tmp_path: Path) -> None:
    """Two platforms that share a project, or a database that was lost: the other one's task is left alone."""
    jobs = site.create()
    store = open_store(f"sqlite:///{tmp_path / 'new.db'}")
    batches.add(store, "other", "x", {})
    for name in PEOPLE:
        annotators.put(store, name)
    at = BatchContext("other", site.settings, storage=site.storage, store=store, ontology=site.ontology)
    made = create_tasks(at, site.clips, site.tracks)
    assert site.server_tasks() == ["c0", "c0", "c1", "c1"]
    assert not set(made["task_id"]) & set(jobs["task_id"])


def test_a_task_that_an_earlier_version_made_is_found(site: AnnotationSite, tmp_path: Path) -> None:
    """It says nothing of its batch."""
    site.create()
    with site.server.api() as api:
        for task in api.get("/api/tasks").json()["results"]:
            assert task["subset"] == "b"
            api.patch(f"/api/tasks/{task['id']}", json={"subset": ""}).raise_for_status()
    site.store = open_store(f"sqlite:///{tmp_path / 'new.db'}")
    batches.add(site.store, "b", "x", {})
    for name in PEOPLE:
        annotators.put(site.store, name)
    site.create()
    assert site.server_tasks() == ["c0", "c1"]


def test_work_that_has_begun_is_never_written_over(site: AnnotationSite) -> None:
    site.create()
    [job] = [job for job in tasks.jobs_of(site.store, "b") if job.of_annotator][:1]
    with site.gateway() as gateway:
        gateway.put_tracks(job.job_id, [])
        gateway.set_job(job.job_id, state="in progress")
    site.forget()
    site.create()
    with site.gateway() as gateway:
        assert gateway.annotations(job.job_id)["tracks"] == []


def test_nobody_to_assign_to_is_said_before_anything_is_made(site: AnnotationSite) -> None:
    for name in PEOPLE:
        annotators.set_state(site.store, name, active=False)
    with pytest.raises(AssignmentError, match="ava annotator add"):
        site.create()
    assert site.server_tasks() == []


def test_someone_who_is_no_member_is_named(site: AnnotationSite) -> None:
    for name in PEOPLE:
        annotators.set_state(site.store, name, active=False)
    for name in ("ghost", "wraith"):
        annotators.put(site.store, name)
    with pytest.raises(CvatError, match=r"(ghost|wraith).*not a member"):
        site.create()
    assert site.server_tasks() == []


def finish(site: AnnotationSite, job_id: int, **change: Any) -> None:
    with site.gateway() as gateway:
        gateway.set_job(job_id, **(change or {"state": "completed"}))
    site.look()


def test_completed_jobs_are_read_as_drawn_and_once(site: AnnotationSite) -> None:
    jobs = site.create().filter(pl.col("annotator") != "")
    assert completed_work(site.store) == {}
    finish(site, jobs["job_id"][0])
    first = completed_work(site.store)["b"]
    assert (first.completed, first.total) == (1, 3)
    tables = site.read()
    boxes = tables["raw_boxes"]
    assert boxes.select("second", "x1", "edited", "version").rows() == [
        (0, 0.0, False, 1),
        (1, 30.0, False, 1),
    ]
    assert tables["completed_jobs"].height == 1
    assert site.read()["raw_boxes"].equals(boxes)
    assert len(readings.latest(site.store, jobs["job_id"].to_list())) == 1


def test_work_that_is_done_again_is_read_again(site: AnnotationSite) -> None:
    jobs = site.create().filter(pl.col("annotator") != "")
    job_id = jobs["job_id"][0]
    finish(site, job_id)
    site.read()
    before = completed_work(site.store)["b"].digest
    finish(site, job_id, state="in progress")
    assert completed_work(site.store) == {}
    assert site.read()["completed_jobs"].is_empty(), "open work counts for nothing"
    with site.gateway() as gateway:
        gateway.put_tracks(job_id, [])
    finish(site, job_id)
    assert completed_work(site.store)["b"].digest != before
    tables = site.read()
    assert tables["raw_boxes"].is_empty()
    assert tables["completed_jobs"]["version"].to_list() == [2], "an empty job is work, too"


def test_moving_a_job_on_makes_nothing_done_and_nothing_undone(site: AnnotationSite) -> None:
    first, second = site.create().filter(pl.col("annotator") != "")["job_id"][:2]
    finish(site, first)
    finish(site, first, stage="validation")
    finish(site, second, stage="validation")
    assert completed_work(site.store)["b"].completed == 1


def test_a_job_given_to_someone_else_on_the_server_is_theirs(site: AnnotationSite) -> None:
    job = site.create().filter(pl.col("annotator") != "").row(0, named=True)
    other = next(name for name in PEOPLE if name != job["annotator"])
    with site.gateway() as gateway:
        number = gateway.members()[other]
    finish(site, job["job_id"], assignee=number)
    finish(site, job["job_id"])
    assert site.read()["completed_jobs"]["annotator"].to_list() == [other]


def test_another_form_is_refused(site: AnnotationSite) -> None:
    site.create()
    with site.gateway() as gateway, pytest.raises(CvatError, match="does not match"):
        gateway.ensure_project(site.settings.cvat_project, load_ontology("ava80"))


@pytest.mark.parametrize("secret", ["cvat_password", "cvat_token"])
def test_a_wrong_password_or_token_is_one_sentence_without_it(site: AnnotationSite, secret: str) -> None:
    wrong = site.settings.with_options({secret: "wrong-secret"})
    with pytest.raises(CvatLoginError, match="does not accept") as caught, CvatGateway(wrong) as gateway:
        gateway.members()
    assert "wrong-secret" not in str(caught.value)


def test_an_unreachable_server_is_one_sentence(tmp_path: Path) -> None:
    away = load_settings(home=tmp_path, cvat_url="http://127.0.0.1:9", cvat_password="x")
    with pytest.raises(CvatUnreachableError, match="AVA_CVAT_URL"), CvatGateway(away):
        pass
