"""What others decide while a page stands open: it is said there, and what the page does compares with what it shows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from threading import Lock
from typing import Final

from nicegui import ui

from ava_core import decisions
from ava_core.store import Store
from ava_core.store.tables import Decision

FOLLOW_SECONDS: Final = 2.0

Concern = Callable[[Decision], bool]
"""Whether a decision is about what a page shows."""


class Seen:
    """The newest decisions that a page shows, of one batch or, where `batch` is "", of all; safe in threads.

    Make it before the page reads what it shows: whatever comes later is news.
    """

    def __init__(self, store: Store, batch: str = "") -> None:
        self.store, self.batch = store, batch
        self.news: list[Decision] = []
        self._lock = Lock()
        self._shown = self._newest()
        self._looked = dict(self._shown)

    def of(self, batch: str) -> int:
        """What decisions on a batch compare with (`ava_core.decisions.service`)."""
        return self._shown.get(batch, 0)

    def look(self) -> None:
        """Add to the news what was decided since the last look."""
        with self._lock:
            newest = self._newest()
            for batch, number in newest.items():
                last = self._looked.get(batch, 0)
                if number > last:
                    self.news += decisions.decisions_after(self.store, last, batch)
            self._looked = newest

    def made(self, decision: Decision) -> None:
        """Somebody decided it on this very page, which goes on to show it: it is no news."""
        self.look()
        with self._lock:
            self.news = [one for one in self.news if one.decision_id != decision.decision_id]
            if all(one.batch != decision.batch for one in self.news):
                self._shown[decision.batch] = self._looked[decision.batch]

    def about(self, concerns: Concern) -> list[Decision]:
        """The news that concern a page, oldest first."""
        return [one for one in self.news if concerns(one)]

    def _newest(self) -> dict[str, int]:
        if self.batch:
            return {self.batch: decisions.newest_decision(self.store, self.batch)}
        return decisions.newest_decisions(self.store)


class Decided:
    """Stands above what a page shows as soon as somebody has decided on it; until then it is not there.

    `then` is called whenever there is news that concern the page.
    """

    def __init__(
        self, seen: Seen, concerns: Concern, then: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self.seen, self.concerns, self.then = seen, concerns, then
        self.known = 0
        with ui.row().classes("decided items-center").props('role=status aria-live="polite"') as self.place:
            self.words = ui.label().classes("grow").mark("decided")
            ui.button("Reload", icon="refresh", on_click=ui.navigate.reload).props("flat no-caps")
        self.place.set_visibility(False)
        ui.timer(FOLLOW_SECONDS, self.follow)

    async def follow(self) -> None:
        """Look, and say what is new; how long ago it was grows on."""
        await asyncio.to_thread(self.seen.look)
        found = self.seen.about(self.concerns)
        self.words.set_text(decisions.told_newest(found) if found else "")
        self.place.set_visibility(bool(found))
        known, self.known = self.known, len(found)
        if known < self.known and self.then is not None:
            await self.then()
