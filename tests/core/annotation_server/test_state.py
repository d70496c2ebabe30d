"""What the embedded annotation server keeps, and what it does after the answer."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ava_core.annotation_server import access, webhooks
from ava_core.annotation_server.state import State
from tests.support.annotation_server import RunningServer, serving
from tests.support.examples import examples
from tests.support.webhook_receiver import FAILING, receiving


def make_task(api: httpx.Client, name: str = "kept") -> int:
    labels = [{"name": "person", "type": "rectangle", "attributes": []}]
    answer = api.post("/api/tasks", json={"name": name, "labels": labels}).raise_for_status()
    return int(answer.json()["id"])


def upload(api: httpx.Client, task: int, file_name: str, content: bytes) -> httpx.Response:
    """Send one file and begin to process it."""
    url = f"/api/tasks/{task}/data/"
    api.post(url, headers={"Upload-Start": ""}).raise_for_status()
    files = {"client_files[0]": (file_name, content)}
    api.post(url, headers={"Upload-Multiple": ""}, files=files).raise_for_status()
    return api.post(url, headers={"Upload-Finish": ""}, json={"image_quality": 70})


def wait(api: httpx.Client, task: int) -> str:
    """The end of the processing of a task's media."""
    path = f"/api/requests/action%3Dcreate%26target%3Dtask%26target_id%3D{task}"
    while (status := api.get(path).raise_for_status().json()["status"]) in ("queued", "started"):
        pass
    return str(status)


def test_everything_is_there_after_a_restart(tmp_path: Path, small_clip: Path) -> None:
    with serving(tmp_path) as server, server.api() as api:
        task = make_task(api)
        upload(api, task, "clip.mp4", small_clip.read_bytes())
        assert wait(api, task) == "finished"
        job = api.get(f"/api/jobs?task_id={task}").json()["results"][0]["id"]
        label = api.get(f"/api/labels?task_id={task}").json()["results"][0]["id"]
        shape = {"type": "rectangle", "frame": 3, "label_id": label, "points": [1, 2, 3, 4]}
        api.put(f"/api/jobs/{job}/annotations", json={"shapes": [shape]}).raise_for_status()
        before = [api.get(path).json() for path in (f"/api/tasks/{task}", f"/api/jobs/{job}/annotations")]
    with serving(tmp_path) as server, server.api() as api:
        after = [api.get(path).json() for path in (f"/api/tasks/{task}", f"/api/jobs/{job}/annotations")]
        assert after[1] == before[1]
        assert {**after[0], "url": ""}.keys() == {**before[0], "url": ""}.keys()
        assert (after[0]["size"], after[0]["updated_date"]) == (60, before[0]["updated_date"])
        assert api.get(f"/api/tasks/{task}/data?type=frame&number=5").content.startswith(b"\x89PNG")
        assert make_task(api) == task + 1


def test_ids_are_never_given_twice(tmp_path: Path) -> None:
    state = State(tmp_path)
    first = state.add("task")["id"]
    state.remove("task", first)
    assert state.add("task")["id"] == first + 1
    state.close()
    again = State(tmp_path)
    assert again.add("task")["id"] == first + 2
    again.close()


@examples(50)
@given(
    st.lists(
        st.tuples(st.sampled_from(("add", "remove", "change")), st.integers(1, 12), st.integers(0, 3)),
        max_size=30,
    )
)
def test_looking_up_finds_what_looking_at_all_finds(steps: list[tuple[str, int, int]]) -> None:
    with TemporaryDirectory() as folder:
        state = State(Path(folder))
        for action, number, task in steps:
            if action == "add":
                state.add("job", task_id=task, state="new")
            elif action == "remove":
                state.remove("job", number)
            elif (job := state.get("job", number)) is not None:
                state.touch("job", job | {"state": "completed"})
        for again in (state, State(Path(folder))):
            for task in range(4):
                scanned = [
                    job for job in state.all("job") if job["task_id"] == task and job["state"] == "new"
                ]
                assert list(again.find("job", task_id=task, state="new")) == scanned
            again.close()


def test_a_user_has_so_many_sessions_and_no_more(
    cvat_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "MAX_SESSIONS", 2)
    body = {"username": cvat_server.username, "password": cvat_server.password}
    clients = [httpx.Client(base_url=cvat_server.url, verify=False) for _ in range(3)]
    for client in clients:
        client.post("/api/auth/login", json=body).raise_for_status()
    assert [client.get("/api/users/self").status_code for client in clients] == [401, 200, 200]
    for client in clients:
        client.close()


def test_a_file_cannot_leave_its_tasks_folder(cvat_server: RunningServer, small_clip: Path) -> None:
    with cvat_server.api() as api:
        task = make_task(api)
        upload(api, task, "../../../escaped.mp4", small_clip.read_bytes())
        assert wait(api, task) == "finished"
    assert [path.name for path in cvat_server.home.rglob("*escaped*")] == ["escaped.mp4"]
    assert (cvat_server.home / "media" / str(task) / "escaped.mp4").is_file()


def test_a_task_takes_no_media_while_and_after_it_is_made_of_some(
    cvat_server: RunningServer, small_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from ava_core.annotation_server import media

    goes_on, describe = threading.Event(), media.describe

    def held(*arguments: object) -> object:
        assert goes_on.wait(20)
        return describe(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(media, "describe", held)
    with cvat_server.api() as api:
        task = make_task(api)
        first = upload(api, task, "clip.mp4", small_clip.read_bytes())
        steps = ("Upload-Start", "Upload-Multiple", "Upload-Finish")

        def more() -> list[tuple[int, Any]]:
            url = f"/api/tasks/{task}/data/"
            answers = [api.post(url, headers={step: ""}, json={"image_quality": 70}) for step in steps]
            return [(answer.status_code, answer.json()) for answer in answers]

        refusal = (400, ["Adding more data is not supported"])
        assert more() == [refusal] * 3
        goes_on.set()
        assert first.status_code == 202
        assert wait(api, task) == "finished"
        assert more() == [refusal] * 3


def test_a_resumable_upload_goes_on_where_it_stopped(cvat_server: RunningServer, small_clip: Path) -> None:
    content = small_clip.read_bytes()
    with cvat_server.api() as api:
        task = make_task(api)
        url = f"/api/tasks/{task}/data/"
        begun = api.post(
            url, headers={"Upload-Length": str(len(content)), "Upload-Metadata": "filename Y2xpcC5tcDQ="}
        )
        address = begun.headers["Location"]

        def send(part: bytes, offset: int) -> httpx.Response:
            headers = {
                "Content-Type": "application/offset+octet-stream",
                "Upload-Offset": str(offset),
            }
            return api.patch(address, content=part, headers=headers)

        assert send(content[:700], 0).headers["Upload-Offset"] == "700"
        assert send(content[:700], 0).status_code == 409
        assert api.head(address).headers["Upload-Offset"] == "700"
        assert send(content[700:], 700).status_code == 204
        assert send(b"more", len(content)).status_code == 404
        api.post(url, headers={"Upload-Finish": ""}, json={}).raise_for_status()
        assert wait(api, task) == "finished"


def test_a_delivery_that_fails_is_tried_again(
    cvat_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "RETRY_SECONDS", (0.01, 0.01))
    with receiving() as receiver, cvat_server.api() as api:
        api.post("/api/organizations", json={"slug": "ava"}).raise_for_status()
        hook = {"target_url": receiver.url + FAILING, "type": "organization", "events": ["create:task"]}
        hook_id = api.post("/api/webhooks?org=ava", json=hook).raise_for_status().json()["id"]
        api.post("/api/tasks?org=ava", json={"name": "told", "labels": []}).raise_for_status()
        path = f"/api/webhooks/{hook_id}/deliveries"
        while len(kept := api.get(path).json()["results"]) < 3:
            receiver.wait_for(lambda one: one.path == FAILING)
        assert sorted(one["attempt"] for one in kept) == [1, 2, 3]
        assert {one["status_code"] for one in kept} == {500}
        assert len({one.raw for one in receiver.deliveries}) == 1
        assert "X-Signature-256" not in receiver.deliveries[0].headers
