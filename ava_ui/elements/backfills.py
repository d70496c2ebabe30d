"""Backfills: assets of many batches being made, how far they are, and ending one."""

from __future__ import annotations

from typing import Final

from nicegui import ui

from ava_ui.dagster.client import Backfill, DagsterError, Run
from ava_ui.dagster.outcomes import outcome
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit

LIVE_SECONDS: Final = 6.0
SHOWN: Final = 8
RUNS_A_BATCH: Final = 4
"""Runs of a failed backfill that are looked at: a batch may take several, and be tried again."""


class Backfills:
    """The newest backfills, drawn anew where they change."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.shown: object = None
        self.runs: dict[str, list[Run]] = {}
        self.place = ui.column().classes("w-full gap-2")
        with self.place:
            ui.spinner()
        ui.timer(0.1, self.follow, once=True)
        ui.timer(LIVE_SECONDS, self.follow)

    async def follow(self) -> None:
        """Ask, and draw what is new."""
        try:
            found: list[Backfill] | DagsterError = await self.visit.console.dagster.backfills(SHOWN)
            if isinstance(found, list):
                await self._look_into(found)
        except DagsterError as error:
            found = error
        if str((found, self.runs)) == self.shown:
            return
        self.shown = str((found, self.runs))
        self.place.clear()
        with self.place:
            if isinstance(found, DagsterError):
                theme.problem(found)
            elif not found:
                ui.label("No backfills yet. Select batches above and process them together.").classes("soft")
            else:
                for backfill in found:
                    self._one(backfill)

    async def _look_into(self, backfills: list[Backfill]) -> None:
        """Ask for the runs of those that failed: their own counts stand still from then on."""
        for one in backfills:
            known = self.runs.get(one.backfill_id, [])
            if one.status == "FAILED" and not (known and all(run.is_over for run in known)):
                most = RUNS_A_BATCH * max(1, one.batches)
                found = await self.visit.console.dagster.runs(backfill=one.backfill_id, limit=most)
                self.runs[one.backfill_id] = found

    def _one(self, backfill: Backfill) -> None:
        async def cancel() -> None:
            with theme.asking(f"Stop backfill {backfill.backfill_id}?", "Stop") as dialog:
                ui.label("Runs in progress stop; everything they have written is kept.")
            if await dialog:
                await self.visit.note("cancel backfill", backfill.backfill_id)
                await self.visit.console.dagster.cancel_backfill(backfill.backfill_id)
                await self.follow()

        words, is_bad = outcome(backfill, self.runs.get(backfill.backfill_id, []))
        with ui.row().classes("items-center no-wrap w-full"):
            with ui.column().classes("gap-0 grow"):
                ui.label(f"{backfill.created_at:%Y-%m-%d %H:%M} · {', '.join(backfill.assets)}")
                ui.label(words).classes("bad" if is_bad else "soft")
                if backfill.batches and not backfill.is_over:
                    share = backfill.done / backfill.batches
                    ui.linear_progress(share, show_value=False).props(f'aria-label="{words}"')
            if not backfill.is_over and self.visit.may("admin"):
                ui.button("End", on_click=self.visit.action("admin", cancel)).props("flat dense")
