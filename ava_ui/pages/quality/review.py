"""Judging one clip: it plays, boxes of everybody over it; approve or reject by key, and on to the next."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import polars as pl
from nicegui import ui

from ava_core import decisions
from ava_core.quality.review.bulk import blocked_clips
from ava_core.store import tasks
from ava_core.store.tables import Decision
from ava_ui import addresses
from ava_ui.elements.clip_player import ClipPlayer
from ava_ui.elements.data_table import shown
from ava_ui.elements.decided import Decided, Seen
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.review_queue import queue, shown_readings
from ava_ui.pages.annotation import training
from ava_ui.pages.quality import example
from ava_ui.pages.quality.judging import Judgement, JudgementPanel, next_after, place_among_waiting
from ava_ui.pages.quality.more_work import MoreWorkPanel

READING_SECONDS: Final = 2.0
"""Between two looks at whether a completed clip has been read."""

FIGURES: Final = {"alpha": "pooled_alpha", "kappa": "kappa", "mean IoU": "mean_iou", "F1": "f1"}
"""Figures of a clip, by what people call them."""


async def content(visit: Visit) -> None:
    """The player, what is known of the clip, and the decision."""
    batch, clip_id = visit.params["batch"], visit.params["clip_id"]
    visit.console.tables.clip(batch, clip_id)
    seen = Seen(visit.console.store, batch)
    found = await asyncio.to_thread(queue, visit.console, batch)
    mine = found.filter(pl.col("clip_id") == clip_id)
    if mine.is_empty():
        theme.empty(
            "No annotator has completed this clip yet.",
            "You can review it once an annotator completes a job.",
            addresses.progress(batch, clip=clip_id),
            "Its jobs",
        )
        return
    readings = shown_readings(visit.console, batch).get(clip_id, frozenset())
    if not readings:
        _being_read(visit, batch, clip_id)
        return
    row = mine.row(0, named=True)
    judgement = Judgement(
        visit.console.store, batch, clip_id, visit.user.username, seen=seen.of(batch),
        shown=readings,
        status=str(row["status"]), blocked=_breaches(visit, batch).get(clip_id, ""),
        following=next_after(found, clip_id),
    )  # fmt: skip
    Decided(seen, lambda decision: decision.subject == clip_id)
    _figures(row, found)
    if judgement.blocked:
        ui.label(f"Breaks a blocking rule: {judgement.blocked}.").classes("bad").mark("blocked")
    above = ui.row().classes("items-center w-full")
    player = ClipPlayer(addresses.review_shown(batch, clip_id), frame=visit.number("frame"))
    player.on("skip", lambda: ui.navigate.to(judgement.next_address), [])
    if visit.may("reviewer"):
        with above:
            JudgementPanel(visit, player, judgement)
        with ui.row().classes("items-center"):
            _measure(visit, seen, batch, clip_id)
            if visit.may("admin"):
                MoreWorkPanel(visit, batch, clip_id)
        if visit.may("admin"):
            example.panel(visit, player, batch, clip_id)
    _history(visit, batch, clip_id)


def _being_read(visit: Visit, batch: str, clip_id: str) -> None:
    """A clip that was completed, but is not read yet: the page comes by itself once it is."""
    theme.empty(
        "This clip was just completed and is being read.",
        "It appears here automatically; the batch's page shows progress.",
        addresses.batch(batch),
        f"Batch {batch}",
    )

    async def look() -> None:
        if (await asyncio.to_thread(shown_readings, visit.console, batch)).get(clip_id):
            ui.navigate.reload()

    ui.timer(READING_SECONDS, look)


def _breaches(visit: Visit, batch: str) -> dict[str, str]:
    findings = visit.console.tables.table(batch, "raw_annotations", "rule_findings")
    if findings is None:
        return {}
    return blocked_clips(findings, visit.console.decisions.of(batch).excluded)


def _figures(row: dict[str, Any], found: pl.DataFrame) -> None:
    batch, clip = str(row["batch"]), str(row["clip_id"])
    with ui.row().classes("items-center"):
        ui.badge(str(row["status"])).mark("qc-status")
        ui.link(f"{row['completed']} of {row['jobs']} jobs done", addresses.progress(batch, clip=clip))
        ui.label(" · ".join(f"{name} {shown(row[column])}" for name, column in FIGURES.items()))
        ui.link(place_among_waiting(found, clip), addresses.quality(batch)).mark("position")
        ui.link("agreement", addresses.agreement(batch))
        ui.link("adjudicate answers", addresses.adjudication(batch, clip=clip))
        if row["reason"]:
            ui.label(str(row["reason"])).classes("warn")


def _measure(visit: Visit, seen: Seen, batch: str, clip_id: str) -> None:
    """Gold: one person's work on this clip becomes the measure of the others'; practice: of those who are new."""
    store = visit.console.store
    state = decisions.decision_state(store, batch)
    workers = sorted({job.annotator for job in tasks.completed_jobs(store, batch, clip_id)})
    if any(job.clip_id == clip_id for job in tasks.completed_parents(store, batch)):
        workers += sorted({state.experts.get(clip_id, "")} - {"", *workers})
    expert = state.gold.get(clip_id, "")

    def decide(name: str) -> Decision:
        by = visit.user.username
        if name:
            return decisions.mark_gold(store, batch, clip_id, name, by, seen=seen.of(batch))
        return decisions.unmark_gold(store, batch, clip_id, by, seen=seen.of(batch))

    async def choose(name: str) -> None:
        seen.made(await asyncio.to_thread(decide, name))
        ui.notify("Saved; scorecards update after the next agreement run.")

    options = {"": "not a gold clip"} | {name: f"gold: the work of {name}" for name in workers}
    act = visit.action("reviewer", choose)
    ui.select(
        options, value=expert, label="reference for the others", on_change=lambda e: act(e.value)
    ).classes("w-64").mark("gold")
    if visit.may("admin"):
        training.choose(visit, batch, clip_id, workers)


def _history(visit: Visit, batch: str, clip_id: str) -> None:
    past = [d for d in decisions.decisions_of(visit.console.store, batch) if d.subject == clip_id]
    for decision in reversed(past):
        when = f"{decision.decided_at:%Y-%m-%d %H:%M}"
        ui.label(f"{when} · {decision.actor}: {decision.action} {decision.comment}").classes("soft")
