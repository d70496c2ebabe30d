"""The embedded annotation server as `cvat-sdk` sees it: the client that the platform and annotators use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cvat_sdk import Client, make_client
from cvat_sdk.api_client import models
from cvat_sdk.api_client.exceptions import ApiException, ForbiddenException, UnauthorizedException
from cvat_sdk.core.exceptions import BackgroundRequestException

from tests.support.annotation_server import PASSWORD, RunningServer, serving

WALKING = {"name": "walking", "mutable": True, "input_type": "select", "values": ["unset", "walk", "run"]}
NOTE = {"name": "note", "mutable": False, "input_type": "text", "values": []}
REPLICAS = 2


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with one organisation and two annotators."""
    with serving(tmp_path_factory.mktemp("sdk")) as running:
        running.add_annotators("annotator1", "annotator2")
        yield running


def sign_in(server: RunningServer, username: str = "admin") -> Client:
    client = make_client(server.url, credentials=(username, PASSWORD))
    client.organization_slug = "ava"
    client.config.status_check_period = 0.05
    return client


@pytest.fixture(scope="module")
def admin(server: RunningServer) -> Iterator[Client]:
    with sign_in(server) as client:
        yield client


@pytest.fixture(scope="module")
def project(admin: Client) -> Any:
    labels = [{"name": "person", "type": "rectangle", "attributes": [WALKING, NOTE]}]
    return admin.projects.create({"name": "people", "labels": labels})


def make_task(admin: Client, project: Any, video: Path, **options: Any) -> Any:
    """A task of one video, ready to annotate."""
    specification = {"name": video.stem, "project_id": project.id, "segment_size": 0, **options}
    return admin.tasks.create_from_data(specification, [str(video)], data_params={"image_quality": 70})


@pytest.fixture
def jobs(admin: Client, project: Any, small_clip: Path, server: RunningServer) -> list[Any]:
    """The jobs of a new task with replicas, the parent first; the first replica is annotator1's."""
    task = make_task(admin, project, small_clip, consensus_replicas=REPLICAS)
    jobs = sorted(task.get_jobs(), key=lambda job: job.id)
    worker = next(user for user in admin.users.list() if user.username == "annotator1")
    jobs[1].update({"assignee": worker.id})
    return jobs


def track(project: Any, *frames: int, ends: bool = False) -> dict[str, Any]:
    """A person who walks: a keyframe at each of `frames`, the last one outside where it `ends`."""
    label = project.get_labels()[0]
    walking = next(a.id for a in label.attributes if a.name == "walking")
    shapes = [
        {"type": "rectangle", "frame": n, "points": [n, 10.0, n + 20.0, 50.0], "outside": ends and n == frames[-1],
         "attributes": [{"spec_id": walking, "value": "walk"}] if n == frames[0] else []}
        for n in frames
    ]  # fmt: skip
    return {"label_id": label.id, "frame": frames[0], "shapes": shapes, "attributes": []}


def annotate(job: Any, *tracks: dict[str, Any]) -> Any:
    job.set_annotations(models.LabeledDataRequest(tracks=list(tracks)))
    return job.get_annotations()


def test_a_wrong_password_is_refused_with_400(server: RunningServer) -> None:
    with pytest.raises(ApiException) as refusal:
        make_client(server.url, credentials=("admin", "wrong"))
    assert refusal.value.status == 400
    assert "Unable to log in" in str(refusal.value.body)


def test_an_access_token_reads_and_does_not_write_by_default(server: RunningServer) -> None:
    with server.api() as api:
        token = api.post("/api/auth/access_tokens", json={"name": "reader"}).json()["value"]
    with make_client(server.url, access_token=token) as client:
        assert client.users.retrieve_current_user().username == "admin"
        with pytest.raises(ForbiddenException):
            client.projects.create({"name": "refused", "labels": []})


def test_logging_out_ends_the_key_for_every_client(server: RunningServer) -> None:
    with sign_in(server, "annotator2") as one, sign_in(server, "annotator2") as other:
        one.logout()
        with pytest.raises(UnauthorizedException):
            other.users.retrieve_current_user()


def test_a_task_with_replicas_has_one_copy_of_the_media_and_a_job_each(jobs: list[Any]) -> None:
    parent, *replicas = jobs
    assert parent.type == "annotation"
    assert [job.type for job in replicas] == ["consensus_replica"] * REPLICAS
    assert {job.parent_job_id for job in replicas} == {parent.id}
    assert {(job.start_frame, job.stop_frame) for job in jobs} == {(0, 59)}
    assert parent.get_frame(3, quality="original").read(4) == b"\x89PNG"


def test_attributes_hold_from_their_keyframe_on(jobs: list[Any], project: Any) -> None:
    stored = annotate(jobs[0], track(project, 0, 30, 59, ends=True)).tracks[0]
    values = [{a.value for a in shape.attributes} for shape in stored.shapes]
    assert values == [{"walk"}] * 3
    assert [shape.outside for shape in stored.shapes] == [False, False, True]


def test_replicas_are_written_one_by_one(admin: Client, jobs: list[Any], project: Any) -> None:
    task = admin.tasks.retrieve(jobs[0].task_id)
    task.set_annotations(models.LabeledDataRequest(tracks=[track(project, 0, 59)]))
    assert [len(job.get_annotations().tracks) for job in jobs] == [1, 0, 0]
    annotate(jobs[1], track(project, 5, 40))
    assert [len(job.get_annotations().tracks) for job in jobs] == [1, 1, 0]


def test_a_track_over_two_jobs_is_cut_at_the_border(admin: Client, project: Any, small_clip: Path) -> None:
    task = make_task(admin, project, small_clip, segment_size=30)
    task.set_annotations(models.LabeledDataRequest(tracks=[track(project, 20, 40)]))
    first, second = sorted(task.get_jobs(), key=lambda job: job.id)
    (left,), (right,) = first.get_annotations().tracks, second.get_annotations().tracks
    assert [(s.frame, s.points[0]) for s in left.shapes] == [(20, 20.0), (29, 29.0)]
    assert [(s.frame, s.points[0]) for s in right.shapes] == [(30, 30.0), (40, 40.0)]


def test_a_new_stage_alone_resets_the_state(jobs: list[Any]) -> None:
    job = jobs[0]
    job.update({"state": "completed"})
    job.update({"stage": "validation"})
    assert (job.fetch().stage, job.state, job.status) == ("validation", "new", "validation")
    job.update({"stage": "acceptance", "state": "completed"})
    assert (job.fetch().state, job.status) == ("completed", "completed")


def test_saving_annotations_does_not_begin_a_job(jobs: list[Any], project: Any) -> None:
    before = jobs[0].fetch().updated_date
    annotate(jobs[0], track(project, 0, 59))
    assert jobs[0].fetch().state == "new"
    assert jobs[0].updated_date > before


def test_a_task_is_completed_when_all_its_jobs_are(admin: Client, jobs: list[Any]) -> None:
    statuses = []
    for job in jobs:
        job.update({"stage": "acceptance", "state": "completed"})
        statuses.append(admin.tasks.retrieve(job.task_id).status)
    assert statuses == ["annotation", "annotation", "completed"]


def test_a_worker_sees_and_does_own_jobs_alone(server: RunningServer, jobs: list[Any], project: Any) -> None:
    with sign_in(server, "annotator1") as worker:
        assert jobs[1].id in {job.id for job in worker.jobs.list()}
        assert not {jobs[0].id, jobs[2].id} & {job.id for job in worker.jobs.list()}
        own = worker.jobs.retrieve(jobs[1].id)
        assert own.task_name is None
        own.update({"state": "in progress"})
        assert annotate(own, track(project, 0, 59)).tracks
        assert own.update({"state": "completed"}).state == "completed"


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("stage", {"stage": "validation"}),
        ("assignee", {"assignee": None}),
    ],
)
def test_a_worker_may_not_change(
    what: str, change: dict[str, Any], server: RunningServer, jobs: list[Any]
) -> None:
    with sign_in(server, "annotator1") as worker, pytest.raises(ForbiddenException):
        worker.jobs.retrieve(jobs[1].id).update(change)


def test_a_worker_is_kept_from_all_else(server: RunningServer, jobs: list[Any], project: Any) -> None:
    with sign_in(server, "annotator1") as worker:
        for refused in (
            lambda: worker.jobs.retrieve(jobs[2].id),
            lambda: worker.tasks.retrieve(jobs[1].task_id),
            lambda: worker.projects.retrieve(project.id),
            lambda: worker.api_client.labels_api.list(project_id=project.id),
            lambda: worker.projects.create({"name": "refused", "labels": []}),
            lambda: worker.tasks.create({"name": "refused", "project_id": project.id}),
            lambda: worker.api_client.tasks_api.destroy(jobs[1].task_id),
        ):
            with pytest.raises(ForbiddenException):
                refused()
        assert worker.tasks.list() == []


def test_who_leaves_the_organisation_loses_the_jobs(server: RunningServer, jobs: list[Any]) -> None:
    with server.api() as api:
        members = api.get("/api/memberships?org=ava&user=annotator1").json()["results"]
        api.delete(f"/api/memberships/{members[0]['id']}").raise_for_status()
    try:
        with sign_in(server, "annotator1") as worker, pytest.raises(ForbiddenException):
            worker.jobs.retrieve(jobs[1].id)
    finally:
        with server.api() as api:
            invitation = {"email": "annotator1@example.org", "role": "worker"}
            api.post("/api/invitations?org=ava", json=invitation).raise_for_status()


def test_a_failed_upload_poisons_the_task(
    admin: Client, project: Any, small_clip: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    task = admin.tasks.create({"name": "poisoned", "project_id": project.id})
    for _ in range(2):
        with pytest.raises(BackgroundRequestException):
            task.upload_data([str(broken)])
        broken = small_clip  # a good file does not mend it
    assert (task.fetch().size, task.get_jobs()) == (0, [])
    task.remove()


def test_a_large_file_comes_in_parts(
    admin: Client, project: Any, small_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cvat_sdk.core import uploading

    given = uploading.DataUploader.__init__
    monkeypatch.setattr(
        uploading.DataUploader, "__init__", lambda self, client: given(self, client, max_request_size=1)
    )
    monkeypatch.setattr(uploading, "TUS_CHUNK_SIZE", 512)
    assert small_clip.stat().st_size > 2 * 512
    assert make_task(admin, project, small_clip).size == 60
