"""Every job: whose it is, how far, since when; with a way into it, and to hand it on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import polars as pl
from nicegui import ui

from ava_core.annotation import staffing
from ava_core.annotation.answered import by_job
from ava_core.annotation.retrieve import answered_now
from ava_core.base.errors import AvaError, InputError
from ava_core.base.schemas import ANSWERED, JOB_FINDINGS
from ava_core.base.settings import Settings
from ava_core.base.text import plural
from ava_core.store import annotators, batches
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.elements import charts
from ava_ui.elements.data_table import DataTable
from ava_ui.elements.job_links import job_labels, job_links, with_cvat
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.console import Console
from ava_ui.pages.annotation.discrepancies import DiscrepanciesPanel

LIVE_SECONDS: Final = 10.0
LABELS: Final = {
    "job_id": "job", "batch": "batch", "clip_id": "clip", "annotator": "annotator", "status": "state",
    "hours": "hours since last change", "answered": "answered, %",
}  # fmt: skip


FINDINGS: Final = {
    "kind": "kind", "job_id": "job", "batch": "batch", "clip_id": "clip", "annotator": "annotator",
    "version": "version", "detail": "what", "cure": "next step",
}  # fmt: skip

ASKED: Final = {"batch": "batch", "clip": "clip_id", "annotator": "annotator", "state": "status"}
"""What an address may narrow the jobs down to, and the columns that it means."""


Follow = Callable[[], Awaitable[None]]
"""Shows the jobs as they are now."""


async def content(visit: Visit) -> None:
    """Counts, then the jobs."""
    measured: dict[int, float] = {}
    batch = visit.query.get("batch", "")
    jobs = await asyncio.to_thread(_jobs, visit.console, batch, measured)
    if jobs.is_empty():
        theme.empty("No jobs yet.", "Assign clips to annotators.", addresses.TASKS, "Tasks")
        return
    DiscrepanciesPanel(visit, batch)
    wanted = narrowed(jobs, visit.query)
    settings = visit.console.settings
    with ui.row().classes("items-center"):
        asked = {name: value for name, value in visit.query.items() if name in ASKED and value}
        for name, value in asked.items():
            ui.chip(f"{name}: {value}", icon="filter_alt")
        if asked:
            ui.link("all jobs", addresses.PROGRESS)
    with ui.card().classes("w-full chart-place"):
        theme.heading("Jobs by annotator and state")
        theme.later(visit, lambda: _by_annotator(wanted))
    table = DataTable(
        with_cvat(settings, wanted), labels=job_labels(settings, LABELS), file="jobs",
        sort_by="hours", selectable=visit.may("admin"),
        facets=["batch", "annotator", "status"],
        links=job_links(settings) | {
            "batch": addresses.BATCH,
            "clip_id": addresses.REVIEW, "annotator": addresses.progress(annotator=cell("annotator")),
        },
    )  # fmt: skip

    async def follow() -> None:
        now = narrowed(await asyncio.to_thread(_jobs, visit.console, batch, measured), visit.query)
        table.set_frame(with_cvat(settings, now))

    if visit.may("admin"):
        _measure(visit, table, measured, follow)
        _hand_on(visit, table, follow)
    await _findings(visit)
    ui.timer(LIVE_SECONDS, follow)


def _jobs(console: Console, batch: str, measured: dict[int, float]) -> pl.DataFrame:
    """The jobs, with the share of answers given in each: as `measured` now, else as read; null where neither was.

    Those of archived batches are among them where `batch` is one.
    """
    hidden = batches.archived(console.store) - {batch}
    jobs = console.jobs.table().filter(~pl.col("batch").is_in(sorted(hidden)))
    read = console.tables.of_all(jobs["batch"].unique().to_list(), "raw_annotations", "answered", ANSWERED)
    shares = pl.col("job_id").replace_strict(by_job(read) | measured, default=None, return_dtype=pl.Float64)
    return jobs.with_columns(answered=(100 * shares).round(0).cast(pl.Int64))


def _by_annotator(jobs: pl.DataFrame) -> None:
    counts = jobs.group_by("annotator", "status").len()
    names = sorted(counts["annotator"].unique())
    states = sorted(counts["status"].unique())
    found = {(a, s): n for a, s, n in counts.iter_rows()}
    charts.bars(names, {s: [found.get((a, s), 0) for a in names] for s in states}, stacked=True)


def narrowed(jobs: pl.DataFrame, query: dict[str, str]) -> pl.DataFrame:
    """The jobs that an address asks for: `batch`, `clip`, `annotator`, `state`."""
    asked = [pl.col(ASKED[name]) == value for name, value in query.items() if name in ASKED and value]
    return jobs.filter(*asked) if asked else jobs


async def _findings(visit: Visit) -> None:
    """What keeps jobs from being read as they are; each leads to its readings."""
    asked, console = visit.query.get("batch", ""), visit.console

    def read() -> pl.DataFrame:
        names = batches.listed(console.store, asked)
        return console.tables.of_all(names, "raw_annotations", "job_findings", JOB_FINDINGS)

    found = await asyncio.to_thread(read)
    found = narrowed(found.with_columns(status=pl.lit("")), visit.query)
    if not found.is_empty():
        theme.heading("Jobs with reading problems")
        links = {"job_id": addresses.READINGS, "batch": addresses.BATCH, "clip_id": addresses.REVIEW}
        DataTable(found, labels=FINDINGS, file="job_findings", sort_by="kind", links=links)


def _measure(visit: Visit, table: DataTable, measured: dict[int, float], follow: Follow) -> None:
    """Jobs that are open are measured as they are on the server, when somebody asks."""

    async def measure() -> None:
        chosen = table.selected.select("batch", "job_id").rows()
        if not chosen:
            raise InputError("No job is selected.", "Select jobs in the table.")
        for batch in sorted({batch for batch, _ in chosen}):
            numbers = [job for own, job in chosen if own == batch]
            measured.update(await asyncio.to_thread(answered_now, visit.console.batch(batch), numbers))
        await follow()
        left_out = sum(job not in measured for _, job in chosen)
        ui.notify(
            f"Measured: {plural(len(chosen) - left_out, 'job')}."
            + (f" No answers yet: {plural(left_out, 'job')}." if left_out else "")
        )

    button = ui.button("Measure answers in selected jobs", icon="rule").mark("measure-answers")
    button.on_click(visit.action("admin", measure))


def _hand_on(visit: Visit, table: DataTable, follow: Follow) -> None:
    """What may be done with ticked jobs: another annotator, or back to the same one."""
    names = [a.username for a in annotators.available(visit.console.store)]
    with ui.row().classes("items-center"):
        who = ui.select(names, label="annotator").classes("w-48").mark("hand-to")

        async def reassign() -> None:
            if not who.value:
                raise InputError("No annotator is chosen.", "Choose an annotator.")
            name = str(who.value)
            await _change(
                visit, table, follow, f"Reassign {{jobs}} to {name}?",
                "Only jobs that have not been started change hands.",
                lambda job, settings: staffing.reassign(settings, visit.console.store, job, name, visit.user.username),
            )  # fmt: skip

        button = ui.button("Reassign selected jobs", icon="forward").mark("hand-on")
        button.on_click(visit.action("admin", reassign))
        comment = ui.input("what to fix (optional)").classes("w-64").mark("requeue-comment")

        async def requeue() -> None:
            said = (comment.value or "").strip()
            await _change(
                visit, table, follow, "Return {jobs} to their annotators?",
                "Existing annotations are kept; the annotator sees your comment in the job.",
                lambda job, settings: staffing.hand_back(
                    settings, visit.console.store, [job], visit.user.username, comment=said
                ),
            )  # fmt: skip

        button = ui.button("Return selected jobs", icon="replay").mark("queue-again")
        button.on_click(visit.action("admin", requeue))


async def _change(
    visit: Visit,
    table: DataTable,
    follow: Follow,
    question: str,
    note: str,
    change: Callable[[int, Settings], object],
) -> None:
    """Change every ticked job and report those that refuse; `{jobs}` in `question` becomes their number."""
    chosen = table.selected.select("job_id", "batch").rows()
    if not chosen:
        raise InputError("No job is selected.", "Select jobs in the table.")
    with theme.asking(question.replace("{jobs}", plural(len(chosen), "job")), "Yes") as dialog:
        ui.label(note)
    if not await dialog:
        return
    refused = []
    for job, batch in chosen:
        try:
            await asyncio.to_thread(change, job, visit.console.batch_settings(batch))
        except AvaError as error:
            refused.append(str(error))
    await follow()
    table.table.selected.clear()
    if refused:
        raise AvaError(f"Not changed: {len(refused)} of {plural(len(chosen), 'job')}.", refused[0])
    ui.notify(f"Done: {plural(len(chosen), 'job')}.")
