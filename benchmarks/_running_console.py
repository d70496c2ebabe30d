"""A console that runs over a planted home, with a Dagster beside it: what the benchmark of the console looks at."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil
from playwright.sync_api import Browser, BrowserContext

from ava_assets.running.services import free_port
from ava_core.base.settings import Settings
from ava_core.store import users
from ava_ui.web.door import COOKIE
from benchmarks._console_dagster import Dagster, serving
from benchmarks._console_home import make_home
from benchmarks._console_work import ONTOLOGY, PASSWORD, Size
from tests.support.home import Home

RSS_SAMPLES = 10
WAIT_MS = 60_000

BLOCKED = """
window.blocked = [];
new PerformanceObserver(list => window.blocked.push(...list.getEntries().map(one => one.duration)))
  .observe({ entryTypes: ["longtask"] });
"""


@dataclass(frozen=True)
class RunningConsole:
    """A console that runs, and whom it lets in."""

    url: str
    process: psutil.Process
    token: str
    settings: Settings
    params: dict[str, str]

    def path(self, pattern: str) -> str:
        """The address of a page, about the big batch."""
        return pattern.format(**self.params)

    def visitor(self, browser: Browser) -> BrowserContext:
        """The browser of somebody who is signed in."""
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(WAIT_MS)
        context.add_cookies([{"name": COOKIE, "value": self.token, "url": self.url}])
        context.add_init_script(BLOCKED)
        return context

    def client(self) -> httpx.Client:
        """The same person without a browser."""
        return httpx.Client(base_url=self.url, cookies={COOKIE: self.token}, timeout=WAIT_MS / 1000)

    def memory_mb(self) -> float:
        """Resident memory of the console, the median of some samples."""
        samples = []
        for _ in range(RSS_SAMPLES):
            samples.append(self.process.memory_info().rss / 1e6)
            time.sleep(1)
        return median(samples)


@contextmanager
def console(home: Path, size: Size | None, program: str = "ava_ui", **given: Any) -> Iterator[RunningConsole]:
    """The console as a process of its own over a home, with a Dagster beside it; an empty platform without a size.

    `program`: the module that is run; `given`: further settings.
    """
    planted = Home(
        home, ontology=ONTOLOGY, console_port=free_port(), dagster_port=free_port(), cvat_port=free_port(),
        **given,
    )  # fmt: skip
    settings, store = planted.settings, planted.store
    if size:
        began = time.monotonic()
        make_home(planted, size)
        print(f"planted in {time.monotonic() - began:.0f} s", flush=True)
    dagster = Dagster(size.names if size else [])
    users.add(store, "bench", PASSWORD, "admin")
    token = users.sign_in(store, "bench", PASSWORD)
    big = size.big if size else ""
    params = {
        "batch": big, "clip_id": f"{big}_cam1_000", "run_id": dagster.running_id if size else "",
        "release": f"v{size.releases}" if size else "", "other": f"v{size.releases - 1}" if size else "",
    }  # fmt: skip
    with serving(dagster, settings.dagster_port), _process(settings, program) as process:
        url = f"http://127.0.0.1:{settings.console_port}"
        _wait(url, process, home / "console.log")
        yield RunningConsole(url, psutil.Process(process.pid), token, settings, params)


@contextmanager
def _process(settings: Settings, program: str) -> Iterator[subprocess.Popen[bytes]]:
    with (settings.home_dir / "console.log").open("wb") as log:
        command = [sys.executable, "-m", program]
        process = subprocess.Popen(command, env=os.environ | settings.environment(), stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"{url}/login", timeout=2)
            return
        except httpx.HTTPError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(log.read_text()) from None
            time.sleep(0.1)
