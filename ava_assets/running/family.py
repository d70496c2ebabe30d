"""Which processes belong to one start of the platform, and ending them: never by name, never by a number alone.

A number of a process may be another one's by now. So a process is known by the mark that it and all its children
carry in their environment, or by its number together with the moment at which it started.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

MARK = "AVA_UP"
"""The variable that processes of one start have in common."""
PROC = Path("/proc")
STOP_SECONDS = 5.0
"""How long processes may take to end after they were asked to; then they are killed."""
KILL_SECONDS = 2.0
"""How long the system may take to clear a killed one away."""
DISMISS_SECONDS = 1.0
"""How long the guard may take to go; all together stay well below ten seconds."""
POLL_SECONDS = 0.05


def started(pid: int) -> str:
    """When a process started, in the system's own words; "" where there is none."""
    if PROC.is_dir():
        with suppress(OSError, IndexError):
            # The name, in brackets, may hold spaces and brackets of its own.
            fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            return "" if fields[0] == "Z" else fields[19]
        return ""
    said = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True)
    return said.stdout.strip()


def marked(mark: str) -> list[int]:
    """Processes that carry a mark; none where the system does not show environments."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for folder in PROC.glob("[0-9]*"):
        with suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return [pid for pid in found if pid != os.getpid()]


@dataclass
class Family:
    """The processes of one start: its mark, and the first process of each service with when it started."""

    mark: str = field(default_factory=lambda: secrets.token_hex(8))
    leaders: dict[int, str] = field(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process of the family gets."""
        return {MARK: self.mark}

    def add(self, pid: int) -> None:
        """Take in a process that leads a group of its own."""
        self.leaders[pid] = started(pid)

    def alive(self) -> list[int]:
        """Processes of the family that run."""
        leaders = [pid for pid, since in self.leaders.items() if since and started(pid) == since]
        return sorted({*leaders, *marked(self.mark)})

    def end(self, within: float = STOP_SECONDS) -> int:
        """Ask all at once to end, kill those that have not within so many seconds; returns how many there were."""
        found = self.alive()
        self._signal(found, signal.SIGTERM)
        self._gone_within(within)
        deadline = time.monotonic() + KILL_SECONDS
        # Again and again: a process that is killed may have started another one a moment before.
        while (left := self.alive()) and time.monotonic() < deadline:
            self._signal(left, signal.SIGKILL)
            time.sleep(POLL_SECONDS)
        return len(found)

    def end_group(self, leader: int) -> None:
        """Kill what is left of the group of a process that ended: nobody would wait for its children."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)
        self.leaders.pop(leader, None)

    def _signal(self, pids: Iterable[int], number: int) -> None:
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                # A leader's group holds its children too, where the system does not show their mark.
                if pid in self.leaders:
                    os.killpg(pid, number)
                else:
                    os.kill(pid, number)

    def _gone_within(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.alive():
            time.sleep(POLL_SECONDS)


class Guard:
    """A small process that ends a family as soon as this one is gone, however it went.

    It waits for the end of a pipe of which this process alone holds the other side.
    """

    def __init__(self, family: Family) -> None:
        self.family = family
        self._start()

    def _start(self) -> None:
        # Its own session: Ctrl-C and a closed terminal reach it as little as the services.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ava_assets.running.guard", self.family.mark],
            stdin=subprocess.PIPE, start_new_session=True,
            env={name: value for name, value in os.environ.items() if name != MARK},
        )  # fmt: skip
        for pid in self.family.leaders:
            self.tell(pid)

    def tell(self, pid: int) -> None:
        """Tell it of a service."""
        self._write(f"{pid} {self.family.leaders[pid]}\n")

    def check(self) -> None:
        """Start it again where it is gone."""
        if self._process.poll() is not None:
            self._start()

    def dismiss(self) -> None:
        """Let it go: all is ended."""
        self._write("over\n")
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(DISMISS_SECONDS)
        except subprocess.TimeoutExpired:  # on a busy machine it may not even have begun
            self._process.kill()
            self._process.wait()

    def _write(self, line: str) -> None:
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()
