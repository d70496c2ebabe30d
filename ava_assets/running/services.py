"""The processes of one machine (annotation server, Dagster, console): started, watched, ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from ava_assets.running.instance import WORKSPACE, dagster_environment
from ava_core.annotation.password import embedded_password
from ava_core.base.errors import AvaError
from ava_core.base.settings import Settings

STOP_SECONDS = 15.0
"""How long a process may take to end after it was asked to."""


class ServiceError(AvaError):
    """A process did not start, or ended by itself."""


@dataclass
class Service:
    """One process. `ready_url` answers as soon as it can be used; "" means it is ready once it runs."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    ready_url: str = ""
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it; its output goes to `log`. Raises `ServiceError` if its port is taken."""
        if self.port and _port_is_taken(self.port):
            raise ServiceError(
                f"Port {self.port} of 127.0.0.1 is taken; {self.name} cannot start.",
                "End the other program, or choose another port (see .env.example).",
            )
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            # A session of its own: Ctrl-C reaches only the parent, which ends its children in order.
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdout=output, stderr=output, start_new_session=True
            )

    def check(self) -> None:
        """Raise `ServiceError` with the end of the log if the process is gone."""
        if self.process is not None and self.process.poll() is not None:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
            raise ServiceError(
                f"{self.name} ended by itself (code {self.process.returncode}):\n{tail}", f"See {self.log}."
            )

    def wait_until_ready(self, timeout: float = 90.0) -> None:
        """Wait for `ready_url` to answer."""
        deadline = time.monotonic() + timeout
        with httpx.Client(timeout=2.0) as http:
            while self.ready_url:
                self.check()
                try:
                    if http.get(self.ready_url).status_code < 500:
                        return
                except httpx.HTTPError:
                    pass
                if time.monotonic() > deadline:
                    raise ServiceError(
                        f"{self.name} did not answer within {timeout:.0f} s.", f"See {self.log}."
                    )
                time.sleep(0.1)

    def stop(self) -> None:
        """End the process and the ones it started."""
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def annotation_server(settings: Settings) -> Service:
    """The embedded annotation server."""
    home = settings.home_dir / "cvat"
    given = settings.cvat_password
    account = {
        "AVA_CVAT_USERNAME": settings.cvat_username,
        "AVA_CVAT_PASSWORD": given.get_secret_value() if given else embedded_password(home),
    }
    return Service(
        "annotation server",
        [
            sys.executable, "-m", "ava_core.annotation_server",
            "--home", str(home), "--port", str(settings.cvat_port),
            "--console-port", str(settings.console_port),
        ],
        _environment(settings) | account,
        settings.home_dir / "logs" / "annotation-server.log",
        f"http://127.0.0.1:{settings.cvat_port}/api/server/about",
        settings.cvat_port,
    )  # fmt: skip


def dagster_daemon(settings: Settings) -> Service:
    """Dagster's daemon: sensors, automation, the run queue."""
    return Service(
        "Dagster daemon",
        [sys.executable, "-m", "dagster._daemon", "run", "-w", str(WORKSPACE)],
        dagster_environment(settings),
        settings.home_dir / "logs" / "dagster-daemon.log",
    )


def dagster_webserver(settings: Settings) -> Service:
    """Dagster's UI and GraphQL. It has no login: it listens on loopback alone."""
    port = settings.dagster_port
    return Service(
        "Dagster webserver",
        [sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-w", str(WORKSPACE)],
        dagster_environment(settings),
        settings.home_dir / "logs" / "dagster-webserver.log",
        f"http://127.0.0.1:{port}/server_info",
        port,
    )


def console(settings: Settings) -> Service:
    """The console. It has a login; what it serves before that is the login page alone."""
    port = settings.console_port
    # NiceGUI takes its port from such variables where they exist: those of a parent are not meant for it.
    environment = {k: v for k, v in _environment(settings).items() if not k.startswith("NICEGUI_")}
    return Service(
        "console",
        [sys.executable, "-m", "ava_ui"],
        environment,
        settings.home_dir / "logs" / "console.log",
        f"http://127.0.0.1:{port}/login",
        port,
    )


def _environment(settings: Settings) -> dict[str, str]:
    return os.environ | settings.environment()


@contextmanager
def running(services: list[Service]) -> Iterator[list[Service]]:
    """Start the services, wait until each is ready, end them in reverse order when the block ends.

    SIGTERM ends the block as Ctrl-C does, so that no service outlives a command that was told to stop.
    """
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        for service in services:
            service.start()
        for service in services:
            service.wait_until_ready()
        yield services
    finally:
        for service in reversed(services):
            service.stop()
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def free_port() -> int:
    """A port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _port_is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
