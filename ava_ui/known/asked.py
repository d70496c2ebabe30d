"""What people have asked Dagster for and what became of it: nothing is asked for twice, from however many tabs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from ava_core.base.errors import AvaError
from ava_core.decisions import ago
from ava_core.store.tables import now
from ava_ui.dagster.client import DagsterClient, Run

SHOWN_FOR: Final = timedelta(minutes=2)
"""How long a request that Dagster shows no run of is said to wait; after that something else is wrong."""

KEPT_FOR: Final = timedelta(days=1)


class AskedError(AvaError):
    """Somebody has asked for the same, and it is not over."""


@dataclass(frozen=True)
class Request:
    """`what` somebody asked for ("clips, tracks of street", "a retry of clips"), and the batches that it is about.

    `made`: the id of the run or backfill that Dagster made of it, or the batch that was added; "" until then.
    """

    what: str
    batches: tuple[str, ...]
    by: str
    at: datetime = field(default_factory=now)
    made: str = ""

    @property
    def words(self) -> str:
        """Who asked for it, and that it waits."""
        return f"{self.what}: {self.by} requested it {ago(self.at)}, waiting for Dagster"


@dataclass
class Asked:
    """Requests by key: those that have a key in common are the same. Lives in the console's one event loop."""

    dagster: DagsterClient
    _requests: dict[str, Request] = field(default_factory=dict)

    async def once(self, keys: Sequence[str], request: Request, ask: Callable[[], Awaitable[str]]) -> str:
        """Ask, unless the same was asked for and is not over; returns what was made: the run, the backfill, the batch.

        Raises `AskedError` with who asked and when. A request that Dagster refused counts for nothing.
        """
        before = {key: self._requests[key] for key in keys if key in self._requests}
        for known in set(before.values()):
            if not known.made or not await self.dagster.is_over(known.made):
                raise _already(known)
        for key in keys:
            known_now = self._requests.get(key)
            if known_now is not None and known_now is not before.get(key):
                raise _already(known_now)  # somebody was quicker, while Dagster was asked what is over
        kept = {name: one for name, one in self._requests.items() if one.at > now() - KEPT_FOR}
        self._requests = kept | dict.fromkeys(keys, request)
        try:
            made = await ask()
        except BaseException:
            for key in keys:
                self._requests.pop(key, None)
            raise
        self._requests |= dict.fromkeys(keys, replace(request, made=made))
        return made

    def is_waiting(self, key: str) -> bool:
        """Whether Dagster has not answered yet."""
        known = self._requests.get(key)
        return known is not None and not known.made

    def waiting(self, runs: Sequence[Run], batch: str = "") -> list[Request]:
        """Requests about a batch, or all, of which none of Dagster's `runs` shows anything yet, oldest first."""
        recent, seen = now() - SHOWN_FOR, {run.run_id for run in runs} | {run.backfill for run in runs}
        seen |= {run.batch for run in runs}  # of a batch that was added, whatever is made of it
        about = {one for one in self._requests.values() if batch in ("", *one.batches, one.made)}
        found = {one for one in about if one.at > recent}
        return sorted((one for one in found if not one.made or one.made not in seen), key=lambda one: one.at)


def _already(known: Request) -> AskedError:
    state = "is under way" if known.made else "waits for Dagster"
    return AskedError(
        f"{known.by} asked for {known.what} {ago(known.at)}; it {state}.", "Try again once it has finished."
    )
