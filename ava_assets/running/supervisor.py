"""What `ava up` does all day: one platform a home, what ends is started again, and all of it ends with this process."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from ava_assets.running.family import Family
from ava_assets.running.logs import rotate
from ava_assets.running.services import READY_SECONDS, Service, ServiceError, together, told_to_stop
from ava_core.base.settings import Settings
from ava_core.base.text import plural
from ava_core.operations.services import ServiceState, forget_states, run_dir, write_states

LOOK_SECONDS = 0.5
FIRST_WAIT_SECONDS = 1.0
"""Before a service that ended is started again; then twice as long, and so on."""
LONGEST_WAIT_SECONDS = 60.0
WELL_SECONDS = 120.0
"""A service that ran for so long is well: the next time it ends counts as the first."""
TRIES_AT_START = 3
"""So often may a service end before it was ever ready: after that something is wrong that a person must mend."""
LOGS_SECONDS = 30.0
ASK_SECONDS = 30.0
"""Time between two questions whether a service that runs still answers."""

LOCK, FAMILY = "up.lock", "family.json"


@contextmanager
def locked(settings: Settings) -> Iterator[None]:
    """Hold a home for the time of the block. Raises `ServiceError` that says who has it."""
    folder = run_dir(settings)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise _taken(settings, file.name) from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "since": time.time(), "console": settings.console_port}))
        file.flush()
        yield


def _taken(settings: Settings, file: str) -> ServiceError:
    said = {}
    with suppress(OSError, ValueError):
        said = json.loads(Path(file).read_text())
    since = f" since {datetime.fromtimestamp(said['since']):%d %B, %H:%M}" if "since" in said else ""
    console = f"Its console is at http://127.0.0.1:{said['console']}; " if "console" in said else ""
    return ServiceError(
        f"The platform runs on {settings.home_dir} already: process {said.get('pid', 'unknown')}{since}.",
        f"{console}Press Ctrl-C in its terminal to stop it, or use another home (AVA_HOME) at the same time.",
    )


def end_earlier(settings: Settings) -> int:
    """End what an earlier start left behind when it was killed; returns how many processes that were."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        said = json.loads((run_dir(settings) / FAMILY).read_text())
        return Family(said["mark"], {int(pid): since for pid, since in said["leaders"].items()}).end()
    return 0


@dataclass
class _Kept:
    """A service with how it fares; moments are of the clock that nobody sets."""

    service: Service
    state: Literal["starting", "runs", "waits"] = "waits"
    ends: int = 0
    in_a_row: int = 0
    reason: str = ""
    due: float = 0.0
    started: float = 0.0
    asked: float = 0.0
    answered: float = 0.0
    was_ready: bool = False

    @property
    def shown(self) -> ServiceState:
        return ServiceState(self.service.name, self.state, self.ends, self.reason)


class Supervisor:
    """Keeps services running. `say` gets a sentence whenever something happens that a person may want to know."""

    def __init__(
        self,
        settings: Settings,
        services: list[Service],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings, self.say, self.clock = settings, say, clock
        self.kept = [_Kept(service) for service in services]
        self._written: list[ServiceState] = []
        self._logs_at = 0.0

    def run(self, when_ready: Callable[[], None]) -> None:
        """Run until interrupted; `when_ready` is called once everything answers.

        Raises `ServiceError` where the platform runs on this home already, or a service cannot be started at all.
        """
        with told_to_stop() as check, locked(self.settings):
            if left := end_earlier(self.settings):
                self.say(f"{plural(left, 'process')} left over from an earlier start stopped.")
            try:
                with together() as (self.family, self.guard):
                    self._loop(when_ready, check)
            finally:
                forget_states(self.settings)

    def _loop(self, when_ready: Callable[[], None], check: Callable[[], None]) -> None:
        announced = False
        while True:
            check()
            self.look()
            if not announced and all(kept.state == "runs" for kept in self.kept):
                when_ready()
                announced = True
                # The libraries that are loaded stay till the end, where looking for garbage among them would take
                # a busy machine seconds.
                gc.freeze()
            time.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Once: see what ended, start what is due, see what is ready, turn full logs over."""
        self.guard.check()
        for kept in self.kept:
            self._look_at(kept)
            if kept.service.first and not kept.was_ready:
                break
        states = [kept.shown for kept in self.kept]
        if states != self._written:
            write_states(self.settings, states)
            self._written = states
        if self.clock() - self._logs_at >= LOGS_SECONDS:
            self._logs_at = self.clock()
            for kept in self.kept:
                with suppress(OSError):
                    rotate(kept.service.log)

    def _look_at(self, kept: _Kept) -> None:
        service = kept.service
        if kept.state != "waits" and service.ended:
            self._ended(kept, service.ended)
        elif kept.state == "waits":
            if self.clock() >= kept.due:
                self._start(kept)
        elif kept.state == "starting" or self.clock() - kept.asked >= ASK_SECONDS:
            self._ask(kept)

    def _ask(self, kept: _Kept) -> None:
        """See whether it answers; one that has not for too long hangs, and is ended as one that ended by itself."""
        kept.asked = self.clock()
        if kept.service.answers():
            kept.answered = self.clock()
            if kept.state == "starting" and kept.ends:
                self.say(f"{kept.service.name} is running again.")
            kept.state, kept.was_ready = "runs", True
        elif self.clock() - kept.answered >= READY_SECONDS:
            self._ended(kept, f"did not answer for {READY_SECONDS:.0f} s")

    def _start(self, kept: _Kept) -> None:
        try:
            kept.service.start(self.family)
        except (ServiceError, OSError) as error:
            self._ended(kept, f"cannot be started: {error}")
            return
        kept.state, kept.started, kept.answered = "starting", self.clock(), self.clock()
        self._note_family()
        self.guard.tell(kept.service.pid)

    def _ended(self, kept: _Kept, how: str) -> None:
        """Note it, end what it left, and say when it is started again."""
        service = kept.service
        if service.process is not None:
            self.family.end_group(service.process.pid)
        if kept.state == "runs" and self.clock() - kept.started >= WELL_SECONDS:
            kept.in_a_row = 0
        kept.ends, kept.in_a_row, kept.reason = kept.ends + 1, kept.in_a_row + 1, how
        if not kept.was_ready and kept.in_a_row >= TRIES_AT_START:
            tail = service.tail() if service.log.exists() else ""
            raise ServiceError(f"{service.name} {how}\n{tail}", f"See {service.log}.")
        wait = min(FIRST_WAIT_SECONDS * 2.0 ** (kept.in_a_row - 1), LONGEST_WAIT_SECONDS)
        kept.state, kept.due = "waits", self.clock() + wait
        self.say(f"{service.name} {how}; it is started again in {wait:.0f} s.")

    def _note_family(self) -> None:
        """For a later start that finds this one killed."""
        folder = run_dir(self.settings)
        temporary = folder / f".{FAMILY}.{os.getpid()}"
        with suppress(OSError):
            temporary.write_text(json.dumps({"mark": self.family.mark, "leaders": self.family.leaders}))
            temporary.replace(folder / FAMILY)
