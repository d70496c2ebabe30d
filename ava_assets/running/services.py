"""The processes of one machine (annotation server, Dagster, console): started, watched, ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from ava_assets.running.family import STOP_SECONDS, Family, Guard
from ava_assets.running.instance import LOCATION, code_socket, dagster_environment, workspace_file
from ava_core.annotation.password import embedded_password
from ava_core.base.errors import AvaError
from ava_core.base.private import PRIVATE_UMASK
from ava_core.base.settings import Settings

READY_SECONDS = 180.0
"""How long a service may take until it can be used: imports alone take a minute on a machine that is busy."""
LOG_TAIL = 8
"""Lines of a log that a message shows."""


ANSWER_SECONDS = 2.0
POLL_SECONDS = 0.1


class ServiceError(AvaError):
    """A process did not start, or ended by itself."""


@dataclass
class Service:
    """One process. `answers` says whether it can be used; without one it is ready once it runs.

    `first`: what is started after it needs it.
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    answers: Callable[[], bool] = lambda: True
    port: int = 0
    first: bool = False
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self, family: Family) -> None:
        """Start it as one of a family; its output goes to `log`. Raises `ServiceError` if its port is taken."""
        if self.port and _port_is_taken(self.port):
            raise ServiceError(
                f"Port {self.port} of 127.0.0.1 is taken; {self.name} cannot start.",
                "Stop the other program, or choose another port (see .env.example).",
            )
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            # A session of its own: Ctrl-C reaches only the parent, which ends its children in order.
            self.process = subprocess.Popen(
                self.command, env=self.environment | dict(family.environment), stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True, umask=PRIVATE_UMASK,
            )  # fmt: skip
        family.add(self.process.pid)

    @property
    def pid(self) -> int:
        """Its process. Raises `ServiceError` where it was never started."""
        if self.process is None:
            raise ServiceError(f"{self.name} was not started.", "")
        return self.process.pid

    @property
    def ended(self) -> str:
        """How it ended, in words; "" while it runs."""
        code = self.process.poll() if self.process is not None else None
        if code is None:
            return ""
        return f"was killed ({signal.Signals(-code).name})" if code < 0 else f"exited (code {code})"

    def tail(self) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_TAIL:])

    def check(self) -> None:
        """Raise `ServiceError` with the end of the log if the process is gone."""
        if self.ended:
            raise ServiceError(f"{self.name} {self.ended}:\n{self.tail()}", f"See {self.log}.")

    def wait_until_ready(self, timeout: float = READY_SECONDS) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + timeout
        while not self.answers():
            self.check()
            if time.monotonic() > deadline:
                raise ServiceError(f"{self.name} did not answer within {timeout:.0f} s.", f"See {self.log}.")
            time.sleep(POLL_SECONDS)


def of_platform(settings: Settings) -> list[Service]:
    """Everything that `ava up` runs, in the order of starting."""
    rest = [console(settings), code_server(settings), dagster_daemon(settings), dagster_webserver(settings)]
    return [annotation_server(settings), *rest] if settings.cvat_is_embedded else rest


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
            *(["--registration"] if settings.cvat_registration else []),
            *(part for name in settings.allowed_hosts for part in ("--allow-host", name)),
        ],
        _environment(settings) | account,
        settings.home_dir / "logs" / "annotation-server.log",
        _at(f"http://127.0.0.1:{settings.cvat_port}/api/server/about"),
        settings.cvat_port,
    )  # fmt: skip


def code_server(settings: Settings) -> Service:
    """Dagster's code server: evaluates sensors, and runs are its children."""
    socket_path = code_socket(settings)
    socket_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Service(
        "Dagster code server",
        [
            sys.executable, "-m", "dagster", "api", "grpc", "--socket", str(socket_path),
            "--module-name", "ava_assets.definitions", "--log-level", "warning",
            "--use-python-environment-entry-point", "--location-name", LOCATION,
        ],
        dagster_environment(settings),
        settings.home_dir / "logs" / "dagster-code-server.log",
        lambda: _code_server_answers(socket_path),
        first=True,
    )  # fmt: skip


def dagster_daemon(settings: Settings) -> Service:
    """Dagster's daemon: sensors, the run queue, looking after runs."""
    return Service(
        "Dagster daemon",
        # A line for every look of a sensor would be 19 MB a day.
        [
            sys.executable, "-m", "ava_assets.running.daemon", "run", "-w", str(workspace_file(settings)),
            "--log-level", "warning",
        ],
        dagster_environment(settings),
        settings.home_dir / "logs" / "dagster-daemon.log",
    )  # fmt: skip


def dagster_webserver(settings: Settings) -> Service:
    """Dagster's UI and GraphQL. It has no login: it listens on loopback alone."""
    port = settings.dagster_port
    return Service(
        "Dagster webserver",
        [
            sys.executable, "-m", "ava_assets.running.webserver", "-h", "127.0.0.1", "-p", str(port),
            "-w", str(workspace_file(settings)), "--dagster-log-level", "warning",
        ],
        dagster_environment(settings),
        settings.home_dir / "logs" / "dagster-webserver.log",
        _at(f"http://127.0.0.1:{port}/server_info"),
        port,
    )  # fmt: skip


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
        _at(f"http://127.0.0.1:{port}/login"),
        port,
    )


def _environment(settings: Settings) -> dict[str, str]:
    return os.environ | settings.environment()


@contextmanager
def running(services: list[Service]) -> Iterator[list[Service]]:
    """Start the services, wait until each is ready, end them when the block ends or this process does.

    SIGTERM ends the block as Ctrl-C does. None is started again: whoever waits for it is told.
    """
    with told_to_stop(), together() as (family, guard):
        for service in services:
            service.start(family)
            guard.tell(service.pid)
            if service.first:
                service.wait_until_ready()
        for service in services:
            service.wait_until_ready()
        yield services


@contextmanager
def together(within: float = STOP_SECONDS) -> Iterator[tuple[Family, Guard]]:
    """A family of processes that ends with the block, or with this process, whichever is first.

    `within`: seconds that they have to end once they are asked to; whoever interrupts once more waits no longer.
    """
    family = Family()
    guard = Guard(family)
    try:
        yield family, guard
    finally:
        try:
            family.end(within)
        except KeyboardInterrupt:
            family.end(within=0)
        guard.dismiss()


@contextmanager
def told_to_stop() -> Iterator[Callable[[], None]]:
    """SIGTERM, Ctrl-C and a closed terminal interrupt the block, but for what this process was started to ignore.

    What is given interrupts again where that was lost: Python drops what is raised within a finalizer.
    """
    told = list[int]()

    def interrupt(number: int, frame: object) -> None:
        told.append(number)
        raise KeyboardInterrupt

    def check() -> None:
        if told:
            raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {one: signal.getsignal(one) for one in numbers if signal.getsignal(one) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, interrupt)
    try:
        yield check
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def free_port() -> int:
    """A port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _port_is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _at(url: str) -> Callable[[], bool]:
    """Whether a server of this machine answers."""

    def answers() -> bool:
        try:
            return httpx.get(url, timeout=ANSWER_SECONDS, trust_env=False).status_code < 500
        except httpx.HTTPError:
            return False

    return answers


def _code_server_answers(path: Path) -> bool:
    from dagster import DagsterError
    from dagster._grpc.client import DagsterGrpcClient

    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(ANSWER_SECONDS)
        if probe.connect_ex(str(path)) != 0:
            return False
    try:
        # Its question after health has no deadline: one that is never answered would hold everything up.
        return bool(DagsterGrpcClient(socket=str(path)).get_server_id(timeout=round(ANSWER_SECONDS)))
    except DagsterError:
        return False
