"""The queue of completed clips that wait for a decision, and approving many at once by thresholds."""

from __future__ import annotations

import asyncio
from typing import Final

import polars as pl
from nicegui import ui
from sqlalchemy import case, func, select

from ava_core import decisions
from ava_core.quality.bulk import BulkPlan, Thresholds, plan_bulk_approval
from ava_core.store import Store, batches, tasks
from ava_core.store.tables import Job, Task
from ava_core.tables import AGREEMENT_BY_CLIP
from ava_ui import theme
from ava_ui.console import Console
from ava_ui.elements.data_table import DataTable
from ava_ui.visit import Visit

SCHEMA: Final = {
    "batch": pl.String, "clip_id": pl.String, "status": pl.String, "completed": pl.Int64, "jobs": pl.Int64,
    "annotators": pl.Int64, "pooled_alpha": pl.Float64, "mean_iou": pl.Float64, "f1": pl.Float64,
    "shared_boxes": pl.Int64, "missed": pl.Int64, "reason": pl.String,
}  # fmt: skip

LABELS: Final = {
    "clip_id": "clip", "batch": "batch", "status": "status", "completed": "jobs done", "jobs": "jobs",
    "pooled_alpha": "alpha", "mean_iou": "mean IoU", "f1": "box F1", "missed": "missed boxes", "reason": "note",
}  # fmt: skip

STATUSES: Final = ("pending", "approved", "rejected")


async def content(visit: Visit) -> None:
    """Queue, filter, bulk approval."""
    chosen = {"batch": visit.query.get("batch", ""), "status": visit.query.get("status", "pending")}
    names = await asyncio.to_thread(batches.names, visit.console.store)
    found = await asyncio.to_thread(queue, visit.console, chosen["batch"])
    if found.is_empty():
        theme.empty(
            "No clip has been completed yet.",
            "Clips come here as soon as an annotator completes a job.",
            "/progress",
            "See the jobs",
        )
        return

    with ui.row().classes("items-center"):
        ui.select({"": "all batches"} | {name: name for name in names}, value=chosen["batch"], label="batch",
                  on_change=lambda e: _go(e.value, chosen["status"])).classes("w-48")  # fmt: skip
        ui.toggle({s: f"{s} ({found.filter(pl.col('status') == s).height})" for s in STATUSES},
                  value=chosen["status"], on_change=lambda e: _go(chosen["batch"], e.value))  # fmt: skip
        for name in [chosen["batch"]] if chosen["batch"] else names[-3:]:
            ui.link(f"Agreement of {name}", f"/quality/{name}/agreement")
            ui.link("scorecards", f"/quality/{name}/annotators")
            ui.link("adjudication", f"/quality/{name}/adjudication")
    wanted = found.filter(pl.col("status") == chosen["status"])
    if chosen["status"] == "pending" and visit.may("reviewer") and wanted.height:
        _bulk(visit, [chosen["batch"]] if chosen["batch"] else names)
    DataTable(
        wanted, labels=LABELS, file=f"{chosen['status']}_clips", sort_by="pooled_alpha",
        links={"clip_id": "/quality/{batch}/clips/{clip_id}", "batch": "/quality/{batch}/agreement",
               "completed": "/progress?batch={batch}&clip={clip_id}"},
    )  # fmt: skip


def queue(console: Console, batch: str = "") -> pl.DataFrame:
    """Clips on which somebody has completed a job, with their agreement and decision, of one batch or of all."""
    found = _worked_on(console.store, batch)
    figures = [c for c in SCHEMA if c in AGREEMENT_BY_CLIP]
    agreed = [
        table.select(figures)
        for name in found["batch"].unique(maintain_order=True)
        if (table := console.reading.table(name, "agreement", "clips")) is not None
    ]
    known = pl.concat(agreed) if agreed else pl.DataFrame(schema={c: AGREEMENT_BY_CLIP[c] for c in figures})
    joined = found.join(known, on="clip_id", how="left", maintain_order="left")
    return joined.select(pl.col(c).cast(t) for c, t in SCHEMA.items())


def _worked_on(store: Store, batch: str) -> pl.DataFrame:
    """`batch, clip_id, completed, jobs, status`, ordered; a clip with several tasks has one status."""
    done = case(((Job.stage == tasks.DONE_STAGE) & (Job.state == tasks.DONE_STATE), 1), else_=0)
    jobs = select(Job.batch, Job.clip_id, func.sum(done), func.count()).where(Job.annotator != "")
    judged = select(Task.clip_id, func.min(Task.qc_status)).group_by(Task.clip_id)
    if batch:
        jobs, judged = jobs.where(Job.batch == batch), judged.where(Task.batch == batch)
    wanted = jobs.group_by(Job.batch, Job.clip_id).having(func.sum(done) > 0).order_by(Job.batch, Job.clip_id)
    with store.session() as session:
        counted = [tuple(row) for row in session.execute(wanted)]
        statuses = [tuple(row) for row in session.execute(judged)]
    columns = {"batch": pl.String, "clip_id": pl.String, "completed": pl.Int64, "jobs": pl.Int64}
    status = pl.DataFrame(statuses, schema={"clip_id": pl.String, "status": pl.String}, orient="row")
    return pl.DataFrame(counted, schema=columns, orient="row").join(
        status, on="clip_id", how="left", maintain_order="left"
    )


def bulk_plans(console: Console, names: list[str], thresholds: Thresholds) -> dict[str, BulkPlan]:
    """What approving by thresholds would do, by batch that has agreement."""
    plans = {}
    for name in names:
        clips = console.reading.table(name, "agreement", "clips")
        if clips is not None:
            plans[name] = plan_bulk_approval(clips, decisions.decision_state(console.store, name), thresholds)
    return plans


def _bulk(visit: Visit, names: list[str]) -> None:
    first = Thresholds()
    with ui.expansion("Approve many by thresholds", icon="done_all").classes("w-full"):
        ui.label("A figure that is undefined passes no threshold but 0.").classes("soft")
        with ui.row().classes("items-center w-full"):
            alpha = _slider("alpha at least", first.pooled_alpha)
            iou = _slider("mean IoU at least", first.mean_iou)
            f1 = _slider("box F1 at least", first.f1)
        effect = ui.label().mark("bulk-effect")
        button = ui.button("Approve them", icon="done_all").mark("bulk-approve")

    def plans() -> dict[str, BulkPlan]:
        return bulk_plans(visit.console, names, Thresholds(alpha.value, iou.value, f1.value))

    def show() -> None:
        found = plans().values()
        passing, left = sum(len(plan.approve) for plan in found), sum(plan.left.height for plan in found)
        effect.set_text(f"{passing} clip(s) would be approved, {left} would stay pending.")
        button.set_enabled(passing > 0)

    async def approve() -> None:
        chosen = {name: plan.approve for name, plan in plans().items() if plan.approve}
        with theme.asking(f"Approve {sum(map(len, chosen.values()))} clips?", "Approve") as dialog:
            ui.label("Each can be taken back later.")
        if not await dialog:
            return
        comment = f"bulk: alpha ≥ {alpha.value:g}, IoU ≥ {iou.value:g}, F1 ≥ {f1.value:g}"
        for name, clips in chosen.items():
            decisions.approve(visit.console.store, name, clips, visit.user.username, comment)
        ui.navigate.reload()

    for slider in (alpha, iou, f1):
        slider.on_value_change(show)
    button.on_click(visit.action("reviewer", approve))
    show()


def _slider(name: str, value: float) -> ui.slider:
    ui.label(name)
    return (
        ui.slider(min=0, max=1, step=0.01, value=value)
        .props(f'label-always aria-label="{name}"')
        .classes("w-48")
    )


def _go(batch: str, status: str) -> None:
    ui.navigate.to(f"/quality?batch={batch}&status={status}")
