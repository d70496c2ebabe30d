"""Every job: whose it is, how far, since when; with a way into the annotation server, and to hand it on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Final

import polars as pl
from nicegui import ui
from sqlalchemy import select

from ava_core.cvat.gateway import CvatGateway
from ava_core.errors import InputError
from ava_core.store import annotators
from ava_core.store.tables import Job
from ava_core.store.tasks import DONE_STAGE, DONE_STATE, update_jobs
from ava_ui import theme
from ava_ui.console import Console
from ava_ui.elements import charts
from ava_ui.elements.data_table import DataTable
from ava_ui.visit import Visit

LIVE_SECONDS: Final = 10.0
LABELS: Final = {
    "job_id": "job", "batch": "batch", "clip_id": "clip", "annotator": "annotator", "status": "state",
    "hours": "hours since last change",
}  # fmt: skip


async def content(visit: Visit) -> None:
    """Counts, then the jobs."""
    jobs = await asyncio.to_thread(jobs_table, visit.console)
    if jobs.is_empty():
        theme.empty("No jobs yet.", "Deal clips out to annotators.", "/tasks", "Tasks")
        return
    wanted = narrowed(jobs, visit.query)
    server = CvatGateway(visit.console.settings).url
    with ui.row().classes("items-center"):
        for name, value in visit.query.items():
            ui.chip(f"{name}: {value}", icon="filter_alt")
        if visit.query:
            ui.link("all jobs", "/progress")
    counts = wanted.group_by("annotator", "status").len()
    names = sorted(counts["annotator"].unique())
    states = sorted(counts["status"].unique())
    found = {(a, s): n for a, s, n in counts.iter_rows()}
    with ui.card().classes("w-full"):
        theme.heading("Jobs by annotator and state")
        charts.bars(names, {s: [found.get((a, s), 0) for a in names] for s in states}, stacked=True)
    table = DataTable(
        wanted, labels=LABELS, file="jobs", sort_by="hours", selectable=visit.may("admin"),
        links={
            "job_id": server + "/tasks/{task_id}/jobs/{job_id}", "batch": "/batches/{batch}",
            "clip_id": "/quality/{batch}/clips/{clip_id}", "annotator": "/progress?annotator={annotator}",
        },
    )  # fmt: skip
    if visit.may("admin"):
        _hand_on(visit, table)

    async def follow() -> None:
        table.set_frame(narrowed(await asyncio.to_thread(jobs_table, visit.console), visit.query))

    ui.timer(LIVE_SECONDS, follow)


def jobs_table(console: Console) -> pl.DataFrame:
    """Annotators' jobs of all batches: `job_id, task_id, batch, clip_id, annotator, status, hours`."""
    columns = (
        Job.job_id,
        Job.task_id,
        Job.batch,
        Job.clip_id,
        Job.annotator,
        Job.stage,
        Job.state,
        Job.server_updated_at,
    )
    with console.store.session() as session:
        rows = session.execute(select(*columns).where(Job.annotator != "")).all()
    schema = {
        "job_id": pl.Int64, "task_id": pl.Int64, "batch": pl.String, "clip_id": pl.String, "annotator": pl.String,
        "stage": pl.String, "state": pl.String, "changed": pl.String,
    }  # fmt: skip
    found = pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row")
    done = (pl.col("stage") == DONE_STAGE) & (pl.col("state") == DONE_STATE)
    in_stage = pl.col("state") + pl.when(pl.col("stage") == DONE_STAGE).then(pl.lit("")).otherwise(
        " (" + pl.col("stage") + ")"
    )
    changed = pl.col("changed").str.to_datetime(time_zone="UTC", strict=False)
    hours = (pl.lit(datetime.now(UTC)) - changed).dt.total_minutes() / 60
    return found.with_columns(
        status=pl.when(done).then(pl.lit("completed")).otherwise(in_stage), hours=hours.round(1)
    )


def narrowed(jobs: pl.DataFrame, query: dict[str, str]) -> pl.DataFrame:
    """The jobs that an address asks for: `batch`, `clip`, `annotator`, `state`."""
    columns = {"batch": "batch", "clip": "clip_id", "annotator": "annotator", "state": "status"}
    asked = [pl.col(columns[name]) == value for name, value in query.items() if name in columns and value]
    return jobs.filter(*asked) if asked else jobs


def _hand_on(visit: Visit, table: DataTable) -> None:
    names = {a.username: a.cvat_user_id for a in annotators.available(visit.console.store)}
    with ui.row().classes("items-center"):
        who = ui.select(list(names), label="annotator").classes("w-48")

        async def reassign() -> None:
            if not who.value:
                raise InputError("Nobody is chosen.", "Choose an annotator.")
            if names[who.value] is None:
                raise InputError(
                    f"{who.value} is not known on the annotation server.", "Test the connection on Tasks."
                )
            await _change(visit, table, "re-assign", annotator=who.value, assignee=names[who.value])

        async def requeue() -> None:
            await _change(visit, table, "requeue", stage="annotation", state="new")

        ui.button("Hand ticked jobs to", icon="forward", on_click=visit.action("admin", reassign))
        ui.button("Queue ticked jobs again", icon="replay", on_click=visit.action("admin", requeue))


async def _change(
    visit: Visit, table: DataTable, action: str, *, annotator: str = "", **values: object
) -> None:
    jobs = table.selected["job_id"].to_list()
    if not jobs:
        raise InputError("No job is ticked.", "Tick jobs in the table.")
    with theme.asking(f"{action.capitalize()} {len(jobs)} job(s)?", action.capitalize()) as dialog:
        ui.label("What was annotated in them stays.")
    if not await dialog:
        return

    def change() -> None:
        with CvatGateway(visit.console.settings) as gateway:
            for job in jobs:
                answer = gateway.set_job(job, **values)
                new = {
                    "stage": answer["stage"],
                    "state": answer["state"],
                    "server_updated_at": answer["updated_date"],
                }
                update_jobs(
                    visit.console.store,
                    [{"job_id": job, **new, **({"annotator": annotator} if annotator else {})}],
                )

    await asyncio.to_thread(change)
    visit.note(action, ", ".join(map(str, jobs))[:200], **{k: str(v) for k, v in values.items()})
    ui.navigate.reload()
