"""The console as a web site, in the test's own process, and people who visit it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from nicegui import core
from nicegui.testing import User
from nicegui.testing.user_simulation import user_simulation

from ava_core.base.settings import Settings
from ava_core.store import users
from ava_ui.known.console import Console
from ava_ui.web.door import COOKIE
from tests.support.event_loop import watched
from tests.support.street import PASSWORD

ADDRESS = "http://localhost:8501"


@dataclass
class Site:
    """A console; `http` has no session, `enter(name)` gives a visitor who is signed in."""

    console: Console
    http: httpx.AsyncClient
    enter: Callable[[str], User]


@asynccontextmanager
async def lifespan_kept() -> AsyncIterator[None]:
    """Each router that is included wraps the application's lifespan once more, and NiceGUI has one application.

    Without this the hundredth console of a process would be too many for Python's stack.
    """
    own = core.app.router.lifespan_context
    try:
        yield
    finally:
        core.app.router.lifespan_context = own


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Site]:
    """The console over a home for the time of the block."""
    from ava_ui.main import build

    async with user_simulation() as first, lifespan_kept():
        first.http_client.base_url = httpx.URL(ADDRESS)
        console = Console.open(settings)
        build(console)

        def enter(name: str) -> User:
            client = httpx.AsyncClient(transport=httpx.ASGITransport(core.app), base_url=ADDRESS)
            client.cookies.set(COOKIE, users.sign_in(console.store, name, PASSWORD))
            return User(client)

        with watched(console.store, settings.home_dir) as written:
            yield Site(console, first.http_client, enter)
        console.store.close()
        assert not written, "written on the event loop, where everybody waits for it"
