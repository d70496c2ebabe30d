"""Units of work on all cores: processes that each take the next unit as soon as they are free.

Each is a fresh Python of its own rather than a fork, which threads of torch and polars do not survive; nor is the
program imported that the run was started with. It keeps to its share of the cores.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Sequence
from multiprocessing.connection import Pipe, wait
from typing import Any, Final

from ava_core.base.errors import AvaError
from ava_core.base.work.cores import available, shares
from ava_core.base.work.runner import Advance, Outcome, Result, Unit, Work

TRIES: Final = 2
"""How often a unit is begun before it is taken for what ends its worker; and so with the start of workers."""
LEAVE_S: Final = 5.0
"""How long a worker that is told to end may tidy up."""
PROGRAM: Final = (
    "import sys; sys.path[:] = {path!r}; from ava_core.base.work.worker import main; main({line}, {cores!r})"
)


class ProcessRunner:
    """So many worker processes. A worker that is killed costs its unit alone, which is tried once more."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(self, work: Work[Unit, Result], units: Sequence[Unit], advance: Advance) -> list[Outcome[Result]]:
        """See `Runner`."""
        crew = _Crew(work, units, advance)
        try:
            for share in shares(available(), min(self.workers, len(units))):
                crew.hire(share)
            while len(crew.outcomes) < len(units):
                crew.listen()
        finally:
            crew.dismiss()
        return [crew.outcomes[number] for number in range(len(units))]


class _Worker:
    """A worker process, seen from the one that hired it."""

    def __init__(self, cores: list[int], work: Any) -> None:
        self.cores = cores
        self.unit: int | None = None
        self.told = 0.0
        self.is_ready = False
        self.line, theirs = Pipe()
        with theirs:
            program = PROGRAM.format(
                path=[str(place) for place in sys.path], line=theirs.fileno(), cores=cores
            )
            # Its standard input is its lifeline: it ends when nobody holds the other end any more.
            self.process = subprocess.Popen(
                [sys.executable, "-c", program], stdin=subprocess.PIPE, pass_fds=[theirs.fileno()]
            )
        self.send(work)

    def send(self, thing: Any) -> None:
        """Send it; that a worker is gone is noticed when it is listened to."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.line.send(thing)

    def ended(self) -> str:
        """How it ended."""
        try:
            status = self.process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        return f"exit status {status}" if status >= 0 else signal.Signals(-status).name

    def close(self) -> None:
        """Let go of it."""
        self.line.close()
        if self.process.stdin:
            self.process.stdin.close()


class _Crew:
    """Workers, the units that wait for one, and what became of the others."""

    def __init__(self, work: Any, units: Sequence[Any], advance: Advance) -> None:
        self.work, self.units, self.advance = work, units, advance
        self.outcomes: dict[int, Outcome[Any]] = {}
        self._waiting = deque(range(len(units)))
        self._tries: Counter[int] = Counter()
        self._failed_starts = 0
        self._workers: dict[Any, _Worker] = {}

    def hire(self, share: list[int]) -> None:
        """Start a worker on these cores; it gets its first unit once it is ready."""
        worker = _Worker(share, self.work)
        self._workers[worker.line] = worker

    def listen(self) -> None:
        """Wait for what workers have to say."""
        for line in wait(list(self._workers)):
            worker = self._workers[line]
            try:
                kind, value = worker.line.recv()
            except (EOFError, OSError):
                self._lose(worker)
                continue
            if kind == "raised":
                raise value
            if kind == "advance":
                worker.told += value
                self.advance(value)
                continue
            if kind == "done" and worker.unit is not None:
                self.outcomes[worker.unit] = value
            worker.is_ready = True
            self._give_next(worker)

    def dismiss(self) -> None:
        """End all workers, whatever they are at."""
        for worker in self._workers.values():
            worker.process.terminate()
        for worker in self._workers.values():
            worker.ended()
            worker.close()

    def _give_next(self, worker: _Worker) -> None:
        worker.unit, worker.told = None, 0.0
        if self._waiting:
            worker.unit = self._waiting.popleft()
            worker.send(self.units[worker.unit])

    def _lose(self, worker: _Worker) -> None:
        """A worker is gone: its unit is tried once more, by a new one. Raises `AvaError` if workers cannot start."""
        del self._workers[worker.line]
        how = worker.ended()
        worker.close()
        self._failed_starts += not worker.is_ready
        if self._failed_starts >= TRIES:
            raise AvaError(
                f"Worker processes cannot start ({how}).", "See their output, or set AVA_RUNNER=inline."
            )
        if worker.unit is not None:
            self.advance(-worker.told)
            self._tries[worker.unit] += 1
            if self._tries[worker.unit] < TRIES:
                self._waiting.appendleft(worker.unit)
            else:
                reason = f"its worker process ended {TRIES} times ({how}); is there enough memory?"
                self.outcomes[worker.unit] = Outcome(None, reason)
        if self._waiting:
            self.hire(worker.cores)
