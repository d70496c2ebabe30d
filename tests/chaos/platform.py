"""`ava up` over a home of its own, and its processes by name: what the faults act on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from ava_assets.running import services
from ava_core.base.settings import Settings, load_settings
from tests.support.postgres import Postgres

PROJECT = Path(__file__).resolve().parents[2]
CLOCK = Path(__file__).parent / "clock"
AVA = "import sys; sys.argv[0] = 'ava'; from ava_assets.cli import main; main()"

COMMANDS = {
    "annotation server": "ava_core.annotation_server",
    "console": "ava_ui",
    "code server": "ava_assets.definitions",
    "daemon": "ava_assets.running.daemon",
    "webserver": "dagster_webserver",
    "guard": "ava_assets.running.guard",
}
"""By name, what the command of a service holds."""


class Platform:
    """A home and the `ava up` that runs on it; `restarts` counts how often a person would have typed it again.

    `postgres`: where its databases are, instead of files in its home; `more` settings beside those of the harness.
    """

    def __init__(self, home: Path, postgres: Postgres | None = None, **more: Any) -> None:
        given: dict[str, Any] = {
            f"{name}_port": services.free_port() for name in ("cvat", "dagster", "console")
        }
        if postgres is not None:
            given |= {name: postgres.new_database() for name in ("database_url", "dagster_postgres_url")}
        fixed: dict[str, Any] = {"cvat_poll_seconds": 1, "annotators_per_clip": 2, "workers": 1}
        self.settings: Settings = load_settings(home=home, **(fixed | given | more))
        self.home, self.postgres = home, postgres
        home.mkdir(parents=True, exist_ok=True)
        self.clock_file = home / "clock"
        self.restarts = -1
        self.said = ""
        self._up: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What its programs see: the settings, and the clock that the harness sets."""
        outside = ("AVA_", "PYTEST", "NICEGUI")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
        path = os.pathsep.join([str(CLOCK), str(PROJECT)])
        return kept | self.settings.environment() | {"PYTHONPATH": path, "CHAOS_CLOCK": str(self.clock_file)}

    def keep_up(self) -> None:
        """Start it where it does not run, as whatever starts programs at boot would."""
        if self._up is not None and self._up.poll() is None:
            return
        self.restarts += 1
        with (self.home / "up.log").open("ab") as output:
            self._up = subprocess.Popen(
                [sys.executable, "-c", AVA, "up"], env=self.environment, cwd=self.home, stdout=output, stderr=output
            )  # fmt: skip

    def ava(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command beside it."""
        with (self.home / "commands.log").open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-c", AVA, *arguments], env=self.environment, cwd=self.home,
                stdout=output, stderr=output,
            )  # fmt: skip

    @property
    def up(self) -> psutil.Process | None:
        """The process of `ava up`."""
        with suppress(psutil.Error):
            return psutil.Process(self._up.pid) if self._up is not None else None
        return None

    def process(self, name: str) -> psutil.Process | None:
        """A service's first process, "run" for the newest run's, "up" for `ava up` itself."""
        up = self.up
        if up is None or name == "up":
            return up
        with suppress(psutil.Error):
            if name == "run":
                server = self.process("code server")
                found = server.children() if server else []
                found = [one for one in found if "spawn_main" in " ".join(one.cmdline())]
                return found[-1] if found else None
            for child in up.children():
                if COMMANDS[name] in " ".join(child.cmdline()):
                    return child
        return None

    def everything(self) -> list[psutil.Process]:
        """All its processes."""
        with suppress(psutil.Error):
            return [self.up, *self.up.children(recursive=True)] if self.up else []
        return []

    def end(self) -> float:
        """End it as Ctrl-C does; seconds that took."""
        began = time.monotonic()
        if self._up is not None and self._up.poll() is None:
            self._up.terminate()
            self._up.wait(60)
        return time.monotonic() - began
