"""Runs under way with how far they are, and failures with their reason and a retry; drawn anew where they change."""

from __future__ import annotations

from typing import Final

from nicegui import ui

from ava_ui import addresses
from ava_ui.dagster.client import Run
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit

LIVE_SECONDS: Final = 4.0


class RunsPanel:
    """What `known.runs.LiveRuns` saw, of one batch or of all. What it shows was asked for once, for all open pages."""

    def __init__(self, visit: Visit, batch: str = "") -> None:
        self.visit, self.batch, self.runs = visit, batch, visit.console.runs
        self.place = ui.column().classes("w-full gap-2")
        self.shown: object = None
        with self.place:
            ui.spinner()
        # A console that has just started may not have looked yet.
        ui.timer(0.1, self._first, once=True)
        ui.timer(LIVE_SECONDS, self.follow)

    def follow(self) -> None:
        """Draw what is new; nothing is sent where nothing is."""
        runs = self.runs
        running = [run for run in runs.running if self.batch in ("", run.batch)]
        failed = [(run, why) for run, why in runs.failed if self.batch in ("", run.batch)]
        now = (
            running,
            failed,
            [runs.progress.get(run.run_id, "") for run in running],
            str(runs.problem or ""),
        )
        if now == self.shown:
            return
        self.shown = now
        self.place.clear()
        with self.place:
            if runs.problem is not None:
                theme.problem(runs.problem)
            for run in running:
                self._running(run)
            for run, why in failed:
                self._failed(run, why)
            if not running and not failed and runs.problem is None:
                ui.label("Nothing runs, nothing failed.").classes("soft")

    async def _first(self) -> None:
        if not self.runs.looked:
            await self.runs.look()
        self.follow()

    def _running(self, run: Run) -> None:
        with ui.row().classes("items-center no-wrap w-full"):
            ui.spinner(size="sm")
            with ui.column().classes("gap-0 grow"):
                ui.link(_name(run), addresses.run(run.run_id))
                said = self.runs.progress.get(run.run_id) or run.status.lower().replace("_", " ")
                ui.label(said).classes("soft").mark("run-progress")
                if (share := self.runs.share(run.run_id)) is not None:
                    ui.linear_progress(share, show_value=False).props(f'aria-label="{said}"')

    def _failed(self, run: Run, why: str) -> None:
        async def retry() -> None:
            self.visit.note("retry run", run.run_id, batch=run.batch)
            ui.navigate.to(addresses.run(await self.visit.console.dagster.retry(run.run_id)))

        with ui.row().classes("items-center no-wrap w-full"):
            ui.icon("cancel").classes("bad").props("role=img aria-label=failed")
            with ui.column().classes("gap-0 grow"):
                ui.link(_name(run), addresses.run(run.run_id))
                ui.label(why).classes("soft wrap")
            if self.visit.may("admin"):
                ui.button("Retry", on_click=self.visit.action("admin", retry)).props("flat dense").mark(
                    "retry"
                )


def _name(run: Run) -> str:
    return f"{run.batch or 'release'}: {', '.join(run.assets) or 'run'}"
