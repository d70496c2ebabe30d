"""The queue of completed clips by status of review, and what there is of each batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl
from nicegui import ui

from ava_core.annotation.staffing import requeue
from ava_core.base.errors import AvaError, InputError
from ava_core.base.text import plural
from ava_core.decisions.log import QC_STATUS
from ava_core.store import batches
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.elements.data_table import DataTable
from ava_ui.elements.decided import Decided, Seen
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.review_queue import queue
from ava_ui.pages.quality.bulk import BulkPanel

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
    "pending": "The queue is empty: every completed clip has been reviewed.",
    "approved": "No approved clips yet.",
    "rejected": "No rejected clips.",
}

PARTS: Final[dict[str, Callable[[addresses.Part], str]]] = {
    "agreement": addresses.agreement, "annotators": addresses.annotators, "adjudication": addresses.adjudication,
    "audit": addresses.blind_audit, "gold": addresses.gold,
}  # fmt: skip
"""Pages of one batch's quality; `BATCH_LABELS` names them."""


@dataclass(frozen=True)
class Asked:
    """What the address asks for: a batch, or "" for all, and a status of review."""

    batch: str
    status: str


async def content(visit: Visit) -> None:
    """Queue, bulk approval, and what there is of each batch."""
    asked = Asked(visit.query.get("batch", ""), visit.query.get("status", "pending"))
    names = await asyncio.to_thread(batches.listed, visit.console.store)
    seen = Seen(visit.console.store, asked.batch)
    found = await asyncio.to_thread(queue, visit.console, asked.batch)
    if found.is_empty():
        theme.empty(
            "No clip has been completed yet.", "Clips appear here as soon as an annotator completes a job.",
            addresses.PROGRESS, "See the jobs",
        )  # fmt: skip
        return
    following = Decided(seen, lambda decision: decision.action in QC_STATUS)
    _choose(asked, names, found)
    wanted = found.filter(pl.col("status") == asked.status)
    if asked.status == "pending" and visit.may("reviewer") and wanted.height:
        following.then = BulkPanel(visit, asked.batch).follow
    left = found.filter(pl.col("status") == "rejected", pl.col("completed") == pl.col("jobs")).height
    if left:
        ui.link(
            f"Not yet returned to their annotators: {plural(left, 'rejected clip')}",
            addresses.quality(asked.batch, "rejected"),
        ).classes("warn")
    _clips(visit, asked, wanted)
    if not asked.batch:
        theme.heading("By batch")
        _batches(found)


def _choose(asked: Asked, names: list[str], found: pl.DataFrame) -> None:
    """Batch and status, and the batch's other pages."""

    def go(batch: str, status: str) -> None:
        ui.navigate.to(addresses.quality(batch, status))

    with ui.row().classes("items-center"):
        options = {"": "all batches"} | {name: name for name in [*names, asked.batch] if name}
        ui.select(options, value=asked.batch, label="batch",
                  with_input=len(names) > 12,
                  on_change=lambda e: go(e.value or "", asked.status)).classes("w-48")  # fmt: skip
        ui.toggle({s: f"{s} ({found.filter(pl.col('status') == s).height})" for s in STATUSES},
                  value=asked.status, on_change=lambda e: go(asked.batch, e.value))  # fmt: skip
        if asked.batch:
            for part, address in PARTS.items():
                ui.link(BATCH_LABELS[part].capitalize(), address(asked.batch))


def _clips(visit: Visit, asked: Asked, wanted: pl.DataFrame) -> None:
    """The clips of the status; rejected ones can be handed back."""
    may_hand_back = asked.status == "rejected" and visit.may("reviewer") and wanted.height > 0
    batch, clip = cell("batch"), cell("clip_id")
    table = DataTable(
        wanted, labels=LABELS, file=f"{asked.status}_clips", sort_by="pooled_alpha",
        selectable=may_hand_back, nothing=NOTHING[asked.status],
        links={"clip_id": addresses.REVIEW, "batch": addresses.quality(batch),
               "completed": addresses.progress(batch, clip=clip, state="completed"),
               "jobs": addresses.progress(batch, clip=clip),
               "pooled_alpha": addresses.AGREEMENT, "breaches": addresses.REVIEW},
    )  # fmt: skip
    if may_hand_back:
        _hand_back(visit, table)


def _batches(found: pl.DataFrame) -> None:
    batch = cell("batch")
    DataTable(
        by_batch(found), labels=BATCH_LABELS, file="quality", sort_by="pending", descending=True,
        links={"batch": addresses.quality(batch), "alpha": addresses.AGREEMENT}
        | {status: addresses.quality(batch, status) for status in STATUSES}
        | {part: address(batch) for part, address in PARTS.items()},
    )  # fmt: skip


def _hand_back(visit: Visit, table: DataTable) -> None:
    async def act() -> None:
        chosen = table.selected
        if chosen.is_empty():
            raise InputError("No clip is selected.", "Select clips in the table.")
        problems = []
        for (batch,), rows in chosen.group_by(["batch"], maintain_order=True):
            problems += await handed_back(visit, str(batch), dict.fromkeys(rows["clip_id"].to_list(), 0))
        if problems:
            raise AvaError(problems[0], f"Not returned: {len(problems)} of {plural(chosen.height, 'clip')}.")
        ui.navigate.reload()

    button = ui.button("Return selected clips to their annotators", icon="replay").mark("hand-back-ticked")
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
            await visit.note("requeue failed", f"{batch}: {clip_id}", problem=str(error))
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
