"""How long things took, and who waits on whom. Elapsed time is not working time: people do other things between."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import polars as pl
from nicegui import ui
from sqlalchemy import func, select

from ava_core.store.tables import Batch, Job, Reading
from ava_core.store.tasks import DONE_STAGE, DONE_STATE
from ava_ui import theme
from ava_ui.console import Console
from ava_ui.elements import charts
from ava_ui.elements.data_table import DataTable
from ava_ui.reading import changed_at
from ava_ui.visit import Visit


async def content(visit: Visit) -> None:
    """Times by batch, clips by annotator and day, what waits."""
    times = await asyncio.to_thread(batch_times, visit.console)
    if times.is_empty():
        theme.empty("Nothing to measure yet.", "Add a batch first.", "/batches", "Batches")
        return
    theme.heading("Batches, hours elapsed since they were added")
    ui.label("Elapsed is not working time: it counts nights, queues and everything else between.").classes(
        "soft"
    )
    DataTable(times, file="batch_times", links={"batch": "/batches/{batch}"})
    done = await asyncio.to_thread(clips_by_day, visit.console)
    theme.heading("Clips completed, by annotator and day of reading")
    if done.is_empty():
        ui.label("No completed work was read yet.").classes("soft")
    else:
        days = sorted(done["day"].unique())
        counts: dict[str, list[float | None]] = {
            name: [
                done.filter((pl.col("annotator") == name) & (pl.col("day") == day))["clips"].sum()
                for day in days
            ]
            for name in sorted(done["annotator"].unique())
        }
        with ui.card().classes("w-full"):
            charts.bars(days, counts, stacked=True, unit="clips")
    theme.heading("Who waits on whom")
    DataTable(
        await asyncio.to_thread(waiting, visit.console), file="waiting",
        links={"annotator": "/progress?annotator={annotator}", "batch": "/batches/{batch}"},
    )  # fmt: skip


def batch_times(console: Console) -> pl.DataFrame:
    """`batch` and hours from its adding to: clips cut, tasks ready, first and last reading; null where not yet."""
    with console.store.session() as session:
        batches = session.execute(select(Batch.name, Batch.created_at).order_by(Batch.created_at)).all()
        read = {
            name: (first, last)
            for name, first, last in session.execute(
                select(Job.batch, func.min(Reading.read_at), func.max(Reading.read_at))
                .join(Reading, Reading.job_id == Job.job_id)
                .group_by(Job.batch)
            )
        }
    rows: list[dict[str, Any]] = []
    for name, created in batches:
        first, last = read.get(name, (None, None))
        made = {
            asset: changed_at(console.storage.table_path(name, asset)) for asset in ("clips", "cvat_tasks")
        }
        rows.append({
            "batch": name,
            "clips cut": _hours(created, made["clips"]),
            "tasks ready": _hours(created, made["cvat_tasks"]),
            "first work read": _hours(created, first.timestamp() if first else None),
            "last work read (makespan)": _hours(created, last.timestamp() if last else None),
        })  # fmt: skip
    hours = ("clips cut", "tasks ready", "first work read", "last work read (makespan)")
    return pl.DataFrame(rows, schema={"batch": pl.String} | dict.fromkeys(hours, pl.Float64))


def clips_by_day(console: Console) -> pl.DataFrame:
    """`annotator, day, clips`: jobs whose first reading fell on that day (UTC)."""
    first = (
        select(Reading.annotator, func.min(Reading.read_at).label("at"))
        .group_by(Reading.job_id, Reading.annotator)
        .subquery()
    )
    day = func.date(first.c.at)
    wanted = select(first.c.annotator, day, func.count()).group_by(first.c.annotator, day)
    with console.store.session() as session:
        rows = [(name, str(at), count) for name, at, count in session.execute(wanted)]
    schema = {"annotator": pl.String, "day": pl.String, "clips": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("day", "annotator")


def waiting(console: Console) -> pl.DataFrame:
    """`batch, annotator, open jobs`: what a batch still waits for, and on whom."""
    is_open = ~((Job.stage == DONE_STAGE) & (Job.state == DONE_STATE))
    wanted = select(Job.batch, Job.annotator, func.count()).where(Job.annotator != "", is_open)
    with console.store.session() as session:
        rows = session.execute(wanted.group_by(Job.batch, Job.annotator)).all()
    schema = {"batch": pl.String, "annotator": pl.String, "open jobs": pl.Int64}
    return pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row").sort("batch", "annotator")


def _hours(since: datetime, until: float | None) -> float | None:
    return None if until is None else round(max(0.0, until - since.timestamp()) / 3600, 2)
