"""A console over a planted home, visited by people of each role."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from nicegui import core
from nicegui.testing import User
from nicegui.testing.user_simulation import user_simulation
from playwright.sync_api import Browser, sync_playwright

from ava_core.base.settings import Settings
from ava_core.store import users
from ava_ui.known.console import Console
from ava_ui.web.door import COOKIE
from tests.support.browser import CHROMIUM
from tests.support.home import PASSWORD, copy_home, make_home


@dataclass
class Site:
    """A console and its visitors."""

    console: Console
    http: httpx.AsyncClient
    enter: Callable[[str], User]


@pytest.fixture(scope="session")
def home_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted home, made once."""
    folder = tmp_path_factory.mktemp("planted") / "home"
    make_home(folder)
    return folder


@pytest.fixture
def settings(home_template: Path, tmp_path: Path) -> Settings:
    """Settings of a home of the test's own."""
    return copy_home(home_template, tmp_path / "home")


@pytest.fixture
async def site(settings: Settings) -> AsyncIterator[Site]:
    """The console in this process; `http` has no session, `enter(name)` gives a visitor who has one."""
    from ava_ui.main import build

    async with user_simulation() as first:
        console = Console.open(settings)
        build(console)

        def enter(name: str) -> User:
            client = httpx.AsyncClient(transport=httpx.ASGITransport(core.app), base_url="http://test")
            client.cookies.set(COOKIE, users.sign_in(console.store, name, PASSWORD))
            return User(client)

        yield Site(console, first.http_client, enter)
        console.store.close()


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Debian's chromium, for one test: Playwright's loop runs on in this thread, and no other could begin beside it."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"{CHROMIUM} is not installed; see .ci/install-debian-packages")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Where screenshots are kept: TEST_SCREENSHOTS, else the test's own folder."""
    folder = Path(os.environ.get("TEST_SCREENSHOTS", tmp_path / "shots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def eventually(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until the condition holds: handlers run beside the test."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)
