"""Every batch along the stages; what failed and why; how much has come how far."""

from __future__ import annotations

import asyncio
from typing import Final

import polars as pl
from nicegui import ui

from ava_core.operations.metrics import clips_by_day
from ava_core.operations.overview import STAGES
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.elements import charts
from ava_ui.elements.data_table import DataTable
from ava_ui.elements.runs_panel import LIVE_SECONDS, RunsPanel
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.counts import BatchRow
from ava_ui.pages.operations.to_do import checklist, to_do_panel

FUNNEL: Final = {
    "clips": "clips cut", "tasks": "tasks made", "annotated": "annotated", "agreed": "agreed", "approved": "approved",
    "released": "released",
}  # fmt: skip
"""Stages that count clips, and what to call them."""


def links(batch: addresses.Part) -> dict[str, str]:
    """Where every number of a batch leads: to what it counts."""
    return {
        "batch": addresses.batch(batch),
        "videos": addresses.batch(batch, "videos"),
        "clips": addresses.batch(batch, "clips"),
        "tracks": addresses.batch(batch, "clips"),
        "tasks": addresses.progress(batch),
        "jobs done": addresses.progress(batch, state="completed"),
        "annotated": addresses.progress(batch),
        "agreed": addresses.agreement(batch),
        "approved": addresses.quality(batch, "approved"),
        "released": addresses.DATASET,
    }


async def content(visit: Visit) -> None:
    """The overview."""
    for finding in visit.console.health.findings:
        if finding.status != "ok":
            ui.label(f"{finding.subject}: {finding.line}").classes("warn")
    counts, runs = visit.console.counts, visit.console.runs
    rows = counts.rows or await asyncio.to_thread(counts.refresh)
    if not rows:
        theme.empty(
            "No batches yet.",
            "Add a zip of videos; processing starts automatically.",
            addresses.BATCHES,
            "Add a batch",
        )
        await checklist(visit)
        return
    await to_do_panel(visit)

    def with_now() -> pl.DataFrame:
        found = frame(counts.rows or rows)
        return found.with_columns(now=pl.Series([runs.now(name) for name in found["batch"]], dtype=pl.String))

    table = DataTable(
        with_now(), links=links(cell("batch")), file="batches", sort_by="created", descending=True,
        labels={"batch": "batch", "created": "added"} | {stage: stage for stage in STAGES} | {"now": "now"},
    )  # fmt: skip
    theme.later(visit, lambda: _beside(visit, rows))
    ui.timer(LIVE_SECONDS, lambda: table.set_frame(with_now()))


async def _beside(visit: Visit, rows: list[BatchRow]) -> None:
    """The funnel, the throughput, and what runs."""
    done = await asyncio.to_thread(clips_by_day, visit.console.store)
    with ui.element("div").classes("two"):
        with ui.card():
            theme.heading("Clips by stage")
            sums = [sum(row.counts[stage] or 0 for row in rows) for stage in FUNNEL]
            charts.funnel(list(FUNNEL.values()), sums)
            theme.heading("Jobs completed per day")
            daily = done.group_by("day").agg(pl.col("clips").sum()).sort("day")
            if daily.is_empty():
                ui.label("No completed work has been read yet.").classes("soft")
            else:
                charts.bars(daily["day"].to_list(), {"jobs": daily["clips"].to_list()})
        with ui.card():
            theme.heading("Running and failed")
            RunsPanel(visit)


def frame(rows: list[BatchRow]) -> pl.DataFrame:
    """`batch, created` and a column per stage."""
    schema = {"batch": pl.String, "created": pl.Datetime} | dict.fromkeys(STAGES, pl.Int64)
    records = [
        {"batch": row.batch, "created": row.created_at.replace(tzinfo=None), **row.counts} for row in rows
    ]
    return pl.DataFrame(records, schema=schema)
