"""After the tasks are made: another annotator, one more, the same one again; no work is lost or mixed up."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ava_core.annotation import staffing
from ava_core.annotation.gateway import CvatGateway
from ava_core.base.errors import AssignmentError, CvatError, InputError
from ava_core.decisions import approve, reject
from ava_core.store import annotators, audit_log, tasks
from tests.support.annotation_site import PEOPLE, AnnotationSite


def own_jobs(site: AnnotationSite) -> list[Any]:
    return [job for job in tasks.jobs_of(site.store, "b") if job.of_annotator]


def free_person(site: AnnotationSite, clip_id: str) -> str:
    busy = {job.annotator for job in own_jobs(site) if job.clip_id == clip_id}
    return next(name for name in PEOPLE if name not in busy)


def complete(site: AnnotationSite, job_id: int) -> None:
    with site.gateway() as gateway:
        gateway.set_job(job_id, state="completed")
    site.look()


def assignee(site: AnnotationSite, job_id: int) -> str:
    with site.gateway() as gateway:
        return str(gateway.job(job_id)["assignee"]["username"])


def top_up(site: AnnotationSite, clip_id: str, annotator: str = "") -> str:
    site.keep_tables()
    return staffing.top_up(site.context, clip_id, "admin", annotator)


def test_a_job_nobody_has_begun_goes_to_another(site: AnnotationSite) -> None:
    site.create()
    job = own_jobs(site)[0]
    other = free_person(site, job.clip_id)
    staffing.reassign(site.settings, site.store, job.job_id, other, "admin")
    assert assignee(site, job.job_id) == other
    assert next(j.annotator for j in own_jobs(site) if j.job_id == job.job_id) == other
    [entry] = audit_log.newest(site.store)
    assert (entry.actor, entry.action, entry.detail["before"]) == ("admin", "reassign", job.annotator)


def test_begun_work_keeps_its_author(site: AnnotationSite) -> None:
    site.create()
    job = own_jobs(site)[0]
    with site.gateway() as gateway:
        gateway.set_job(job.job_id, state="in progress")
    with pytest.raises(AssignmentError, match="top-up"):
        staffing.reassign(site.settings, site.store, job.job_id, free_person(site, job.clip_id), "admin")
    assert assignee(site, job.job_id) == job.annotator


def test_nobody_gets_two_copies_of_a_clip_or_work_while_paused(site: AnnotationSite) -> None:
    site.create()
    first, second = [job for job in own_jobs(site) if job.clip_id == shared_clip(site)]
    with pytest.raises(AssignmentError, match="already"):
        staffing.reassign(site.settings, site.store, first.job_id, second.annotator, "admin")
    other = free_person(site, first.clip_id)
    annotators.set_state(site.store, other, paused=True)
    with pytest.raises(AssignmentError, match="paused"):
        staffing.reassign(site.settings, site.store, first.job_id, other, "admin")
    with pytest.raises(AssignmentError, match="No other annotator is available"):
        top_up(site, first.clip_id)


def shared_clip(site: AnnotationSite) -> str:
    return next(job.clip_id for job in tasks.jobs_of(site.store, "b") if not job.of_annotator)


def test_an_extra_annotator_gets_the_clip_as_the_others_did(site: AnnotationSite) -> None:
    before = site.create()
    clip = shared_clip(site)
    who = top_up(site, clip)
    extra = site.create().join(before, on="job_id", how="anti")
    assert extra.select("clip_id", "annotator", "job_type").rows() == [(clip, who, "annotation")]
    assert site.server_tasks() == sorted(["c0", "c1", f"{clip}+{who}"])
    with site.server.api() as api:
        job_id = extra["job_id"][0]
        assert len(api.get(f"/api/jobs/{job_id}/annotations").json()["tracks"]) == 1
    complete(site, extra["job_id"][0])
    assert site.read()["completed_jobs"].select("clip_id", "annotator").rows() == [(clip, who)]


def test_a_top_up_that_broke_goes_on_and_is_found_by_a_lost_database(
    site: AnnotationSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.create()
    clip = shared_clip(site)
    original = CvatGateway.put_tracks

    def breaks(*arguments: Any) -> None:
        raise CvatError("the connection broke")

    monkeypatch.setattr(CvatGateway, "put_tracks", breaks)
    with pytest.raises(CvatError):
        top_up(site, clip)
    monkeypatch.setattr(CvatGateway, "put_tracks", original)
    who = top_up(site, clip)
    assert site.server_tasks() == sorted(["c0", "c1", f"{clip}+{who}"])
    known = {job.job_id for job in own_jobs(site)}
    site.forget()
    site.create()
    assert {job.job_id for job in own_jobs(site)} == known


def test_what_is_decided_on_a_clip_holds_for_its_extra_task(site: AnnotationSite) -> None:
    site.create()
    job = next(job for job in own_jobs(site) if job.clip_id == shared_clip(site))
    complete(site, job.job_id)
    approve(site.store, "b", [job.clip_id], "admin")
    top_up(site, job.clip_id)
    assert {t.qc_status for t in tasks.tasks_of(site.store, "b") if t.clip_id == job.clip_id} == {"approved"}


def test_rejected_work_comes_back_with_the_comment_on_its_frame(site: AnnotationSite) -> None:
    site.create()
    job = own_jobs(site)[0]
    complete(site, job.job_id)
    site.read()
    with pytest.raises(InputError, match="not rejected"):
        staffing.requeue(site.context, job.clip_id, "rita")
    reject(site.store, "b", [job.clip_id], "rita", "The box drifts off the person.")
    for _ in range(2):
        staffing.requeue(site.context, job.clip_id, "rita", second=1)
    with site.server.api() as api:
        now = api.get(f"/api/jobs/{job.job_id}").json()
        issues = api.get("/api/issues", params={"job_id": job.job_id}).json()["results"]
        [comment] = api.get("/api/comments", params={"issue_id": issues[0]["id"]}).json()["results"]
    assert (now["stage"], now["state"], now["assignee"]["username"]) == (
        "annotation",
        "rejected",
        job.annotator,
    )
    assert [(issue["frame"], issue["resolved"]) for issue in issues] == [(30, False)]
    assert issues[0]["position"] == [30.0, 20.0, 42.0, 44.0], "around the box at that frame"
    assert comment["message"] == "The box drifts off the person."
    assert site.read()["completed_jobs"].filter(pl.col("job_id") == job.job_id).is_empty()
    complete(site, job.job_id)
    assert site.read()["completed_jobs"]["job_id"].to_list() == [job.job_id]


def hand_over(site: AnnotationSite, job_id: int, name: str) -> None:
    """As somebody at CVAT does."""
    with site.gateway() as gateway:
        number = gateway.members()[name]
    with site.server.api() as api:
        api.patch(f"/api/jobs/{job_id}", json={"assignee": number}).raise_for_status()


def test_somebody_whose_added_task_went_to_another_gets_one_again(site: AnnotationSite) -> None:
    site.create()
    [single] = {job.clip_id for job in own_jobs(site)} - {shared_clip(site)}
    [author] = [job.annotator for job in own_jobs(site) if job.clip_id == single]
    first, other = [name for name in PEOPLE if name != author]
    assert top_up(site, single, first) == first
    [extra] = [job for job in own_jobs(site) if (job.clip_id, job.annotator) == (single, first)]
    hand_over(site, extra.job_id, other)
    assert top_up(site, single, first) == first
    jobs = {job.annotator: job.job_id for job in own_jobs(site) if job.clip_id == single}
    assert set(jobs) == {author, first, other}, "the look that came first saw the move, too"
    assert (jobs[other], assignee(site, jobs[first])) == (extra.job_id, first)
    known = {job.job_id: job.annotator for job in own_jobs(site)}
    site.forget()
    site.create()
    assert {job.job_id: job.annotator for job in own_jobs(site)} == known, "a lost database finds both"


def test_nobody_gets_a_clip_that_was_handed_over_a_moment_ago(site: AnnotationSite) -> None:
    site.create()
    job = next(job for job in own_jobs(site) if job.clip_id == shared_clip(site))
    other = free_person(site, job.clip_id)
    hand_over(site, job.job_id, other)
    with pytest.raises(AssignmentError, match="already"):
        top_up(site, job.clip_id, other)
