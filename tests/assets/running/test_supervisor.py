"""What `ava up` keeps running, by processes of the test's own: who ends, who is started again, who is left alone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from ava_assets.running import services
from ava_assets.running.family import (
    DISMISS_SECONDS,
    KILL_SECONDS,
    MARK,
    STOP_SECONDS,
    Family,
    marked,
    started,
)
from ava_assets.running.logs import numbered, rotate
from ava_assets.running.services import READY_SECONDS, Service, ServiceError, together, told_to_stop
from ava_assets.running.supervisor import ASK_SECONDS, TRIES_AT_START, Supervisor, end_earlier, locked
from ava_core.base.settings import Settings, load_settings
from ava_core.operations.services import read_states
from tests.support.processes import PROJECT
from tests.support.waiting import wait_until

WAITS = "import time; time.sleep(600)"
HAS_CHILD = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', '{WAITS}']); {WAITS}"
STUBBORN = (
    f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); {WAITS}"
)
HAS_STUBBORN_CHILD = f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-c", {STUBBORN!r}], start_new_session=True)
{WAITS}
"""
PATIENCE_SECONDS = 20.0


def service(folder: Path, program: str = WAITS, name: str = "one") -> Service:
    return Service(name, [sys.executable, "-c", program], dict(os.environ), folder / f"{name}.log")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home")


class Running:
    """A supervisor that is looked after by hand, its clock too."""

    def __init__(self, settings: Settings, services: list[Service]) -> None:
        self.now, self.said = 0.0, list[str]()
        self.supervisor = Supervisor(settings, services, self.said.append, clock=lambda: self.now)

    def look_until(self, condition: object) -> None:
        wait_until(lambda: (self.supervisor.look(), condition())[1], PATIENCE_SECONDS)  # type: ignore[operator]


@pytest.fixture
def one(settings: Settings, tmp_path: Path) -> Iterator[tuple[Running, Service]]:
    """A service that runs."""
    kept = service(tmp_path)
    with together() as (family, guard):
        running = Running(settings, [kept])
        running.supervisor.family, running.supervisor.guard = family, guard
        running.look_until(lambda: read_states(settings) and read_states(settings)[0].state == "runs")
        yield running, kept


def test_one_that_is_killed_is_started_again_and_that_is_said(
    one: tuple[Running, Service], settings: Settings
) -> None:
    running, kept = one
    first = kept.pid
    os.kill(first, signal.SIGKILL)
    running.look_until(lambda: read_states(settings)[0].state == "waits")
    assert running.said == ["one was killed (SIGKILL); it is started again in 1 s."]
    assert kept.pid == first, "not at once"
    running.now += 1
    running.look_until(lambda: read_states(settings)[0].state == "runs")
    assert kept.pid != first
    [state] = read_states(settings)
    assert state.sentence == "one was killed (SIGKILL) (1 time so far); it runs again."


def test_each_time_it_waits_longer(one: tuple[Running, Service], settings: Settings) -> None:
    running, kept = one
    for wait in (1, 2, 4, 8):
        os.kill(kept.pid, signal.SIGKILL)
        running.look_until(lambda: read_states(settings)[0].state == "waits")
        assert running.said[-1].endswith(f"in {wait} s.")
        running.now += wait
        running.look_until(lambda: read_states(settings)[0].state == "runs")


def test_one_that_never_comes_up_is_for_a_person(settings: Settings, tmp_path: Path) -> None:
    broken = service(tmp_path, "import sys; sys.exit('port 1 is not to be had')")
    running = Running(settings, [broken])
    with together() as (family, guard):
        running.supervisor.family, running.supervisor.guard = family, guard
        broken.answers = lambda: False
        for tries in range(1, TRIES_AT_START):
            running.look_until(lambda: len(running.said) >= tries)  # noqa: B023 - used at once
            running.now += 60
        with pytest.raises(ServiceError, match="port 1 is not to be had"):
            running.look_until(lambda: False)


def test_one_that_hangs_is_ended_and_started_again(one: tuple[Running, Service], settings: Settings) -> None:
    running, kept = one
    first = kept.pid
    kept.answers = lambda: False
    for _ in range(round(READY_SECONDS / ASK_SECONDS) - 1):
        running.now += ASK_SECONDS
        running.supervisor.look()
        assert (read_states(settings)[0].state, kept.pid) == ("runs", first)
    running.now += ASK_SECONDS
    running.supervisor.look()
    assert running.said == ["one did not answer for 180 s; it is started again in 1 s."]
    for wait in (1, READY_SECONDS, 2):  # hangs once more before it was ready
        running.now += wait
        running.supervisor.look()
    assert running.said[1:] == ["one did not answer for 180 s; it is started again in 2 s."]
    kept.answers = lambda: True
    running.look_until(lambda: read_states(settings)[0].state == "runs")
    assert kept.pid != first
    assert not psutil.pid_exists(first) or psutil.Process(first).status() == psutil.STATUS_ZOMBIE


def test_a_code_server_that_takes_a_call_and_never_answers_holds_nobody_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "code.sock"))
        silent.listen()
        began = time.monotonic()
        assert not services._code_server_answers(tmp_path / "code.sock")
        assert time.monotonic() - began < PATIENCE_SECONDS


def test_what_it_left_behind_ends_with_it(settings: Settings, tmp_path: Path) -> None:
    kept = service(tmp_path, HAS_CHILD)
    running = Running(settings, [kept])
    with together() as (family, guard):
        running.supervisor.family, running.supervisor.guard = family, guard
        running.look_until(lambda: kept.process and psutil.Process(kept.pid).children())
        [child] = psutil.Process(kept.pid).children()
        os.kill(kept.pid, signal.SIGKILL)
        running.look_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_second_start_says_who_runs(settings: Settings) -> None:
    with locked(settings), pytest.raises(ServiceError, match=rf"already: process {os.getpid()} since"):
        locked(settings).__enter__()
    with locked(settings):
        pass


PARENT = """
import sys, time
from pathlib import Path
from ava_assets.running.services import Service, together
with together() as (family, guard):
    one = Service("one", [sys.executable, "-c", sys.argv[1]], {}, Path(sys.argv[2]))
    one.start(family)
    guard.tell(one.pid)
    print(family.mark, one.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("program", [WAITS, HAS_CHILD])
def test_services_end_with_their_parent_however_it_ends(tmp_path: Path, program: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, program, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    assert parent.stdout is not None
    mark, pid = parent.stdout.readline().split()
    assert started(int(pid))
    parent.kill()
    parent.wait()
    wait_until(lambda: not started(int(pid)) and not marked(mark), PATIENCE_SECONDS)


def test_what_a_killed_start_left_is_found_and_nothing_else_is_touched(
    settings: Settings, tmp_path: Path
) -> None:
    """A number that is another process's by now is left alone: it started at another moment."""
    mine = subprocess.Popen([sys.executable, "-c", WAITS], env={MARK: "earlier"}, start_new_session=True)
    others = subprocess.Popen([sys.executable, "-c", WAITS], start_new_session=True)
    try:
        with locked(settings):
            family = Family("earlier", {others.pid: "another moment"})
            file = settings.home_dir / "run" / "family.json"
            file.write_text(f'{{"mark": "{family.mark}", "leaders": {{"{others.pid}": "another moment"}}}}')
            ended = wait_until(lambda: end_earlier(settings), PATIENCE_SECONDS)
        assert ended == 1
        assert mine.wait(PATIENCE_SECONDS) in (-signal.SIGTERM, -signal.SIGKILL)
        assert others.poll() is None
    finally:
        others.kill()
        others.wait()


@pytest.mark.parametrize("program", [STUBBORN, HAS_STUBBORN_CHILD], ids=["itself", "its child"])
def test_one_that_will_not_end_is_killed_after_its_time(tmp_path: Path, program: str) -> None:
    stubborn = service(tmp_path, program)
    with together(within=0.2) as (family, _):
        stubborn.start(family)
        wait_until(lambda: b"ready" in stubborn.log.read_bytes(), PATIENCE_SECONDS)
        assert marked(family.mark)
    assert not started(stubborn.pid)
    assert not marked(family.mark)


def test_all_its_times_together_stay_below_ten_seconds() -> None:
    assert STOP_SECONDS + KILL_SECONDS + DISMISS_SECONDS < 9


def test_a_second_interrupt_ends_the_wait(tmp_path: Path) -> None:
    stubborn = service(tmp_path, STUBBORN)
    with told_to_stop(), together(within=PATIENCE_SECONDS * 10) as (family, guard):
        stubborn.start(family)
        wait_until(lambda: b"ready" in stubborn.log.read_bytes(), PATIENCE_SECONDS)
        end = family.end

        def interrupted(within: float) -> int:
            if within:
                os.kill(os.getpid(), signal.SIGTERM)
            return end(within)

        family.end = interrupted  # type: ignore[method-assign]
    assert not started(stubborn.pid)
    assert guard._process.poll() is not None


def test_an_interrupt_that_was_lost_interrupts_again() -> None:
    with told_to_stop() as check:
        check()
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            check()


def test_a_terminal_that_may_close_may_close() -> None:
    """`nohup ava up` goes on."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with told_to_stop() as check:
            os.kill(os.getpid(), signal.SIGHUP)
            check()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_guard_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    with together() as (_, guard):
        os.kill(guard._process.pid, signal.SIGSTOP)
    assert guard._process.poll() is not None


def test_a_full_log_makes_way_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    with log.open("ab", buffering=0) as writer:
        for turn in range(4):
            writer.write(f"turn {turn} ".encode() * 10)
            assert rotate(log, full=50, kept=2)
        writer.write(b"now")
    assert log.read_bytes() == b"now"
    assert b"turn 3" in numbered(log, 1).read_bytes()
    assert b"turn 2" in numbered(log, 2).read_bytes()
    assert not numbered(log, 3).exists()
    assert not rotate(log, full=50)
