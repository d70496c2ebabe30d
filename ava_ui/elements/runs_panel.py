"""Runs under way with how far they are, and failures with their reason and a retry; drawn anew where they change."""

from __future__ import annotations

from typing import Final

from nicegui import ui

from ava_core.store.batches import check_active
from ava_ui import addresses
from ava_ui.dagster.client import Run
from ava_ui.elements.ask_button import AskButton
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
        hidden = set() if self.batch else self.visit.console.counts.archived
        failed = [
            (run, why)
            for run, why in runs.failed
            if self.batch in ("", run.batch) and run.batch not in hidden
        ]
        waiting = self.visit.console.asked.waiting(runs.newest, self.batch)
        now = (
            running,
            failed,
            [one.words for one in waiting],
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
            for one in waiting:
                ui.label(one.words).classes("soft").mark("asked")
            for run in running:
                self._running(run)
            for run, why in failed:
                self._failed(run, why)
            if not running and not failed and not waiting and runs.problem is None:
                ui.label("No running or failed runs.").classes("soft")

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
        with ui.row().classes("items-center no-wrap w-full"):
            ui.icon("cancel").classes("bad").props("role=img aria-label=failed")
            with ui.column().classes("gap-0 grow"):
                ui.link(_name(run), addresses.run(run.run_id))
                ui.label(why).classes("soft wrap")
            if self.visit.may("admin"):
                retry_button(self.visit, run)


def retry_button(visit: Visit, run: Run) -> AskButton:
    """Runs what failed again, and goes there; once, from however many pages it is pressed."""
    button, key = AskButton(visit, "Retry"), f"retry {run.run_id}"

    async def ask() -> str:
        await visit.note("retry run", run.run_id, batch=run.batch)
        return await visit.console.dagster.retry(run.run_id)

    async def retry() -> None:
        check_active(visit.console.store, [run.batch])
        again = await button.once([key], f"a retry of {_name(run)}", [run.batch], ask)
        ui.navigate.to(addresses.run(again))

    button.wire(retry)
    button.show_waiting(visit.console.asked.is_waiting(key))
    button.props("flat dense").mark("retry")
    return button


def _name(run: Run) -> str:
    return f"{run.batch or 'release'}: {', '.join(run.assets) or 'run'}"
