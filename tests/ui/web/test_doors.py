"""Every address of the console, asked by everybody: what `docs/doors.md` says is so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from nicegui import __version__, core, ui

from ava_core.annotation.labeller import Labeller
from ava_core.annotation.session import TRANSIENT
from ava_core.base.settings import Settings
from ava_core.store import labellers, users
from ava_ui import addresses, main
from ava_ui.frame.visit import Visit
from ava_ui.web.door import COOKIE
from tests.support import doors
from tests.support.site import ADDRESS, Site, opened
from tests.support.street import PARAMS, PASSWORD

CALLERS = ("nobody", "deactivated", "annotator", "viewer", "reviewer", "admin")
PLACES = PARAMS | {
    "key": "0123456789abcdef", "second": "0", "item_id": "1", "name": "x", "path": "page.js", "example_id": "1",
}  # fmt: skip
BODIES: dict[str, dict[str, Any]] = {
    addresses.LOGIN: {"data": {"username": "rita", "password": PASSWORD}},
    addresses.UPLOAD: {"content": b"x", "params": {"offset": 0}},
    **{
        f"{part}/{call}": {"json": body}
        for part in (addresses.LABELLING, addresses.PRACTISING)
        for call, body in (
            ("save", {"edits": []}),
            ("state", {"state": "completed"}),
            ("active", {"events": []}),
        )
    },
}
"""What is sent to an address, so that it is its door that refuses."""


def away(*arguments: object) -> None:
    raise TRANSIENT[0]("The annotation server is not asked here.")


async def blank(visit: Visit) -> None:
    ui.label("there")


def session_of(site: Site, caller: str) -> str:
    """A token of that caller."""
    store = site.console.store
    if caller == "annotator":
        return labellers.begin(store, site.console.jobs.table()["annotator"][0], 7, "0" * 40)
    if caller == "deactivated":
        token = users.sign_in(store, "victor", PASSWORD)
        users.change(store, "victor", active=False)
        users.change(store, "victor", active=True)
        return token
    names = {"viewer": "vera", "reviewer": "rita", "admin": "adam"}
    return users.sign_in(store, names[caller], PASSWORD) if caller in names else ""


async def answer(http: httpx.AsyncClient, door: doors.Door, token: str) -> str:
    method, path = door
    address = path.replace(":path", "").replace("/*", "/x").format(**PLACES)
    sent = BODIES.get(path, {}) if method == "POST" else {}
    http.cookies.clear()
    got = await http.request(method, address, headers={"Cookie": f"{COOKIE}={token}"}, **sent)
    if "s can open this page." in got.text:
        return "no"
    return "in" if got.status_code == 404 else doors.word(got.status_code)


async def test_each_address_answers_whom_the_page_on_doors_says(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = tuple(replace(page, content=blank, late=False) for page in main.PAGES)
    monkeypatch.setattr(main, "PAGES", bare)
    monkeypatch.setattr(Labeller, "connect", away)
    async with opened(settings) as site:
        users.add(site.console.store, "victor", PASSWORD, "admin")
        tokens = {caller: session_of(site, caller) for caller in CALLERS}
        transport = httpx.ASGITransport(core.app, raise_app_exceptions=False)
        open_, found = [("GET", "/anything/else"), ("POST", addresses.WEBHOOK)], {}
        listed = sorted(doors.doors_of(core.app.routes), key=lambda door: door[1] == addresses.LOGOUT)
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as http:
            for method, path in [*open_, *listed]:
                said = [await answer(http, (method, path), tokens[caller]) for caller in CALLERS]
                found[method, path.replace(f"/{__version__}/", "/{version}/")] = said
    doors.must_be_written("Console", doors.table(found, CALLERS), tmp_path)
