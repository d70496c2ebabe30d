"""Units of work on a Ray cluster: tasks on its CPUs, or actors that hold a GPU each and make their detector once.

No more units are under way than there is room for, so that nothing piles up on a node; a node that is lost costs the
units that it was at, and they are begun again elsewhere. All nodes need this package, the same storage, and the
weights of the detector.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ava_core.base.errors import SettingsError
from ava_core.base.work.cores import claimed
from ava_core.base.work.runner import Advance, Outcome, Result, Unit, Work, attempt
from ava_core.base.work.worker import portable

TRIES: Final = 3
"""How often a unit is begun before it is taken for what ends its worker; nodes that come and go may lose one twice."""
LOOK_S: Final = 0.5
"""Time between two looks at how far units are, and between two times that a unit tells."""

KNOCK_S: Final = 5.0


class RayRunner:
    """Runs units on the cluster at `address`; "auto" is the one that this machine belongs to.

    `on_gpu`: units run in actors of a GPU each, else in tasks of a CPU each. `workers`: how many at a time, 0 for as
    many as the cluster has; where they are more than its GPUs, they share them.
    """

    def __init__(self, address: str, *, on_gpu: bool = False, workers: int = 0) -> None:
        self.address, self.on_gpu, self.workers = address, on_gpu, workers

    def run(self, work: Work[Unit, Result], units: Sequence[Unit], advance: Advance) -> list[Outcome[Result]]:
        """See `Runner`. Raises `SettingsError` where there is no cluster, or none with what the units need."""
        with _connected(self.address):
            crew = _Crew(self, work, units, advance)
            try:
                while len(crew.outcomes) < len(units):
                    crew.send()
                    crew.listen()
            finally:
                crew.dismiss()
        return [crew.outcomes[number] for number in range(len(units))]

    def room(self) -> int:
        """How many units the cluster can be at, as it is now: nodes come and go."""
        return self.workers or int(_resources(self.on_gpu))

    def cpus_each(self) -> int:
        """The CPUs that a task holds: as many as leave room for all that may be under way."""
        import ray

        nodes = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
        wanted = max(1, self.room())
        fits = (
            each for each in range(max(nodes, default=1), 1, -1) if sum(n // each for n in nodes) >= wanted
        )
        return next(fits, 1)

    def gpus_each(self) -> float:
        """The share of a GPU that an actor holds."""
        return min(1.0, _resources(self.on_gpu) / self.room())


class _Crew:
    """The units that wait, those that are under way, and what became of the others."""

    def __init__(self, runner: RayRunner, work: Any, units: Sequence[Any], advance: Advance) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        if not _resources(runner.on_gpu):
            what = "GPU" if runner.on_gpu else "CPU"
            raise SettingsError(
                f"Ray at {runner.address} has no {what}.", "Add a node with one, or set AVA_DEVICE=cpu."
            )
        self.runner, self.units, self.advance = runner, units, advance
        self.outcomes: dict[int, Outcome[Any]] = {}
        self._waiting = deque(range(len(units)))
        self._tries: Counter[int] = Counter()
        self._told: defaultdict[tuple[int, int], float] = defaultdict(float)
        self._under_way: dict[Any, tuple[int, Any]] = {}
        self._idle: list[Any] = []
        self._work = ray.put(work)
        # Here, where nothing but the end of this run takes it away.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._board = ray.remote(_Board).options(num_cpus=0, scheduling_strategy=here).remote()
        self._cpus = runner.cpus_each()
        self._task = ray.remote(_run_on).options(num_cpus=self._cpus, max_retries=0)

    def send(self) -> None:
        """Send units out while there is room."""
        while self._waiting and len(self._under_way) < max(1, self.runner.room()):
            number = self._waiting.popleft()
            self._tries[number] += 1
            told = (self._work, self.units[number], self._board, number, self._tries[number])
            actor = self._actor() if self.runner.on_gpu else None
            ref = actor.run.remote(*told) if actor else self._task.remote(self._cpus, *told)
            self._under_way[ref] = number, actor

    def listen(self) -> None:
        """Wait for units that are done or lost, and for how far the others are."""
        import ray
        from ray.exceptions import RayError, RayTaskError

        ready, _ = ray.wait(list(self._under_way), timeout=LOOK_S)
        for ref in ready:
            number, actor = self._under_way.pop(ref)
            try:
                kind, value = ray.get(ref)
            except RayTaskError:
                raise
            except RayError as error:
                self._lose(number, error)
                continue
            if kind == "raised":
                raise value
            self.outcomes[number] = value
            self._idle += [actor] if actor else []
        self._read_board()

    def dismiss(self) -> None:
        """End what is still under way, and let go of all actors."""
        import ray

        for ref, (_, actor) in self._under_way.items():
            if actor is None:
                ray.cancel(ref, force=True)
        for actor in [*self._idle, *(actor for _, actor in self._under_way.values()), self._board]:
            if actor is not None:
                ray.kill(actor)

    def _actor(self) -> Any:
        import ray

        if self._idle:
            return self._idle.pop()
        return (
            ray.remote(_Actor).options(num_cpus=1, num_gpus=self.runner.gpus_each(), max_restarts=0).remote()
        )

    def _read_board(self) -> None:
        import ray

        for number, attempt_number, units in ray.get(self._board.take.remote()):
            if attempt_number == self._tries[number]:
                self._told[number, attempt_number] += units
                self.advance(units)

    def _lose(self, number: int, error: Exception) -> None:
        """A unit's process or node is gone: what it told is taken back, and it waits for another one."""
        self._read_board()
        if told := self._told.pop((number, self._tries[number]), 0.0):
            self.advance(-told)
        if self._tries[number] < TRIES:
            self._waiting.appendleft(number)
            return
        how = type(error).__name__
        reason = f"its worker process was lost {TRIES} times ({how}); is there enough memory?"
        self.outcomes[number] = Outcome(None, reason)


class _Board:
    """Where units note how far they are. An actor."""

    def __init__(self) -> None:
        self._notes: list[tuple[int, int, float]] = []

    def add(self, number: int, attempt_number: int, units: float) -> None:
        """So much more of a unit is done."""
        self._notes.append((number, attempt_number, units))

    def take(self) -> list[tuple[int, int, float]]:
        """All notes since the last time."""
        notes, self._notes = self._notes, []
        return notes


class _Actor:
    """A process that keeps its GPU, and what was made on it, from unit to unit."""

    def run(self, *told: Any) -> tuple[str, Any]:
        """See `_run`."""
        return _run(*told)


def _run_on(cpus: int, *told: Any) -> tuple[str, Any]:
    """See `_run`, on so many cores: Ray counts a task's CPUs, and holds it to none."""
    with claimed(cpus):
        return _run(*told)


def _run(work: Any, unit: Any, board: Any, number: int, attempt_number: int) -> tuple[str, Any]:
    """Work on a unit in a process of the cluster: `done` and its outcome, or `raised` and what ends the work."""
    import ray

    done, since = 0.0, time.monotonic()

    def advance(units: float = 1.0, /) -> None:
        nonlocal done, since
        done += units
        if time.monotonic() - since >= LOOK_S:
            board.add.remote(number, attempt_number, done)
            done, since = 0.0, time.monotonic()

    try:
        outcome = attempt(work, unit, advance)
    except Exception as error:
        return "raised", portable(error)
    # Waited for, so that it is on the board before the unit counts as done.
    ray.get(board.add.remote(number, attempt_number, done))
    return "done", outcome


def _resources(on_gpu: bool) -> float:
    import ray

    return float(ray.cluster_resources().get("GPU" if on_gpu else "CPU", 0))


@contextlib.contextmanager
def _connected(address: str) -> Iterator[None]:
    """Connected to the cluster; who was connected before stays so."""
    try:
        import ray
    except ImportError as error:
        raise SettingsError(
            "AVA_RUNNER=ray needs Ray.", "Install it: pip install 'ava-platform[ray]'"
        ) from error
    if ray.is_initialized():
        yield
        return
    try:
        _knock(address)
        ray.init(address, log_to_driver=False, configure_logging=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise SettingsError(
            f"No Ray cluster is responding at {address!r}.",
            "Start one (`ray start --head`), or set AVA_RAY_ADDRESS to the address of one.",
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raises `OSError` where nobody listens: Ray itself would wait for minutes."""
    if address == "auto":
        return
    host, _, port = address.rpartition("://")[2].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=KNOCK_S):
        pass
