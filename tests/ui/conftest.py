"""A console over a planted home, visited by people of each role."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, sync_playwright

from ava_core.base.settings import Settings
from ava_core.store import users
from tests.support.browser import CHROMIUM
from tests.support.shared import made_once
from tests.support.site import Site, opened
from tests.support.street import copy_street, plant_street


@pytest.fixture(scope="session", autouse=True)
def _passwords_cost_little() -> Iterator[None]:
    """Everybody signs in again and again; what a guess costs is a matter of the store and its own tests."""
    little = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "_hasher", lambda: little)
        yield


@pytest.fixture(scope="session")
def home_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted home, made once."""
    return made_once(tmp_path_factory, "street", plant_street)


@pytest.fixture
def settings(home_template: Path, tmp_path: Path) -> Settings:
    """Settings of a home of the test's own."""
    return copy_street(home_template, tmp_path / "home")


@pytest.fixture
async def site(settings: Settings) -> AsyncIterator[Site]:
    """The console in this process."""
    async with opened(settings) as site:
        yield site


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
