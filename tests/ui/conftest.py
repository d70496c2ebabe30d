"""A console over a planted home, visited by people of each role."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from ava_core.base.settings import Settings
from tests.support.browser import CHROMIUM, CHROMIUM_ARGS
from tests.support.home import passwords_that_cost_little
from tests.support.site import Site, opened
from tests.support.street import copy_street


@pytest.fixture(scope="session", autouse=True)
def _passwords_cost_little() -> Iterator[None]:
    with passwords_that_cost_little():
        yield


@pytest.fixture
def settings(street: Path, tmp_path: Path) -> Settings:
    """Settings of a home of the test's own."""
    return copy_street(street, tmp_path / "home")


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
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield started
        started.close()


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Where screenshots are kept: TEST_SCREENSHOTS, else the test's own folder."""
    folder = Path(os.environ.get("TEST_SCREENSHOTS", tmp_path / "shots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
