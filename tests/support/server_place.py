"""A server in this process with one task, its administrator and one annotator."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from ava_core.annotation_server import Options, create_app

PASSWORD = "correct-horse"
NAMES = ("maria", "tomas")
LABEL = {
    "name": "person",
    "type": "rectangle",
    "attributes": [
        {"name": "walking", "mutable": True, "input_type": "select", "values": ["unset", "walk"]},
        {"name": "note", "mutable": False, "input_type": "text", "values": []},
    ],
}


@dataclass
class Place:
    """The server and what is on it: a project with a task of 60 frames, whose only job is maria's."""

    app: FastAPI
    ids: dict[str, int]
    """Ids by kind: organization, project, task, job, label, mutable, immutable, and users by name."""

    @cached_property
    def admin(self) -> TestClient:
        """The administrator's client."""
        return self.client("admin")

    @cached_property
    def maria(self) -> TestClient:
        """The annotator's client."""
        return self.client("maria")

    def client(self, name: str = "", password: str = PASSWORD, **headers: str) -> TestClient:
        """A client of a user, signed in with a key; of nobody without a name."""
        client = TestClient(self.app, base_url="http://127.0.0.1:8502", headers=headers)
        if name:
            body = {"username": name, "password": password}
            key = client.post("/api/auth/login", json=body).raise_for_status().json()["key"]
            client.cookies.clear()
            client.headers["Authorization"] = f"Token {key}"
        return client

    def register(self, name: str, **fields: Any) -> int:
        """Make an account; returns the user's id."""
        body = {
            "username": name,
            "email": f"{name}@example.org",
            "password1": PASSWORD,
            "password2": PASSWORD,
        }
        self.admin.post("/api/auth/register", json=body | fields).raise_for_status()
        [user] = self.admin.get(f"/api/users?username={name}").json()["results"]
        return int(user["id"])

    def shape(self, **fields: Any) -> dict[str, Any]:
        """A rectangle of the task's label."""
        shape = {"type": "rectangle", "frame": 3, "points": [1, 2, 30, 40], "label_id": self.ids["label"]}
        return shape | fields

    def track(self, *keyframes: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """A track of the task's label, by default with one keyframe."""
        shape = {"type": "rectangle", "frame": 0, "points": [1, 2, 30, 40]}
        shapes = [shape | keyframe for keyframe in keyframes] or [shape]
        return {"label_id": self.ids["label"], "frame": 0, "shapes": shapes} | fields

    def write(self, client: TestClient | None = None, **kinds: Any) -> Any:
        """PUT annotations into the job."""
        path = f"/api/jobs/{self.ids['job']}/annotations"
        return (client or self.admin).put(path, json=kinds)

    def stored(self) -> dict[str, Any]:
        """The job's annotations."""
        answer = self.admin.get(f"/api/jobs/{self.ids['job']}/annotations").raise_for_status()
        return dict(answer.json())


def make_place(home: Path, clip: Path, **options: Any) -> Place:
    """A server over `home`, filled."""
    app = create_app(home, admin_password=PASSWORD, options=Options(**options))
    ids: dict[str, int] = {}
    place = Place(app, ids)
    admin, org = place.admin, {"org": "ava"}
    ids["organization"] = admin.post("/api/organizations", json={"slug": "ava"}).json()["id"]
    for name in NAMES:
        ids[name] = place.register(name)
        invitation = {"email": f"{name}@example.org", "role": "worker"}
        admin.post("/api/invitations", params=org, json=invitation).raise_for_status()
    project = admin.post("/api/projects", params=org, json={"name": "people", "labels": [LABEL]}).json()
    ids["project"] = project["id"]
    [label] = admin.get(f"/api/labels?project_id={ids['project']}").json()["results"]
    ids |= {"label": label["id"]} | {
        "mutable" if attribute["mutable"] else "immutable": attribute["id"]
        for attribute in label["attributes"]
    }
    task = {"name": "clip", "project_id": ids["project"]}
    ids["task"] = admin.post("/api/tasks", params=org, json=task).json()["id"]
    upload(admin, ids["task"], clip.read_bytes())
    [job] = admin.get(f"/api/jobs?task_id={ids['task']}").json()["results"]
    ids["job"] = job["id"]
    admin.patch(f"/api/jobs/{ids['job']}", json={"assignee": ids["maria"]}).raise_for_status()
    return place


def upload(client: TestClient, task: int, content: bytes) -> None:
    """Give a task a video, and wait until it has its jobs."""
    url = f"/api/tasks/{task}/data/"
    client.post(url, headers={"Upload-Start": ""}).raise_for_status()
    files = {"client_files[0]": ("clip.mp4", content)}
    client.post(url, headers={"Upload-Multiple": ""}, files=files).raise_for_status()
    client.post(url, headers={"Upload-Finish": ""}, json={"image_quality": 70}).raise_for_status()
    request = f"/api/requests/action%3Dcreate%26target%3Dtask%26target_id%3D{task}"
    while (state := client.get(request).json()["status"]) in ("queued", "started"):
        pass
    assert state == "finished"
