"""The queue of completed clips that wait for a decision, and approving many at once by thresholds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import polars as pl
from nicegui import ui

from ava_core import decisions
from ava_core.annotation.staffing import requeue
from ava_core.base.errors import AvaError, InputError
from ava_core.base.schemas import AGREEMENT_BY_CLIP, GRAVE, RULE_FINDINGS
from ava_core.quality.review.bulk import Thresholds, plan_over_batches
from ava_core.quality.review.queue import review_queue
from ava_core.store import batches
from ava_ui.elements.data_table import DataTable
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.console import Console

LABELS: Final = {
    "clip_id": "clip", "batch": "batch", "completed": "jobs done", "jobs": "jobs", "pooled_alpha": "alpha",
    "kappa": "kappa", "mean_iou": "mean IoU", "f1": "box F1", "missed": "missed boxes",
    "breaches": "blocking breaches", "reason": "note",
}  # fmt: skip

BATCH_LABELS: Final = {
    "batch": "batch", "pending": "wait", "approved": "approved", "rejected": "rejected", "alpha": "median alpha",
    "agreement": "agreement", "annotators": "annotators", "adjudication": "adjudication", "audit": "blind audit",
    "gold": "gold",
}  # fmt: skip

STATUSES: Final = ("pending", "approved", "rejected")

NOTHING: Final = {
    "pending": "Nothing waits: every completed clip has been judged.",
    "approved": "No clip is approved yet.",
    "rejected": "No clip is rejected.",
}

PARTS: Final = {
    "agreement": "Agreement", "annotators": "Annotators", "adjudication": "Adjudication", "audit": "Blind audit",
    "gold": "Gold",
}  # fmt: skip
"""Pages of one batch's quality, by the last part of their address."""


async def content(visit: Visit) -> None:
    """Queue, bulk approval, and what there is of each batch."""
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
                  with_input=len(names) > 12,
                  on_change=lambda e: _go(e.value or "", chosen["status"])).classes("w-48")  # fmt: skip
        ui.toggle({s: f"{s} ({found.filter(pl.col('status') == s).height})" for s in STATUSES},
                  value=chosen["status"], on_change=lambda e: _go(chosen["batch"], e.value))  # fmt: skip
        if chosen["batch"]:
            for part in PARTS:
                ui.link(PARTS[part], f"/quality/{quote(chosen['batch'])}/{part}")
    wanted = found.filter(pl.col("status") == chosen["status"])
    if chosen["status"] == "pending" and visit.may("reviewer") and wanted.height:
        _bulk(visit, chosen["batch"])
    left = found.filter(pl.col("status") == "rejected", pl.col("completed") == pl.col("jobs")).height
    if left:
        target = f"/quality?batch={quote(chosen['batch'])}&status=rejected"
        ui.link(
            f"{left} rejected clip(s) with their annotators' finished work: hand them back", target
        ).classes("warn")
    may_hand_back = chosen["status"] == "rejected" and visit.may("reviewer") and wanted.height > 0
    table = DataTable(
        wanted, labels=LABELS, file=f"{chosen['status']}_clips", sort_by="pooled_alpha",
        selectable=may_hand_back, nothing=NOTHING[chosen["status"]],
        links={"clip_id": "/quality/{batch}/clips/{clip_id}", "batch": "/quality?batch={batch}",
               "completed": "/progress?batch={batch}&clip={clip_id}&state=completed",
               "jobs": "/progress?batch={batch}&clip={clip_id}",
               "pooled_alpha": "/quality/{batch}/agreement", "breaches": "/quality/{batch}/clips/{clip_id}"},
    )  # fmt: skip
    if may_hand_back:
        _hand_back(visit, table)
    if not chosen["batch"]:
        theme.heading("By batch")
        DataTable(
            by_batch(found), labels=BATCH_LABELS, file="quality", sort_by="pending", descending=True,
            links={"batch": "/quality?batch={batch}", "alpha": "/quality/{batch}/agreement"}
            | {status: f"/quality?batch={{batch}}&status={status}" for status in STATUSES}
            | {part: f"/quality/{{batch}}/{part}" for part in PARTS},
        )  # fmt: skip


def _hand_back(visit: Visit, table: DataTable) -> None:
    async def act() -> None:
        chosen = table.selected
        if chosen.is_empty():
            raise InputError("No clip is ticked.", "Tick clips in the table.")
        problems = []
        for (batch,), rows in chosen.group_by(["batch"], maintain_order=True):
            problems += await handed_back(visit, str(batch), dict.fromkeys(rows["clip_id"].to_list(), 0))
        if problems:
            raise AvaError(problems[0], f"{len(problems)} of {chosen.height} clip(s) were not handed back.")
        ui.navigate.reload()

    button = ui.button("Hand ticked clips back to their annotators", icon="replay").mark("hand-back-ticked")
    button.on_click(visit.action("reviewer", act))


async def handed_back(visit: Visit, batch: str, clips: Mapping[str, int]) -> list[str]:
    """Give rejected clips back to their annotators, each with its comment at a second; what went wrong, a line each.

    A clip that was not handed back stays rejected, with its jobs completed: it shows in the queue.
    """
    at, name = visit.console.batch(batch), visit.user.username
    problems = []
    for clip_id, second in clips.items():
        try:
            await asyncio.to_thread(requeue, at, clip_id, name, second=second)
        except AvaError as error:
            problems.append(str(error))
            visit.note("requeue failed", f"{batch}: {clip_id}", problem=str(error))
    return problems


def by_batch(found: pl.DataFrame) -> pl.DataFrame:
    """A row per batch: how many of its clips have each status, their median alpha, and what there is to open."""
    counts = [(pl.col("status") == status).sum().alias(status) for status in STATUSES]
    opened = [pl.lit("open").alias(part) for part in PARTS]
    return (
        found.group_by("batch", maintain_order=True)
        .agg(*counts, alpha=pl.col("pooled_alpha").median())
        .with_columns(opened)
    )


def queue(console: Console, batch: str = "") -> pl.DataFrame:
    """`quality.queue.REVIEW_QUEUE` of one batch or of all."""
    names = batches.names(console.store)
    return review_queue(console.store, clips_agreement(console, names), grave_findings(console, names), batch)


def clips_agreement(console: Console, names: list[str]) -> pl.DataFrame:
    """`schemas.AGREEMENT_BY_CLIP` and `batch` of all batches."""
    return console.reading.of_all(names, "agreement", "clips", AGREEMENT_BY_CLIP)


def grave_findings(console: Console, names: list[str]) -> pl.DataFrame:
    """`schemas.RULE_FINDINGS` and `batch` of all batches: breaches of rules that block."""
    grave = GRAVE
    return console.reading.of_all(names, "raw_annotations", "rule_findings", RULE_FINDINGS, grave)


def bulk_plan(
    console: Console, chosen: str, thresholds: Thresholds
) -> tuple[dict[str, list[str]], pl.DataFrame]:
    """`bulk.plan_over_batches` of one batch or of all."""
    names = batches.names(console.store)
    clips, findings = clips_agreement(console, names), grave_findings(console, names)
    if chosen:
        clips = clips.filter(pl.col("batch") == chosen)
    return plan_over_batches(clips, findings, console.decided.all(), thresholds)


def _bulk(visit: Visit, batch: str) -> None:
    first = Thresholds()
    with ui.expansion("Approve many by thresholds", icon="done_all").classes("w-full").mark("bulk") as panel:
        ui.label(
            "A figure that is undefined passes no threshold but 0; a clip that breaks a blocking rule passes none."
        ).classes("soft")
        with ui.row().classes("items-center w-full"):
            alpha = _slider("alpha at least", first.pooled_alpha)
            kappa = _slider("kappa at least", first.kappa)
            iou = _slider("mean IoU at least", first.mean_iou)
            f1 = _slider("box F1 at least", first.f1)
        effect = ui.label().mark("bulk-effect")
        button = ui.button("Approve them", icon="done_all").mark("bulk-approve")
        left = ui.column().classes("w-full")
    sliders = (alpha, kappa, iou, f1)
    asked = 0

    async def planned() -> tuple[dict[str, list[str]], pl.DataFrame]:
        chosen = Thresholds(pooled_alpha=alpha.value, kappa=kappa.value, mean_iou=iou.value, f1=f1.value)
        return await asyncio.to_thread(bulk_plan, visit.console, batch, chosen)

    async def show() -> None:
        nonlocal asked
        if not panel.value:
            return
        asked = mine = asked + 1
        found, stay = await planned()
        if mine != asked:
            return  # a slider has moved on; what it says now is shown
        passing = sum(map(len, found.values()))
        effect.set_text(f"{passing} clip(s) would be approved, {stay.height} would stay pending.")
        button.set_enabled(passing > 0)
        left.clear()
        with left:
            _stay(stay)

    async def approve() -> None:
        chosen, _ = await planned()
        with theme.asking(f"Approve {sum(map(len, chosen.values()))} clips?", "Approve") as dialog:
            ui.label("Each can be taken back later.")
        if not await dialog:
            return
        comment = (
            f"bulk: alpha ≥ {alpha.value:g}, kappa ≥ {kappa.value:g}, IoU ≥ {iou.value:g}, F1 ≥ {f1.value:g}"
        )
        for name, clips in chosen.items():
            decisions.approve(visit.console.store, name, clips, visit.user.username, comment)
        ui.navigate.reload()

    for slider in sliders:
        slider.on_value_change(show)
    panel.on_value_change(show)
    button.on_click(visit.action("reviewer", approve))


def _stay(left: pl.DataFrame) -> None:
    """Why clips would stay pending."""
    if left.height:
        ui.label("These stay, and why").classes("soft")
        DataTable(
            left, file="left_pending",
            links={"clip_id": "/quality/{batch}/clips/{clip_id}"},
        )  # fmt: skip


def _slider(name: str, value: float) -> ui.slider:
    ui.label(name)
    return (
        ui.slider(min=0, max=1, step=0.01, value=value)
        .props(f'label-always aria-label="{name}"')
        .classes("w-48")
    )


def _go(batch: str, status: str) -> None:
    ui.navigate.to(f"/quality?batch={batch}&status={status}")
