"""Runners: the same outcomes in the same order, one bad unit costs itself alone, and no process is left behind."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ava_core.base.errors import AvaError
from ava_core.base.settings import load_settings
from ava_core.base.work.choice import make_runner
from ava_core.base.work.cores import available, claimed, shares
from ava_core.base.work.processes import ProcessRunner
from ava_core.base.work.runner import InlineRunner, Outcome, Runner, untold
from tests.support import units

RUNNERS: list[Runner] = [InlineRunner(), ProcessRunner(2)]


@pytest.fixture(params=RUNNERS, ids=["inline", "processes"])
def runner(request: pytest.FixtureRequest) -> Runner:
    made: Runner = request.param
    return made


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def becomes(true: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


def test_outcomes_come_in_the_order_of_the_units_and_progress_is_told(runner: Runner) -> None:
    told: list[float] = []
    outcomes = runner.run(units.where, [3, 1, 2], lambda done=1.0, /: told.append(done))
    assert [one.result[0] for one in outcomes if one.result] == [3, 1, 2]
    assert sorted(told) == [1, 2, 3]


def test_an_error_is_the_reason_of_its_unit_alone(runner: Runner) -> None:
    assert runner.run(units.odd_one_breaks, [1, 2, 3, 4], untold) == [
        Outcome(None, "1 is odd"), Outcome(4), Outcome(None, "3 is odd"), Outcome(8)
    ]  # fmt: skip


def test_what_the_others_would_meet_as_well_ends_the_work(runner: Runner) -> None:
    with pytest.raises(OSError, match="No space left"):
        runner.run(units.full_disk, [1, 2, 3], untold)


def test_workers_are_other_processes_and_share_out_the_cores() -> None:
    outcomes = ProcessRunner(2).run(units.where, list(range(8)), untold)
    by_process = {one.result[1]: one.result[2] for one in outcomes if one.result}
    assert os.getpid() not in by_process
    dealt = [set(share) for share in shares(available(), 2)]
    assert by_process
    assert all(set(own) in dealt for own in by_process.values())
    assert not any(is_alive(pid) for pid in by_process)


def test_a_unit_whose_worker_is_killed_is_tried_once_more(tmp_path: Path) -> None:
    told: list[float] = []
    work = functools.partial(units.kill_once, tmp_path)
    outcomes = ProcessRunner(2).run(work, [0, 1, 2, 3], lambda done=1.0, /: told.append(done))
    assert [one.result for one in outcomes] == [0, 1, 2, 3]
    assert sum(told) == 4, "what the killed one had told is taken back"


def test_a_unit_that_kills_its_worker_each_time_costs_itself_alone() -> None:
    outcomes = ProcessRunner(2).run(units.kill_always, [0, 1, 2, 3], untold)
    assert [one.result for one in outcomes] == [0, None, 2, 3]
    assert "ended 2 times (SIGKILL)" in outcomes[1].reason


def test_workers_that_cannot_start_are_no_fault_of_a_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ava_core.base.work.processes.PROGRAM", "raise SystemExit(3)")
    with pytest.raises(AvaError, match=r"cannot start \(exit status 3\).*AVA_RUNNER=inline"):
        ProcessRunner(2).run(units.where, [1, 2, 3], untold)


WAITING = """
import functools, sys
from pathlib import Path
from ava_core.base.work.processes import ProcessRunner
from ava_core.base.work.runner import untold
from tests.support import units

ProcessRunner(2).run(functools.partial(units.wait_for_ever, Path(sys.argv[1])), [1, 2], untold)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_the_run_however_it_ends(how: signal.Signals, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    run = subprocess.Popen(
        [sys.executable, "-c", WAITING, str(tmp_path)], env=environment, stderr=subprocess.DEVNULL
    )
    assert becomes(lambda: len(list(tmp_path.glob("*.here"))) == 2)
    pids = [int(path.stem) for path in tmp_path.glob("*.here")]
    run.send_signal(how)
    assert run.wait(60) != 0
    assert becomes(lambda: not any(is_alive(pid) for pid in pids))
    assert {int(path.stem) for path in tmp_path.glob("*.tidied")} == set(pids), "they tidy up"


def test_little_work_is_done_inline() -> None:
    settings = load_settings()
    assert isinstance(make_runner(settings, 1, worth=100), InlineRunner)
    assert isinstance(make_runner(settings, 100, worth=1.5), InlineRunner)
    assert isinstance(make_runner(settings, 100, worth=100, on_gpu=True), InlineRunner)


def test_the_settings_decide_on_the_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ava_core.base.work.choice.available", lambda: [0, 1, 2, 3])

    def workers(**settings: object) -> int:
        made = make_runner(load_settings(**settings), 3, worth=100)
        return made.workers if isinstance(made, ProcessRunner) else 1

    assert workers() == 3, "no more than there are units"
    assert workers(workers=2) == 2
    assert workers(workers=1) == 1
    assert workers(runner="inline", workers=2) == 1
    told = make_runner(load_settings(workers=2), 3, worth=0, on_gpu=True)
    assert isinstance(told, ProcessRunner), "told so, a GPU is shared"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system holds no process to its cores")
def test_two_that_claim_cores_never_run_on_the_same_one() -> None:
    before = available()
    if len(before) < 2:
        pytest.skip("NOT PROVED on a single core: that claims differ")
    with claimed(1) as first:
        assert available() == first
        os.sched_setaffinity(0, before)  # as another process would see it
        with claimed(1) as second:
            assert len(first) == len(second) == 1
            assert first != second
        with claimed(len(before)) as too_many:
            assert too_many == []
            assert available() == before
    with claimed(len(before)) as all_again:
        assert all_again == before
    assert available() == before
