"""What CVAT's own people remove, move and change is found, said with its cure, and mended by one function."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ava_core.annotation import gateway as gateway_module
from ava_core.annotation import pool, setup, staffing
from ava_core.annotation import reconcile as reconciling
from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.mending import look, mend
from ava_core.annotation.sync import look_at_jobs
from ava_core.base.errors import AssignmentError, CvatError, InputError
from ava_core.ontology.form import LABEL
from ava_core.store import annotators, audit_log, discrepancies, tasks
from ava_core.store.tables import Discrepancy, Job, Task
from tests.support.annotation_site import AnnotationSite


@pytest.fixture
def made(site: AnnotationSite) -> AnnotationSite:
    """The site with its tasks, and its tables where the graph has them."""
    site.keep_tables()
    site.create()
    assert look(site.settings, site.store) == [], "what was just made differs in nothing"
    return site


def found(site: AnnotationSite) -> list[Discrepancy]:
    return look(site.settings, site.store)


def mended(site: AnnotationSite) -> str:
    [one] = found(site)
    said = mend(site.settings, site.store, one.kind, one.subject, "ann")
    assert discrepancies.known(site.store) == []
    return said


def shared(site: AnnotationSite) -> Task:
    parents = {job.task_id for job in tasks.jobs_of(site.store, "b") if not job.of_annotator}
    return next(task for task in tasks.everything(site.store) if task.task_id in parents)


def own_jobs(site: AnnotationSite, task_id: int = 0) -> list[Job]:
    jobs = [job for job in tasks.jobs_of(site.store, "b") if job.of_annotator]
    return [job for job in jobs if task_id in (0, job.task_id)]


def remove(site: AnnotationSite, path: str) -> None:
    """As somebody at CVAT does, who knows nothing of the platform."""
    with site.server.api() as api:
        api.delete(f"/api/{path}").raise_for_status()


def finish(site: AnnotationSite, job_id: int) -> None:
    with site.server.api() as api:
        api.patch(f"/api/jobs/{job_id}", json={"state": "completed"}).raise_for_status()
    site.look()


def test_a_removed_task_is_found_and_made_anew_for_the_same_people(made: AnnotationSite) -> None:
    task = shared(made)
    people = {job.annotator for job in own_jobs(made, task.task_id)}
    remove(made, f"tasks/{task.task_id}")
    [one] = found(made)
    assert (one.kind, one.batch, one.clip_id) == ("task_missing", "b", task.clip_id)
    assert all(name in one.said for name in people)
    assert {job.state for job in own_jobs(made, task.task_id)} == {"missing"}
    assert "has its task again" in mended(made)
    assert made.server_tasks() == ["c0", "c1"]
    again = [job for job in own_jobs(made) if job.clip_id == task.clip_id]
    assert {job.annotator for job in again} == people
    assert {job.state for job in again} == {"new"}
    table = made.create()
    assert made.server_tasks() == ["c0", "c1"], "made once more, nothing doubles"
    assert task.task_id not in table["task_id"].to_list()
    with made.server.api() as api:
        for job in again:
            assert len(api.get(f"/api/jobs/{job.job_id}/annotations").json()["tracks"]) == 1
    assert [entry.action for entry in audit_log.newest(made.store)] == ["mend", "task missing"]


def test_work_of_a_removed_task_that_was_read_counts_on(made: AnnotationSite) -> None:
    task = shared(made)
    done, left = own_jobs(made, task.task_id)
    finish(made, done.job_id)
    before = made.read()
    remove(made, f"tasks/{task.task_id}")
    [one] = found(made)
    assert left.annotator in one.said
    assert done.annotator not in one.said
    assert made.read()["raw_boxes"].equals(before["raw_boxes"])
    mended(made)
    assert made.read()["raw_boxes"].equals(before["raw_boxes"])
    again = [job for job in own_jobs(made) if job.clip_id == task.clip_id and job.job_id != done.job_id]
    assert [job.annotator for job in again] == [left.annotator]
    finish(made, again[0].job_id)
    names = made.read()["completed_jobs"].filter(pl.col("clip_id") == task.clip_id)["annotator"]
    assert set(names) == {done.annotator, left.annotator}


def test_a_removed_task_whose_work_was_all_read_needs_nothing(made: AnnotationSite) -> None:
    task = shared(made)
    for job in own_jobs(made, task.task_id):
        finish(made, job.job_id)
    made.read()
    remove(made, f"tasks/{task.task_id}")
    assert found(made) == []
    assert [entry.action for entry in audit_log.newest(made.store)] == ["task missing"]
    assert found(made) == []
    assert len(audit_log.newest(made.store)) == 1, "said once"


def test_nobody_is_staffed_on_a_removed_task(made: AnnotationSite) -> None:
    task = shared(made)
    job = own_jobs(made, task.task_id)[0]
    remove(made, f"tasks/{task.task_id}")
    with pytest.raises(AssignmentError, match="removed on CVAT"):
        staffing.top_up(made.context, task.clip_id, "ann", job.annotator)
    for change in (
        lambda: staffing.reassign(made.settings, made.store, job.job_id, job.annotator, "ann"),
        lambda: staffing.hand_back(made.settings, made.store, [job.job_id], "ann"),
    ):
        with pytest.raises(AssignmentError, match=r"removed on CVAT.*Progress"):
            change()


def test_a_server_that_is_another_one_loses_no_task(
    made: AnnotationSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is there: the address is wrong, or the project was removed. The first undoes itself."""
    with monkeypatch.context() as patch:
        patch.setattr(CvatGateway, "has_project", lambda gateway, number: False)
        patch.setattr(CvatGateway, "tasks_of_project", lambda gateway, number: [])
        [one] = found(made)
        assert one.kind == "project_missing"
        assert "AVA_CVAT_URL" in one.cure
    assert found(made) == []
    assert {job.state for job in own_jobs(made)} == {"new"}


def test_a_removed_project_is_made_anew_with_its_tasks(made: AnnotationSite) -> None:
    before = {(job.clip_id, job.annotator) for job in own_jobs(made)}
    [project] = {task.project_id for task in tasks.everything(made.store)}
    remove(made, f"projects/{project}")
    assert "2 task" in mended(made)
    assert made.server_tasks() == ["c0", "c1"]
    assert {(job.clip_id, job.annotator) for job in own_jobs(made)} == before
    assert {job.state for job in own_jobs(made)} == {"new"}


def test_the_making_of_a_removed_projects_tasks_is_taken_up_where_it_stopped(
    made: AnnotationSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {(job.clip_id, job.annotator) for job in own_jobs(made)}
    [project] = {task.project_id for task in tasks.everything(made.store)}
    remove(made, f"projects/{project}")
    [one] = found(made)
    original = CvatGateway.put_tracks
    calls = []

    def breaks(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 4:
            raise CvatError("the connection broke")
        original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(CvatGateway, "put_tracks", breaks)
        patch.setattr(reconciling, "HALF_MADE_SECONDS", 0.0)
        patch.setattr(pool, "AT_ONCE", 1)
        calls.extend([()] * (4 - len(before)))  # the last job's
        with pytest.raises(CvatError, match="connection broke"):
            mend(made.settings, made.store, one.kind, one.subject, "ann")
        [left] = found(made)
        assert left.kind == "task_missing", "what is half made in its place is no other finding"
    mended(made)
    assert {(job.clip_id, job.annotator) for job in own_jobs(made)} == before
    assert made.server_tasks() == ["c0", "c1"]


def test_a_task_that_is_there_after_all_is_taken_up_again(
    made: AnnotationSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = own_jobs(made)[0]
    finish(made, job.job_id)
    with monkeypatch.context() as patch:
        patch.setattr(CvatGateway, "has_task", lambda gateway, number: False)
        patch.setattr(CvatGateway, "tasks_of_project", lambda gateway, number: [])
        assert {one.kind for one in found(made)} == {"task_missing"}
    assert found(made) == []
    assert {j.job_id: j.state for j in own_jobs(made)}[job.job_id] == "completed"
    assert {task.status for task in tasks.everything(made.store)} == {"annotation"}


def test_a_task_in_another_project_is_named_and_left_to_its_people(
    made: AnnotationSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(CvatGateway, "tasks_of_project", lambda gateway, number: [])
        moved = found(made)
    assert {one.kind for one in moved} == {"task_moved"}
    assert {job.state for job in own_jobs(made)} == {"new"}
    discrepancies.replace(made.store, moved[:1])
    with pytest.raises(InputError, match="Move it back"):
        mend(made.settings, made.store, "task_moved", moved[0].subject, "ann")


def label_of(site: AnnotationSite) -> dict[str, Any]:
    [project] = {task.project_id for task in tasks.everything(site.store)}
    with site.server.api() as api:
        [label] = api.get("/api/labels", params={"project_id": project}).json()["results"]
    return dict(label)


def change_attribute(site: AnnotationSite, **change: Any) -> int:
    label = label_of(site)
    attribute = next(a for a in label["attributes"] if a["input_type"] == "select")
    body = {"attributes": [attribute | change]}
    with site.server.api() as api:
        api.patch(f"/api/labels/{label['id']}", json=body).raise_for_status()
    return int(attribute["id"])


def test_values_that_were_taken_away_are_put_back_with_their_ids(made: AnnotationSite) -> None:
    before = label_of(made)
    values = next(a for a in before["attributes"] if a["input_type"] == "select")["values"]
    change_attribute(made, values=[*values[:-1], "flying"])
    [one] = found(made)
    assert one.kind == "form_changed"
    assert repr(values[-1]) in one.said
    [step] = [s for s in setup.check(made.settings, made.ontology, []) if s.what.startswith("project")]
    assert (step.state, values[-1] in step.said) == ("by hand", True)
    mended(made)
    after = label_of(made)
    assert [a["id"] for a in after["attributes"]] == [a["id"] for a in before["attributes"]]
    assert next(a for a in after["attributes"] if a["input_type"] == "select")["values"] == [
        *values,
        "flying",
    ]


def test_a_renamed_attribute_gets_its_name_back(made: AnnotationSite) -> None:
    before = label_of(made)
    change_attribute(made, name="pose of the body")
    mended(made)
    assert label_of(made)["attributes"] == before["attributes"]


def test_a_removed_label_is_put_back(made: AnnotationSite) -> None:
    remove(made, f"labels/{label_of(made)['id']}")
    [one] = found(made)
    assert LABEL in one.said
    mended(made)
    assert made.create().height
    top_up = staffing.top_up(made.context, shared(made).clip_id, "ann")
    assert top_up, "new tasks are made with the new label"


def test_a_label_that_was_made_anew_by_hand_is_taken_up(made: AnnotationSite) -> None:
    label = label_of(made)
    remove(made, f"labels/{label['id']}")
    [project] = {task.project_id for task in tasks.everything(made.store)}
    own = ("name", "mutable", "input_type", "default_value", "values")
    attributes = [{name: attribute[name] for name in own} for attribute in label["attributes"]]
    with made.server.api() as api:
        body = {"labels": [{"name": LABEL, "attributes": attributes}]}
        api.patch(f"/api/projects/{project}", json=body).raise_for_status()
    [one] = found(made)
    assert "made with" in one.said
    mended(made)


def membership(site: AnnotationSite, name: str) -> int:
    with site.server.api() as api:
        rows = api.get("/api/memberships", params={"org": "ava", "page_size": 100}).json()["results"]
    return int(next(row["id"] for row in rows if row["user"]["username"] == name))


def test_a_member_who_was_removed_is_invited_again(made: AnnotationSite) -> None:
    job = own_jobs(made)[0]
    remove(made, f"memberships/{membership(made, job.annotator)}")
    with made.server.api() as api:
        api.patch(f"/api/jobs/{job.job_id}", json={"assignee": None}).raise_for_status()
    [one] = found(made)
    assert (one.kind, one.subject) == ("member_missing", job.annotator)
    assert "open job" in one.said
    assert [step.what for step in setup.differences(made.settings, made.store)] == [
        "tasks, labels and members"
    ], "said by the check of members already"
    assert "member again" in mended(made)
    with made.server.api() as api:
        assert api.get(f"/api/jobs/{job.job_id}").json()["assignee"]["username"] == job.annotator


def test_a_person_who_gets_no_work_and_has_none_may_leave(made: AnnotationSite) -> None:
    busy = {job.annotator for job in own_jobs(made)}
    annotators.put(made.store, "gone")
    assert [one.subject for one in found(made)] == ["gone"]
    annotators.set_state(made.store, "gone", active=False)
    assert "gone" not in busy
    assert found(made) == []


def test_a_task_that_was_half_made_is_made_again(
    site: AnnotationSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run was killed after the task was begun, and nobody ran it again."""
    site.keep_tables()
    site.create()
    who = next(
        n
        for n in ("maria", "tomas", "chloe")
        if n not in {j.annotator for j in own_jobs(site) if j.clip_id == "c0"}
    )
    [project] = {task.project_id for task in tasks.everything(site.store)}
    with site.server.api() as api:
        body = {"name": f"c0+{who}", "project_id": project}
        api.post("/api/tasks", params={"org": "ava"}, json=body).raise_for_status()
    assert found(site) == [], "a run may be making it at this moment"
    monkeypatch.setattr(reconciling, "HALF_MADE_SECONDS", 0.0)
    [one] = found(site)
    assert (one.kind, one.subject, one.batch) == ("half_made", f"c0+{who}", "b")
    assert who in mended(site)
    assert site.server_tasks() == ["c0", f"c0+{who}", "c1"]
    assert {job.annotator for job in own_jobs(site) if job.clip_id == "c0"} >= {who}


def test_an_import_worker_that_was_killed_is_not_waited_for(
    site: AnnotationSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request stays "started" with the same progress; the task is removed, and the next try makes it."""
    original = CvatGateway._read

    def hangs(self: CvatGateway, api: str, *arguments: Any, **query: Any) -> Any:
        if api == "requests_api":
            return {"status": "started", "progress": 0.3, "message": "Media files are being extracted..."}
        return original(self, api, *arguments, **query)

    with monkeypatch.context() as patch:
        patch.setattr(gateway_module, "STILL_SECONDS", 0.05)
        patch.setattr(gateway_module, "POLL_SECONDS", 0.01)
        patch.setattr(CvatGateway, "_read", hangs)
        with pytest.raises(CvatError, match="import worker"):
            site.create()
    assert site.server_tasks() == []
    site.create()
    assert site.server_tasks() == ["c0", "c1"]


def test_what_is_settled_cannot_be_settled_again(made: AnnotationSite) -> None:
    with pytest.raises(InputError, match="already settled"):
        mend(made.settings, made.store, "task_missing", "99", "ann")


def test_a_discrepancy_keeps_the_moment_of_its_finding_and_goes_with_its_cause(made: AnnotationSite) -> None:
    annotators.put(made.store, "ghost")
    [first] = found(made)
    [again] = found(made)
    assert again.found_at == first.found_at
    annotators.set_state(made.store, "ghost", paused=True)
    assert found(made) == []
    assert discrepancies.known(made.store) == []


def test_a_look_at_all_jobs_passes_over_what_is_gone(made: AnnotationSite) -> None:
    task = shared(made)
    remove(made, f"tasks/{task.task_id}")
    found(made)
    with made.gateway() as gateway:
        _, changes = look_at_jobs(gateway, made.store)
    assert changes == []
