"""Every batch along the stages; what failed and why; how much has come how far."""

from __future__ import annotations

import asyncio
from typing import Final

import polars as pl
from nicegui import ui

from ava_core.overview import STAGES
from ava_ui import theme
from ava_ui.counts import BatchRow
from ava_ui.dagster_client import RUNNING, DagsterError, Run
from ava_ui.elements import charts
from ava_ui.elements.data_table import DataTable
from ava_ui.pages.metrics import clips_by_day
from ava_ui.visit import Visit

LIVE_SECONDS: Final = 10.0
FAILED_SHOWN: Final = 10

FUNNEL: Final = {"clips": "cut", "tasks": "in CVAT", "approved": "approved"}
"""Stages that count clips, and what to call them."""

LINKS: Final = {
    "batch": "/batches/{batch}",
    "videos": "/batches/{batch}#videos",
    "clips": "/batches/{batch}#clips",
    "tracks": "/batches/{batch}#clips",
    "tasks": "/progress?batch={batch}",
    "jobs done": "/progress?batch={batch}&state=completed",
    "approved": "/quality?batch={batch}&status=approved",
    "released rows": "/dataset",
}
"""Every number leads to what it counts."""


async def content(visit: Visit) -> None:
    """The overview."""
    for finding in visit.console.health.findings:
        if finding.status != "ok":
            ui.label(f"{finding.subject}: {finding.found} {finding.cure}").classes("warn")
    counts = visit.console.counts
    rows = counts.rows or await asyncio.to_thread(counts.refresh)
    if not rows:
        theme.empty(
            "No batches yet.", "Add a zip of videos; it is processed by itself.", "/batches", "Add a batch"
        )
        return
    done = await asyncio.to_thread(clips_by_day, visit.console)
    table = DataTable(frame(rows), links=LINKS, file="batches", sort_by="created", descending=True)
    with ui.element("div").classes("two"):
        with ui.card():
            theme.heading("How many clips are how far")
            sums = [sum(row.counts[stage] or 0 for row in rows) for stage in FUNNEL]
            charts.bars(list(FUNNEL.values()), {"clips": sums})
            theme.heading("Jobs completed a day")
            daily = done.group_by("day").agg(pl.col("clips").sum()).sort("day")
            if daily.is_empty():
                ui.label("No completed work was read yet.").classes("soft")
            else:
                charts.bars(daily["day"].to_list(), {"jobs": daily["clips"].to_list()})
        with ui.card():
            theme.heading("Running and failed")
            runs = ui.column().classes("w-full")
    with runs:
        ui.spinner()

    async def follow() -> None:
        table.set_frame(frame(counts.rows))
        await _show_runs(visit, runs)

    ui.timer(LIVE_SECONDS, follow)
    ui.timer(0.1, lambda: _show_runs(visit, runs), once=True)


def frame(rows: list[BatchRow]) -> pl.DataFrame:
    """`batch, created` and a column per stage."""
    schema = {"batch": pl.String, "created": pl.Datetime} | dict.fromkeys(STAGES, pl.Int64)
    records = [
        {"batch": row.batch, "created": row.created_at.replace(tzinfo=None), **row.counts} for row in rows
    ]
    return pl.DataFrame(records, schema=schema)


async def _show_runs(visit: Visit, place: ui.column) -> None:
    try:
        dagster = visit.console.dagster
        running = await dagster.runs(statuses=RUNNING)
        failed = await _still_failed(visit)
        reasons = await asyncio.gather(*(dagster.failure(run.run_id) for run in failed))
    except DagsterError as error:
        place.clear()
        with place:
            theme.problem(error)
        return
    place.clear()
    with place:
        for run in running:
            with ui.row().classes("items-center"):
                ui.spinner(size="sm")
                ui.link(f"{run.batch or 'release'}: {', '.join(run.assets) or 'run'}", f"/runs/{run.run_id}")
                ui.label(run.status.lower()).classes("soft")
        for run, reason in zip(failed, reasons, strict=True):
            _failure(visit, run, reason)
        if not running and not failed:
            ui.label("Nothing runs, nothing failed.").classes("soft")


async def _still_failed(visit: Visit) -> list[Run]:
    """Failed runs after which no other run of the same batch and assets succeeded."""
    newest: dict[tuple[str, tuple[str, ...]], Run] = {}
    for run in await visit.console.dagster.runs(limit=200):
        newest.setdefault((run.batch, run.assets), run)
    return [run for run in newest.values() if run.status == "FAILURE"][:FAILED_SHOWN]


def _failure(visit: Visit, run: Run, reason: str) -> None:
    async def retry() -> None:
        visit.note("retry run", run.run_id, batch=run.batch)
        ui.navigate.to(f"/runs/{await visit.console.dagster.retry(run.run_id)}")

    with ui.row().classes("items-center no-wrap w-full"):
        ui.icon("cancel").classes("bad")
        with ui.column().classes("gap-0 grow"):
            ui.link(f"{run.batch or 'release'}: {', '.join(run.assets)}", f"/runs/{run.run_id}")
            ui.label(reason).classes("soft")
        if visit.may("admin"):
            ui.button("Retry", on_click=visit.action("admin", retry)).props("flat dense")
