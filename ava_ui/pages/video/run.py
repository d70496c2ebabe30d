"""One run of Dagster, live: its state and its log."""

from __future__ import annotations

from typing import Final

from nicegui import ui

from ava_ui import addresses
from ava_ui.dagster.client import Run
from ava_ui.elements.runs_panel import retry_button
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit

LIVE_SECONDS: Final = 2.0
LINES_KEPT: Final = 300


async def content(visit: Visit) -> None:
    """State, log, and what may be done about it."""
    run = await visit.console.dagster.run(visit.params["run_id"])
    panel = RunPanel(visit, run)
    if run.status == "FAILURE":
        ui.label(await visit.console.dagster.failure(run.run_id)).classes("bad")
    panel.draw_log()
    await panel.follow()


class RunPanel:
    """A run as it goes on: its state, ending or retrying it, and its log, line by line."""

    def __init__(self, visit: Visit, run: Run) -> None:
        self.visit, self.run_id, self.dagster = visit, run.run_id, visit.console.dagster
        self.cursor: str | None = None
        began = f"{run.created_at:%Y-%m-%d %H:%M:%S}"
        with ui.row().classes("items-center"):
            self.state = ui.label(run.status.lower()).classes("part-title").mark("run-status")
            ui.label(f"{', '.join(run.assets)} · {run.batch or 'no batch'} · began {began}")
            if run.batch:
                ui.link("batch", addresses.batch(run.batch))
        if visit.may("admin"):
            with ui.row():
                ending = ui.button("End", on_click=visit.action("admin", self.end)).props("flat")
                again = retry_button(visit, run)
                ending.set_visibility(not run.is_over)
                again.set_visibility(run.status == "FAILURE")

    def draw_log(self) -> None:
        """The log, empty at first; it grows until the run is over."""
        self.log = ui.log(max_lines=LINES_KEPT).classes("w-full").style("height: 55vh")
        self.timer = ui.timer(LIVE_SECONDS, self.visit.action("viewer", self.follow))

    async def follow(self) -> None:
        """Show what the run has said since, and its state."""
        lines, self.cursor = await self.dagster.logs(self.run_id, self.cursor)
        for line in lines[-LINES_KEPT:]:
            self.log.push(f"{line.at:%H:%M:%S} {line.step} {line.message}")
        now = await self.dagster.run(self.run_id)
        self.state.set_text(now.status.lower())
        if now.is_over:
            self.timer.deactivate()

    async def end(self) -> None:
        """End it, where somebody confirms that."""
        with theme.asking("Stop this run? Everything it has written so far is kept.", "Stop") as dialog:
            pass
        if await dialog:
            await self.visit.note("end run", self.run_id)
            await self.dagster.end(self.run_id)
