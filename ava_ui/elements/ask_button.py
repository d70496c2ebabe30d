"""A button by which something is asked of Dagster: it says so at once, and cannot be pressed again meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from nicegui import ui

from ava_core.store.batches import check_active
from ava_ui.frame.visit import Visit
from ava_ui.known.asked import Request

WAITING: Final = "Requested, waiting for Dagster"


class AskButton(ui.button):
    """For admins. `wire` says what it does; from `once` until that is done it shows that something was asked for."""

    def __init__(self, visit: Visit, words: str, *, icon: str | None = None) -> None:
        super().__init__(words, icon=icon)
        self.visit, self.words = visit, words

    def wire(self, act: Callable[[], Awaitable[None]]) -> None:
        """`act` asks, by `once` where that is Dagster; what it raises is said to whoever pressed."""

        async def pressed() -> None:
            try:
                await act()
            finally:
                if not self.is_deleted:  # the page may show something else by now
                    self.show_waiting(False)

        self.on_click(self.visit.action("admin", pressed))

    async def once(
        self, keys: Sequence[str], what: str, batches: Sequence[str], ask: Callable[[], Awaitable[str]]
    ) -> str:
        """Ask as `known.asked.Asked.once` does, in the visitor's name."""
        self.show_waiting(True)
        request = Request(what, tuple(batches), self.visit.user.username)
        return await self.visit.console.asked.once(keys, request, ask)

    async def process(self, batches: Sequence[str], assets: Sequence[str]) -> str:
        """Make assets of batches; returns the backfill's id.

        Of none where one of them is asked for already, or in the archive.
        """
        check_active(self.visit.console.store, batches)
        visit, made, names = self.visit, ", ".join(assets), ", ".join(batches)[:200]

        async def ask() -> str:
            await visit.note("process", names, assets=made)
            return await visit.console.dagster.process(batches, assets)

        return await self.once([f"{made} of {one}" for one in batches], f"{made} of {names}", batches, ask)

    def show_waiting(self, waits: bool) -> None:
        """Whether something was asked for that has not come to Dagster yet."""
        self.set_text(WAITING if waits else self.words)
        self.set_enabled(not waits)
