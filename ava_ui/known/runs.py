"""What Dagster is doing now: asked for once in the background, however many pages look at it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from ava_ui.dagster.client import RUNNING, DagsterClient, DagsterError, Run

RUNS_SEEN: Final = 200
"""Newest runs among which failures are looked for."""
FAILED_SHOWN: Final = 10
PAGES_A_LOOK: Final = 5
"""Pages of a run's log that one look reads at most; what is left comes with the next look."""

_PROGRESS: Final = re.compile(r"[a-z ]+: (\d+)(?:/(\d+))? [a-z ]+(?:, .*)?")
"""Lines that `ava_core.base.progress.ProgressReport` writes."""


@dataclass
class LiveRuns:
    """The newest look: runs under way with how far they are, and failures that nothing has mended since.

    `newest`: the newest runs of all. `progress`: by run, `clips: 3/7 clips, 0:40 left`; "" while it has said nothing.
    `problem` stands where Dagster did not answer; what was known before stays.
    """

    dagster: DagsterClient
    running: list[Run] = field(default_factory=list)
    failed: list[tuple[Run, str]] = field(default_factory=list)
    progress: dict[str, str] = field(default_factory=dict)
    newest: list[Run] = field(default_factory=list)
    problem: DagsterError | None = None
    looked: bool = False
    _cursors: dict[str, str] = field(default_factory=dict)
    _reasons: dict[str, str] = field(default_factory=dict)

    async def look(self) -> None:
        """Look once; never raises."""
        try:
            newest = await self.dagster.runs(limit=RUNS_SEEN)
            running = await self.dagster.runs(statuses=RUNNING)
            for run in running:
                await self._follow(run.run_id)
            failed = still_failed(newest)
            for run in failed:
                if run.run_id not in self._reasons:
                    self._reasons[run.run_id] = await self.dagster.failure(run.run_id)
        except DagsterError as error:
            self.problem, self.looked = error, True
            return
        known = {run.run_id for run in running}
        self.progress = {name: said for name, said in self.progress.items() if name in known}
        self._cursors = {name: at for name, at in self._cursors.items() if name in known}
        self._reasons = {run.run_id: self._reasons[run.run_id] for run in failed}
        self.newest = newest
        self.running, self.failed = running, [(run, self._reasons[run.run_id]) for run in failed]
        self.problem, self.looked = None, True

    def now(self, batch: str) -> str:
        """What is being done for a batch, else what failed and how to mend it, in a few words; "" where nothing is."""
        own = [run for run in self.running if run.batch == batch]
        if own:
            return "; ".join(self.progress.get(run.run_id) or run.status.lower() for run in own)
        return "; ".join(f"failed: {why}" for run, why in self.failed if run.batch == batch)

    def share(self, run_id: str) -> float | None:
        """How much of what it does now a run has done, 0 to 1; `None` while that is not known."""
        said = _PROGRESS.fullmatch(self.progress.get(run_id, ""))
        if said is None or not said[2] or not int(said[2]):
            return None
        return min(1.0, int(said[1]) / int(said[2]))

    async def _follow(self, run_id: str) -> None:
        for _ in range(PAGES_A_LOOK):
            lines, cursor = await self.dagster.logs(run_id, self._cursors.get(run_id))
            if not lines or cursor == self._cursors.get(run_id):
                return
            self._cursors[run_id] = cursor
            for line in lines:
                if _PROGRESS.fullmatch(line.message):
                    self.progress[run_id] = line.message


def still_failed(newest: list[Run]) -> list[Run]:
    """Failed runs after which no run of the same batch and assets was begun; `newest` begins with the newest."""
    last: dict[tuple[str, tuple[str, ...]], Run] = {}
    for run in newest:
        last.setdefault((run.batch, run.assets), run)
    return [run for run in last.values() if run.status == "FAILURE"][:FAILED_SHOWN]
