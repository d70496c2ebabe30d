"""Every address of the embedded server, asked by everybody: what `docs/doors.md` says is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ava_core.annotation_server.state import State
from tests.support import doors
from tests.support.server_place import PASSWORD, Place

CALLERS = {
    "nobody": "", "deactivated": "victor", "stranger": "strange", "member": "tomas", "assignee": "maria",
    "maintainer": "manager", "administrator": "admin",
}  # fmt: skip
"""A stranger is a member of another organisation; the assignee has the job that is asked for."""

MEMBERS = ("/api/memberships/{number}", "/api/organizations/{number}")
"""What is asked for last, for it takes others' rights away."""

LISTS = ("jobs", "tasks", "projects", "labels", "issues", "comments", "webhooks", "requests")

WITHIN = ("/api/projects", "/api/tasks", "/api/invitations", "/api/webhooks")
"""What is made within an organisation."""

NEW = {"password1": PASSWORD, "password2": PASSWORD}

HOOK = {
    "target_url": "https://hooks.example.org/x", "events": ["update:job"], "content_type": "application/json",
    "enable_ssl": True,
}  # fmt: skip


def fill(place: Place) -> dict[str, int]:
    """People of each kind, an object of each kind: their numbers by the part of a path that they stand behind."""
    admin, ids = place.admin, place.ids
    for name in ("strange", "manager", "victor"):
        ids[name] = place.register(name)
    admin.post("/api/organizations", json={"slug": "other"}).raise_for_status()
    for name, org, role in (
        ("strange", "other", "worker"), ("manager", "ava", "maintainer"), ("victor", "ava", "maintainer"),
    ):  # fmt: skip
        body = {"email": f"{name}@example.org", "role": role}
        admin.post(f"/api/invitations?org={org}", json=body).raise_for_status()
    memberships = admin.get("/api/memberships?org=ava&page_size=50").json()["results"]
    issue = {"job": ids["job"], "frame": 1, "position": [1, 2, 3, 4], "message": "look"}
    made = admin.post("/api/issues", json=issue).raise_for_status().json()
    hook = HOOK | {"type": "project", "project_id": ids["project"]}
    return {
        "users": ids["tomas"], 
        "access_tokens": admin.post("/api/auth/access_tokens", json={"name": "own"}).json()["id"],
        "organizations": ids["organization"],
        "memberships": next(one["id"] for one in memberships if one["user"]["id"] == ids["tomas"]),
        "projects": ids["project"], "tasks": ids["task"], "labels": ids["label"], "jobs": ids["job"],
        "issues": made["id"],
        "comments": admin.get(f"/api/comments?issue_id={made['id']}").json()["results"][0]["id"],
        "webhooks": admin.post("/api/webhooks?org=ava", json=hook).raise_for_status().json()["id"],
    }  # fmt: skip


def bodies_of(place: Place, caller: str) -> dict[str, Any]:
    """Good bodies of what is made, so that it is the door that refuses."""
    ids, own = place.ids, caller[:9]
    return {
        "/api/auth/login": {"username": "admin", "password": PASSWORD},
        "/api/auth/register": {"username": f"new-{own}"} | NEW,
        "/api/users/{number}/password": NEW,
        "/api/auth/access_tokens": {"name": "mine"},
        "/api/organizations": {"slug": f"of-{own}"},
        "/api/invitations": {"email": "maria@example.org", "role": "worker"},
        "/api/memberships/{number}": {"role": "worker"},
        "/api/projects": {"name": "more", "labels": []},
        "/api/tasks": {"name": "more", "project_id": ids["project"]},
        "/api/issues": {"job": ids["job"], "frame": 1, "position": [1, 2, 3, 4], "message": "x"},
        "/api/comments": {"issue": ids["issues"], "message": "x"},
        "/api/webhooks": HOOK | {"type": "organization"},
    }  # fmt: skip


def sent(door: doors.Door, place: Place, caller: str) -> dict[str, Any]:
    """What is sent through a door."""
    (method, path), query = door, {}
    if path.endswith("/data"):
        query = {"type": "frame", "number": "0", "quality": "compressed"}
    if method == "PATCH" and "annotations" in path:
        query = {"action": "create"}
    if method == "POST" and path in WITHIN:
        query = {"org": "ava"}
    if method not in ("POST", "PATCH", "PUT"):
        return {"params": query}
    none = {"version": 0, "shapes": [], "tracks": [], "tags": []} if "annotations" in path else {}
    makes = method == "POST" or path not in WITHIN
    return {"params": query, "json": bodies_of(place, caller).get(path, none) if makes else {}}


def answer(door: doors.Door, place: Place, caller: str, client: TestClient) -> str:
    """What a caller is told at a door."""
    path = door[1].replace(":path", "")
    kind = re.search(r"([a-z_]+)/\{number\}", path)
    request = "action%3Dcreate%26target%3Dtask%26target_id%3D" + str(place.ids["task"])
    number = place.ids[kind[1]] if kind else 0
    address = path.format(number=number, file_id="nothing", delivery_id=1, rq_id=request)
    client.cookies.clear()
    return doors.word(client.request(door[0], address, **sent(door, place, caller)).status_code)


def test_each_address_answers_whom_the_page_on_doors_says(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.ids |= fill(place)
    clients = {caller: place.client(name) for caller, name in CALLERS.items()}
    place.admin.patch(f"/api/users/{place.ids['victor']}", json={"is_active": False}).raise_for_status()
    monkeypatch.setattr(State, "remove", lambda *removed: None)
    listed = sorted(
        doors.doors_of(place.app.routes), key=lambda door: (door[0] == "DELETE") + (door[1] in MEMBERS)
    )
    found = {door: [answer(door, place, *caller) for caller in clients.items()] for door in listed}
    doors.must_be_written("Embedded annotation server", doors.table(found, list(CALLERS)), tmp_path)


def test_lists_hold_nothing_of_another_organisation(place: Place) -> None:
    fill(place)
    stranger = place.client("strange")
    assert [stranger.get(f"/api/{kind}").json()["count"] for kind in LISTS] == [0] * len(LISTS)
    assert [user["username"] for user in stranger.get("/api/users").json()["results"]] == ["strange"]
    assert [one["slug"] for one in stranger.get("/api/organizations").json()["results"]] == ["other"]
    for kind in ("memberships", "invitations"):
        assert "maria" not in stranger.get(f"/api/{kind}").text
        assert stranger.get(f"/api/{kind}?org=ava").status_code == 403
