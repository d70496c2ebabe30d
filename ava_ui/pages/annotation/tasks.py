"""Annotators, the server they work on, dealing a batch out to them, and what each clip still needs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import polars as pl
from nicegui import ui

from ava_core.annotation.staffing import top_up
from ava_core.base.errors import InputError
from ava_core.base.text import plural
from ava_core.store import annotators, tasks
from ava_core.store.tables import Annotator
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.elements.data_table import DataTable
from ava_ui.elements.runs_panel import RunsPanel
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.pages.annotation.connection import connection
from ava_ui.pages.annotation.dealing import DealingPanel
from ava_ui.pages.annotation.discrepancies import DiscrepanciesPanel


async def content(visit: Visit) -> None:
    """Annotators, connection, plan; what each clip still needs."""
    with ui.element("div").classes("two"):
        with ui.card():
            theme.heading("Annotators")
            _people(visit, await asyncio.to_thread(tasks.workload, visit.console.store))
        with ui.card():
            theme.heading("Annotation server")
            connection(visit)
    DiscrepanciesPanel(visit)
    theme.heading("Deal out")
    names = await asyncio.to_thread(_with_clips, visit)
    if not names:
        theme.empty("No batch has clips yet.", "Add a batch first.", addresses.BATCHES, "Batches")
        return
    dealt = {row.batch for row in visit.console.counts.rows if row.counts["tasks"]}
    open_batches = [name for name in names if name not in dealt]
    wanted = visit.query.get("batch", "")
    chosen = wanted if wanted in names else (open_batches or names)[-1]
    ui.select(
        names, value=chosen, label="batch", with_input=len(names) > 12,
        on_change=lambda event: ui.navigate.to(addresses.tasks(event.value or "")),
    ).classes("w-64").mark("plan-batch")  # fmt: skip
    DealingPanel(visit, chosen)
    RunsPanel(visit, chosen)
    theme.later(visit, lambda: _needs(visit, chosen))


def _with_clips(visit: Visit) -> list[str]:
    """Batches whose clips are cut, oldest first."""
    rows = visit.console.counts.refresh()
    return [row.batch for row in rows if row.counts["clips"]]


def _people(visit: Visit, load: dict[str, tuple[int, int]]) -> None:
    everyone = annotators.everyone(visit.console.store)
    if not everyone:
        ui.label("No annotators yet. Test the connection, then add members of the organisation.").classes(
            "soft"
        )
        return
    rows = [
        (person.username, _state(person), *load.get(person.username, (0, 0))[::-1], person.capacity)
        for person in everyone
    ]
    schema = {
        "annotator": pl.String,
        "state": pl.String,
        "done": pl.Int64,
        "jobs": pl.Int64,
        "limit": pl.Int64,
    }
    jobs = addresses.progress(annotator=cell("annotator"))
    table = DataTable(
        pl.DataFrame(rows, schema=schema, orient="row"), file="annotators", selectable=visit.may("admin"),
        labels={"annotator": "annotator", "state": "state", "done": "done", "jobs": "jobs", "limit": "most clips"},
        links={"annotator": jobs, "jobs": jobs,
               "done": addresses.progress(annotator=cell("annotator"), state="completed")},
    )  # fmt: skip
    if not visit.may("admin"):
        return
    with ui.row():
        ui.button("Pause", on_click=_set_state(visit, table, paused=True)).props("flat").mark("pause")
        ui.button("Resume", on_click=_set_state(visit, table, paused=False)).props("flat").mark("resume")
        ui.button("Limit …", on_click=_set_limit(visit, table)).props("flat").mark("limit")


def _state(person: Annotator) -> str:
    return "inactive" if not person.active else "paused" if person.paused else "active"


def _ticked(table: DataTable) -> list[str]:
    names: list[str] = table.selected["annotator"].to_list()
    if not names:
        raise InputError("No annotator is selected.", "Select annotators in the table.")
    return names


def _set_state(visit: Visit, table: DataTable, *, paused: bool) -> Callable[..., Awaitable[None]]:
    async def act() -> None:
        for name in _ticked(table):
            await asyncio.to_thread(
                annotators.set_state, visit.console.store, name, paused=paused, active=True
            )
            await visit.note("pause annotator" if paused else "resume annotator", name)
        ui.navigate.reload()

    return visit.action("admin", act)


def _set_limit(visit: Visit, table: DataTable) -> Callable[..., Awaitable[None]]:
    async def act() -> None:
        names = _ticked(table)
        with theme.asking(f"Most clips of one batch for {', '.join(names)}", "Save") as dialog:
            most = ui.number("clips", value=20, min=1, precision=0)
        if await dialog:
            for name in names:
                await asyncio.to_thread(
                    annotators.set_state, visit.console.store, name, capacity=int(most.value or 1)
                )
                await visit.note("limit annotator", name, capacity=int(most.value or 1))
            ui.navigate.reload()

    return visit.action("admin", act)


async def _needs(visit: Visit, batch: str) -> None:
    """Clips that lack an annotator before their labels can be trusted, and where one more is worth most."""
    needs = await asyncio.to_thread(visit.console.tables.table, batch, "consensus_labels", "needs")
    if needs is None:
        return
    if "worth" not in needs.columns:  # formed by an older version
        needs = needs.with_columns(expected_errors=pl.lit(None, pl.Float64), worth=pl.lit(None, pl.Float64))
    wanting = needs.filter((pl.col("need") != "") | (pl.col("worth") > 0))
    if wanting.is_empty():
        return
    theme.heading("Clips that need another annotator")
    ui.label("Sorted by how many wrong labels another annotator is expected to fix per answer.").classes(
        "soft"
    )
    wanting = wanting.sort("worth", "clip_id", descending=[True, False], nulls_last=True)
    table = DataTable(
        wanting, file=f"{batch}_needs", facets=["need"], selectable=visit.may("admin"),
        labels={"clip_id": "clip", "voters": "trusted annotators", "need": "need", "reason": "why",
                "expected_errors": "expected wrong labels", "worth": "fixed per 100 answers"},
        links={"clip_id": addresses.review(batch, cell("clip_id")),
               "voters": addresses.progress(batch, clip=cell("clip_id"))},
    )  # fmt: skip
    if not visit.may("admin"):
        return

    async def top_up_ticked() -> None:
        clips = table.selected["clip_id"].to_list()
        if not clips:
            raise InputError("No clip is selected.", "Select clips in the table.")
        with theme.asking(f"Add one annotator to {plural(len(clips), 'clip')}?", "Top up") as dialog:
            ui.label("Each clip goes to the annotator with the least work in the batch.")
        if not await dialog:
            return
        at = visit.console.batch(batch)
        for clip in clips:
            who = await asyncio.to_thread(top_up, at, clip, visit.user.username)
            ui.notify(f"{clip}: {who} now has a job for it.")

    ui.button(
        "Top up selected clips …", icon="group_add", on_click=visit.action("admin", top_up_ticked)
    ).mark("top-up")
