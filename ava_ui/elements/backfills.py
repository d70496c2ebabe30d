"""Backfills: assets of many batches being made, how far they are, and ending one."""

from __future__ import annotations

from typing import Final

from nicegui import ui

from ava_ui.dagster.client import Backfill, DagsterError
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit

LIVE_SECONDS: Final = 6.0
SHOWN: Final = 8


class Backfills:
    """The newest backfills, drawn anew where they change."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.shown: object = None
        self.place = ui.column().classes("w-full gap-2")
        with self.place:
            ui.spinner()
        ui.timer(0.1, self.follow, once=True)
        ui.timer(LIVE_SECONDS, self.follow)

    async def follow(self) -> None:
        """Ask, and draw what is new."""
        try:
            found: list[Backfill] | DagsterError = await self.visit.console.dagster.backfills(SHOWN)
        except DagsterError as error:
            found = error
        if str(found) == self.shown:
            return
        self.shown = str(found)
        self.place.clear()
        with self.place:
            if isinstance(found, DagsterError):
                theme.problem(found)
            elif not found:
                ui.label("None yet: tick batches above and process them together.").classes("soft")
            else:
                for backfill in found:
                    self._one(backfill)

    def _one(self, backfill: Backfill) -> None:
        async def cancel() -> None:
            with theme.asking(f"End backfill {backfill.backfill_id}?", "End it") as dialog:
                ui.label("Runs under way end; what they have written is kept.")
            if await dialog:
                self.visit.note("cancel backfill", backfill.backfill_id)
                await self.visit.console.dagster.cancel_backfill(backfill.backfill_id)
                await self.follow()

        state = backfill.status.lower().replace("_", " ")
        failed = f", {backfill.failed} failed" if backfill.failed else ""
        words = f"{backfill.done} of {backfill.batches} batch(es) done{failed} · {state}"
        with ui.row().classes("items-center no-wrap w-full"):
            with ui.column().classes("gap-0 grow"):
                ui.label(f"{backfill.created_at:%Y-%m-%d %H:%M} · {', '.join(backfill.assets)}")
                ui.label(words).classes("bad" if backfill.failed else "soft")
                if backfill.problem:
                    ui.label(backfill.problem).classes("bad")
                if backfill.batches and not backfill.is_over:
                    share = backfill.done / backfill.batches
                    ui.linear_progress(share, show_value=False).props(f'aria-label="{words}"')
            if not backfill.is_over and self.visit.may("admin"):
                ui.button("End", on_click=self.visit.action("admin", cancel)).props("flat dense")
