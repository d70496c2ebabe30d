"""How long things took, and who waits on whom. Elapsed time is not working time: people do other things between."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl
from nicegui import ui

from ava_core.annotation.working_time import active_by_class
from ava_core.base.text import plural
from ava_core.operations import metrics
from ava_core.store import batches
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.elements import charts
from ava_ui.elements.data_table import DataTable
from ava_ui.elements.job_links import job_labels, job_links, with_cvat
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.console import Console

BATCHES_DRAWN: Final = 15
DAYS_DRAWN: Final = 45
ANNOTATORS_DRAWN: Final = 30
UNKNOWN_NAMED: Final = 5
"""What a plot shows at most: the newest batches and days, the annotators with the most jobs, batches
named in a sentence. Tables show all."""

BATCH: Final = cell("batch")
ANNOTATOR: Final = cell("annotator")
"""What the tables' links take from their rows."""

INGEST: Final = {
    "videos_in": "videos added", "clips_cut": "clips cut", "tracks_made": "tracks made",
    "tasks_ready": "tasks ready",
}  # fmt: skip

BATCH_LABELS: Final = (
    {"batch": "batch"}
    | INGEST
    | {"first_read": "first work read", "last_read": "last work read", "makespan": "makespan"}
)

BATCH_LINKS: Final = {
    "batch": addresses.BATCH, "videos_in": addresses.batch(BATCH, "videos"),
    "clips_cut": addresses.batch(BATCH, "clips"), "tracks_made": addresses.batch(BATCH, "clips"),
    "tasks_ready": addresses.progress(BATCH), "first_read": addresses.progress(BATCH, state="completed"),
    "last_read": addresses.progress(BATCH, state="completed"), "makespan": addresses.progress(BATCH),
}  # fmt: skip

PACE_LABELS: Final = {
    "annotator": "annotator", "jobs": "jobs", "completed": "completed", "timed": "of which timed",
    "median_h": "hours, median", "high_h": "hours, 90 % within", "clips_per_day": "clips per working day",
}  # fmt: skip

PACE_LINKS: Final = {
    "annotator": addresses.progress(annotator=ANNOTATOR), "jobs": addresses.progress(annotator=ANNOTATOR),
    "completed": addresses.progress(annotator=ANNOTATOR, state="completed"),
}  # fmt: skip

JOB_LABELS: Final = {
    "job_id": "job", "batch": "batch", "clip_id": "clip", "annotator": "annotator",
    "waited_h": "hours from ready to start", "elapsed_h": "hours from start to completion",
}  # fmt: skip

ACTIVE_LABELS: Final = {
    "annotator": "annotator", "job_id": "job", "batch": "batch", "clip_id": "clip", "active_min": "minutes active",
    "elapsed_h": "hours from start to completion", "answers": "labels given",
    "seconds_per_label": "active seconds per label",
}  # fmt: skip

CLASS_LABELS: Final = {
    "annotator": "annotator", "ontology": "ontology", "action": "class", "labels": "labels given",
    "active_s": "seconds active", "seconds_per_label": "active seconds per label",
}  # fmt: skip

WAITING_LABELS: Final = {
    "batch": "batch", "annotator": "annotator", "open_jobs": "open jobs",
    "oldest_h": "hours since the oldest was ready",
}  # fmt: skip

WAITING_LINKS: Final = {
    "batch": addresses.BATCH, "annotator": addresses.progress(annotator=ANNOTATOR),
    "open_jobs": addresses.progress(BATCH, annotator=ANNOTATOR),
    "oldest_h": addresses.progress(BATCH, annotator=ANNOTATOR),
}  # fmt: skip

HERE_LABELS: Final = {
    "batch": "batch", "to_review": "clips to review", "to_review_h": "hours since the oldest was completed",
    "to_release": "approved clips in no release", "to_release_h": "hours since the oldest was approved",
}  # fmt: skip

HERE_LINKS: Final = {
    "batch": addresses.BATCH, "to_review": addresses.quality(BATCH, "pending"),
    "to_review_h": addresses.quality(BATCH, "pending"),
    "to_release": addresses.quality(BATCH, "approved"), "to_release_h": addresses.DATASET,
}  # fmt: skip


@dataclass(frozen=True)
class Figures:
    """All that the page shows at first: tables of `ava_core.operations.metrics`.

    Archived batches are left out of those by batch; people's work in them counts.
    """

    batches: pl.DataFrame
    pace: pl.DataFrame
    by_day: pl.DataFrame
    waiting: pl.DataFrame
    waiting_here: pl.DataFrame


async def content(visit: Visit) -> None:
    """Times by batch, by job and by day; what waits on whom."""
    found = await figures(visit.console)
    if found.batches.is_empty():
        theme.empty("Nothing to measure yet.", "Add a batch first.", addresses.BATCHES, "Batches")
        return
    ui.label("Elapsed time is not working time: all hours include nights, queues and breaks.").classes("soft")
    _batches(found.batches)
    theme.later(visit, lambda: _rest(visit, found))


async def _rest(visit: Visit, found: Figures) -> None:
    """What stands below the batches."""
    _days(found.by_day)
    _pace(found.pace)
    await _active(visit)
    await _classes(visit)
    await _every_job(visit)
    theme.heading("Open work")
    _waiting(found)


async def figures(console: Console) -> Figures:
    """Everything at once: the database answers several questions side by side."""
    store, released = console.store, console.counts.overview.released
    times, pace, by_day, waiting, waiting_here, archived = await asyncio.gather(
        asyncio.to_thread(metrics.batch_times, store, console.storage),
        asyncio.to_thread(metrics.annotator_pace, store),
        asyncio.to_thread(metrics.clips_by_day, store),
        asyncio.to_thread(metrics.waiting, store),
        asyncio.to_thread(lambda: metrics.waiting_here(store, released.by_batch())),
        asyncio.to_thread(batches.archived, store),
    )
    active = ~pl.col("batch").is_in(sorted(archived))
    return Figures(times.filter(active), pace, by_day, waiting.filter(active), waiting_here.filter(active))


def _shown(table: pl.DataFrame) -> pl.DataFrame:
    """Hours to the half minute."""
    return table.with_columns(pl.col(pl.Float64).round(2))


def _batches(times: pl.DataFrame) -> None:
    theme.heading("Hours elapsed per batch since it was added")
    newest = times.tail(BATCHES_DRAWN)
    drawn = {name: newest[column].round(2).to_list() for column, name in INGEST.items()}
    if any(value is not None for values in drawn.values() for value in values):
        with ui.card().classes("w-full"):
            charts.bars(newest["batch"].to_list(), drawn, unit="hours")
    unknown = times.filter(pl.col("unknown").list.len() > 0)["batch"].to_list()
    if unknown:
        named = ", ".join(unknown[:UNKNOWN_NAMED] + ["…"] * (len(unknown) > UNKNOWN_NAMED))
        ui.label(
            f"Unknown for {plural(len(unknown), 'batch')} processed before these times were recorded: {named}."
        ).classes("soft").mark("unknown")
    ui.label("Makespan: from the first job's readiness to the last one's completion.").classes("soft")
    DataTable(_shown(times.drop("unknown")), labels=BATCH_LABELS, links=BATCH_LINKS, file="batch_times")


def _days(by_day: pl.DataFrame) -> None:
    theme.heading("Clips completed, by annotator and day")
    if by_day.is_empty():
        ui.label("No job has been completed yet.").classes("soft")
        return
    last = date.fromisoformat(str(by_day["day"].max()))
    days = [(last - timedelta(days=back)).isoformat() for back in reversed(range(DAYS_DRAWN))]
    found = {(name, day): clips for name, day, clips in by_day.filter(pl.col("day").is_in(days)).iter_rows()}
    # Days on which nobody worked have their place; those before the first do not.
    drawn = days[days.index(min(day for _, day in found)) :]
    names = sorted({name for name, _ in found})
    with ui.card().classes("w-full"):
        charts.bars(
            drawn,
            {name: [found.get((name, day)) for day in drawn] for name in names},
            stacked=True,
            unit="clips",
        )
    ui.label("Days in UTC. Returned work counts on the day it was last completed.").classes("soft")


def _pace(pace: pl.DataFrame) -> None:
    theme.heading("Hours elapsed per job, from start to completion")
    if pace.is_empty():
        theme.empty("No jobs yet.", "Assign clips to annotators.", addresses.TASKS, "Tasks")
        return
    timed = pace.filter(pl.col("timed") > 0)
    if timed.is_empty():
        ui.label("No completed job has a known start yet.").classes("soft")
    else:
        drawn = timed.sort("timed", descending=True).head(ANNOTATORS_DRAWN).sort("annotator")
        rows = [(name, values) for name, *values in drawn.select("annotator", *metrics.QUANTILES).iter_rows()]
        with ui.card().classes("w-full"):
            charts.boxes(rows, unit="hours")
        ui.label(
            "Boxes show the middle half of the jobs; whiskers run from 10 % to 90 %. Jobs with an unknown "
            "start are not timed."
        ).classes("soft")
    DataTable(_shown(pace), labels=PACE_LABELS, links=PACE_LINKS, file="pace")


async def _active(visit: Visit) -> None:
    """Working time, beside the time that merely passed."""
    theme.heading("Active minutes and elapsed hours per job")
    worked = await asyncio.to_thread(metrics.job_work, visit.console.store)
    if worked.is_empty():
        ui.label("No work on the labelling page yet; work in CVAT is not timed.").classes("soft")
        return
    ui.label(
        "Active time counts while the page is in view and the annotator uses keyboard or mouse."
    ).classes("soft")
    DataTable(
        _shown(worked), labels=ACTIVE_LABELS, file="working_time", sort_by="active_min", descending=True,
        links={"job_id": addresses.LABEL, "batch": addresses.BATCH, "clip_id": addresses.REVIEW,
               "annotator": addresses.progress(annotator=ANNOTATOR)},
    )  # fmt: skip


async def _classes(visit: Visit) -> None:
    """What a label of each class costs each annotator."""
    store, ontology_of = visit.console.store, visit.console.ontology
    found = await asyncio.to_thread(active_by_class, store, ontology_of)
    if found.is_empty():
        return
    theme.heading("Active seconds per label, by annotator and class")
    ui.label("Measured from one answer to the next; the time counts for the later answer.").classes("soft")
    DataTable(
        _shown(found), labels=CLASS_LABELS, file="seconds_by_class", sort_by="active_s", descending=True,
        facets=("annotator", "action"), links={"annotator": addresses.progress(annotator=ANNOTATOR)},
    )  # fmt: skip


async def _every_job(visit: Visit) -> None:
    """The jobs themselves, read when somebody opens them, or where the address asks for rows of them."""
    asked = any(name.startswith("job_times.") for name in visit.query)
    with ui.expansion("Every job", value=asked).classes("w-full").mark("every-job") as every:
        place = ui.column().classes("w-full")

    async def fill() -> None:
        if not every.value or place.default_slot.children:
            return
        settings = visit.console.settings
        with place:
            waits = ui.spinner()
        jobs = await asyncio.to_thread(metrics.job_times, visit.console.store)
        waits.delete()
        with place:
            DataTable(
                with_cvat(settings, _shown(jobs)), labels=job_labels(settings, JOB_LABELS), file="job_times",
                sort_by="elapsed_h", descending=True,
                links=job_links(settings) | {
                    "batch": addresses.BATCH, "clip_id": addresses.REVIEW,
                    "annotator": addresses.progress(annotator=ANNOTATOR),
                },
            )  # fmt: skip

    every.on_value_change(fill)
    await fill()


def _waiting(found: Figures) -> None:
    with ui.element("div").classes("two"):
        with ui.card():
            theme.heading("Waiting on annotators")
            if found.waiting.is_empty():
                ui.label("No open jobs.").classes("soft")
            else:
                DataTable(
                    _shown(found.waiting), labels=WAITING_LABELS, links=WAITING_LINKS, file="waiting",
                    sort_by="oldest_h", descending=True,
                )  # fmt: skip
        with ui.card():
            theme.heading("Waiting on reviewers and admins")
            if found.waiting_here.is_empty():
                ui.label("No clips wait for review or release.").classes("soft")
            else:
                DataTable(
                    _shown(found.waiting_here), labels=HERE_LABELS, links=HERE_LINKS, file="waiting_here"
                )
                ui.label("Clips without labelled people are not released.").classes("soft")
