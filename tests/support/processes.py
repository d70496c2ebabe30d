"""The platform's programs as people start them: in processes of their own, on ports of loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from ava_core.base.settings import Settings
from tests.support.waiting import wait_until

PROJECT = Path(__file__).resolve().parents[2]
UP = ["-c", "import sys; sys.argv = ['ava', 'up']; from ava_assets.cli import main; main()"]
START_SECONDS = 120.0


@contextmanager
def ava_up(settings: Settings) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """`ava up` over a home for the time of the block, once it says that it runs: process and what it prints."""
    with _running(UP, settings, "up.log", lambda printed: b"Ctrl-C" in printed.read_bytes()) as started:
        yield started


@contextmanager
def console(settings: Settings) -> Iterator[str]:
    """The console alone over a home for the time of the block: its address."""
    url = f"http://127.0.0.1:{settings.console_port}"
    with _running(["-m", "ava_ui"], settings, "console.log", lambda _: _answers(f"{url}/login")):
        yield url


@contextmanager
def _running(
    arguments: Sequence[str], settings: Settings, log: str, is_up: Callable[[Path], bool]
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A Python program over a home, which sees these settings and none of the test's."""
    outside = ("AVA_", "PYTEST", "NICEGUI")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
    environment |= settings.environment() | {"PYTHONPATH": str(PROJECT)}
    home = settings.home_dir
    home.mkdir(parents=True, exist_ok=True)
    printed = home / log
    with printed.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], env=environment, cwd=home, stdout=output, stderr=output
        )
        try:
            wait_until(lambda: process.poll() is not None or is_up(printed), START_SECONDS)
            assert process.poll() is None, printed.read_text()
            yield process, printed
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(60)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1, verify=False).status_code == 200
    except httpx.HTTPError:
        return False
