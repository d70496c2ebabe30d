"""What waits for somebody, and on an empty platform the first steps, each with the page on which it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from nicegui import ui

from ava_core.operations.to_do import Place, Step, ToDo, first_steps, to_do
from ava_ui import addresses
from ava_ui.elements.runs_panel import LIVE_SECONDS
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit

PLACES: Final[dict[Place, Callable[[str], str]]] = {
    "batches": lambda _: addresses.BATCHES,
    "tasks": addresses.tasks,
    "progress": addresses.progress,
    "quality": lambda batch: addresses.quality(batch, "pending"),
    "run": addresses.run,
    "dataset": lambda _: addresses.DATASET,
}
"""The page of each place, given the batch or run that an item is about."""

URGENT: Final[frozenset[Place]] = frozenset({"run"})


class ToDoPanel:
    """The list, drawn anew where it changes."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.shown: list[ToDo] | None = None
        self.place = ui.column().classes("w-full gap-1").mark("to-do")
        ui.timer(LIVE_SECONDS, visit.action("viewer", self.follow))

    async def follow(self) -> None:
        """Draw what is new."""
        found = await asyncio.to_thread(self._find)
        if found == self.shown or self.place.is_deleted:
            return
        self.shown = found
        self.place.clear()
        with self.place:
            for item in found:
                _item(item)
            if not found:
                ui.label("Nothing to do.").classes("soft")

    def _find(self) -> list[ToDo]:
        console = self.visit.console
        counts = {row.batch: row.counts for row in console.counts.rows}
        archived = console.counts.archived
        failed = [run.run_id for run, _ in console.runs.failed if run.batch not in archived]
        return to_do(console.store, console.settings, counts, failed)


async def to_do_panel(visit: Visit) -> None:
    """The list under its heading."""
    with ui.card().classes("w-full"):
        theme.heading("To do")
        await ToDoPanel(visit).follow()


async def checklist(visit: Visit) -> None:
    """The first steps of an empty platform, ticked as they are done."""
    counts = {row.batch: row.counts for row in visit.console.counts.rows}
    steps = await asyncio.to_thread(first_steps, visit.console.store, counts)
    with ui.card().classes("w-full").mark("first-steps"):
        theme.heading("Next steps to your first dataset")
        for number, step in enumerate(steps, start=1):
            _step(number, step)


def _item(item: ToDo) -> None:
    with ui.row().classes("items-center no-wrap gap-2"):
        if item.place in URGENT:
            ui.icon("cancel").classes("bad").props("role=img aria-label=failed")
        else:
            ui.icon("radio_button_unchecked").classes("soft").props("aria-hidden=true")
        ui.link(item.sentence, PLACES[item.place](item.subject))


def _step(number: int, step: Step) -> None:
    with ui.row().classes("items-center no-wrap gap-2"):
        if step.done:
            ui.icon("check_circle").classes("good").props("role=img aria-label=done")
        else:
            ui.icon("radio_button_unchecked").classes("soft").props("aria-hidden=true")
        with ui.column().classes("gap-0"):
            ui.link(f"{number}. {step.sentence}", PLACES[step.place](""))
            ui.label(step.purpose).classes("soft")
