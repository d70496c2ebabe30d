"""What the annotation server has otherwise than the platform made it there, with a button that settles each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from nicegui import ui

from ava_core.annotation.mending import VERBS, look, mend
from ava_core.base.text import plural
from ava_core.store import discrepancies
from ava_core.store.tables import Discrepancy
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit


class DiscrepanciesPanel:
    """A line for each, of one batch or of all; nothing where there are none, but a button that looks again."""

    def __init__(self, visit: Visit, batch: str = "") -> None:
        self.visit, self.batch = visit, batch
        self.place = ui.column().classes("w-full gap-2")
        self.draw()

    def draw(self) -> None:
        """Show what is known now."""
        found = discrepancies.known(self.visit.console.store, self.batch)
        self.place.clear()
        with self.place:
            if found:
                theme.heading("Changed on the annotation server")
            for one in found:
                self._line(one)
            if self.visit.may("admin"):
                button = ui.button("Compare with the annotation server", icon="compare_arrows").props("flat")
                button.on_click(self.visit.action("admin", self._look)).mark("compare")

    def _line(self, one: Discrepancy) -> None:
        with ui.row().classes("items-center"):
            ui.icon("link_off").classes("warn")
            with ui.column().classes("gap-0"):
                ui.label(one.said).classes("warn")
                ui.label(one.cure).classes("soft")
            verb = VERBS.get(one.kind)
            if verb and self.visit.may("admin"):
                button = ui.button(verb, icon="healing").props("outline")
                button.on_click(self.visit.action("admin", self._mend(one))).mark(f"mend-{one.kind}")

    def _mend(self, one: Discrepancy) -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            console = self.visit.console
            try:
                said = await asyncio.to_thread(
                    mend, console.settings, console.store, one.kind, one.subject, self.visit.user.username
                )
            finally:
                self.draw()
            ui.notify(said)

        return act

    async def _look(self) -> None:
        console = self.visit.console
        found = await asyncio.to_thread(look, console.settings, console.store)
        self.draw()
        ui.notify(
            f"{plural(len(found), 'difference')}." if found else "Everything on the server is in place."
        )
