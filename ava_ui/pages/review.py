"""Judging one clip: it plays, boxes of everybody over it; approve or reject by key, and on to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import quote

import polars as pl
from nicegui import ui

from ava_core import decisions
from ava_core.cvat.adjudication import send_to_expert
from ava_core.cvat.tasks import add_annotator
from ava_core.errors import InputError
from ava_core.store import annotators, tasks
from ava_ui import documents, theme
from ava_ui.elements.clip_player import ClipPlayer
from ava_ui.elements.data_table import shown
from ava_ui.pages.quality import queue
from ava_ui.visit import Visit


async def content(visit: Visit) -> None:
    """Figures, player, decision."""
    batch, clip_id = visit.params["batch"], visit.params["clip_id"]
    documents.clip_row(visit.console, batch, clip_id)
    found = await asyncio.to_thread(queue, visit.console, batch)
    mine = found.filter(pl.col("clip_id") == clip_id)
    if mine.is_empty():
        theme.empty(
            "Nobody has completed this clip yet.",
            "It can be judged once a job of it is completed.",
            "/progress",
        )
        return
    row = mine.row(0, named=True)
    _figures(row)
    above = ui.row().classes("items-center w-full no-wrap")
    player = ClipPlayer(f"/media/review/{quote(batch)}/{quote(clip_id)}", frame=visit.number("frame"))
    if visit.may("reviewer"):
        with above:
            _decide(visit, player, row, _next_after(found, clip_id))
        with ui.row().classes("items-center"):
            _measure(visit, batch, clip_id)
            if visit.may("admin"):
                _ask(visit, batch, clip_id)
    _history(visit, batch, clip_id)


def _figures(row: dict[str, object]) -> None:
    batch = row["batch"]
    with ui.row().classes("items-center"):
        ui.badge(str(row["status"])).mark("qc-status")
        ui.label(f"{row['completed']} of {row['jobs']} jobs done")
        ui.label(
            f"alpha {shown(row['pooled_alpha'])} · mean IoU {shown(row['mean_iou'])} · F1 {shown(row['f1'])}"
        )
        ui.link("batch's agreement", f"/quality/{batch}/agreement")
        if row["reason"]:
            ui.label(str(row["reason"])).classes("warn")


def _next_after(found: pl.DataFrame, clip_id: str) -> str:
    """The next clip of the batch that waits, after this one and then from the start; "" where none does."""
    waiting = found.filter((pl.col("status") == "pending") & (pl.col("clip_id") != clip_id))[
        "clip_id"
    ].to_list()
    later = [clip for clip in waiting if clip > clip_id]
    return (later or waiting or [""])[0]


def _decide(visit: Visit, player: ClipPlayer, row: dict[str, object], following: str) -> None:
    batch, clip_id = str(row["batch"]), str(row["clip_id"])
    comment = ui.input("Comment (needed for a rejection)").classes("grow").mark("comment")
    approve = ui.button("Approve (A)", icon="check", color="positive").mark("approve")
    reject = ui.button("Reject (R)", icon="close", color="negative").mark("reject")
    reopen = ui.button("Undo (U)", icon="undo").props("flat").mark("reopen")
    reopen.set_enabled(row["status"] != "pending")

    def judge(function: Callable[..., object], *, advance: bool) -> Callable[[], None]:
        def act() -> None:
            function(visit.console.store, batch, [clip_id], visit.user.username, comment.value or "")
            if advance and following:
                ui.navigate.to(f"/quality/{quote(batch)}/clips/{quote(following)}")
            elif advance:
                ui.navigate.to(f"/quality?batch={quote(batch)}")
            else:
                ui.navigate.reload()

        return act

    def say_why_or_reject() -> None:
        if not (comment.value or "").strip():
            comment.run_method("focus")
            ui.notify("Say in the comment what the annotators should mend, then press Enter.")
            return
        judge(decisions.reject, advance=True)()

    approving = visit.action("reviewer", judge(decisions.approve, advance=True))
    rejecting = visit.action("reviewer", say_why_or_reject)
    reopening = visit.action("reviewer", judge(decisions.reopen, advance=False))
    approve.on_click(approving)
    reject.on_click(rejecting)
    reopen.on_click(reopening)
    comment.on("keydown.enter", rejecting)
    player.on("approve", approving, [])
    player.on("reject", rejecting, [])
    player.on("undo", reopening, [])


def _measure(visit: Visit, batch: str, clip_id: str) -> None:
    """Gold: one person's work on this clip becomes the measure of the others'."""
    store = visit.console.store
    workers = sorted({job.annotator for job in tasks.completed_jobs(store, batch) if job.clip_id == clip_id})
    expert = decisions.decision_state(store, batch).gold.get(clip_id, "")

    def choose(name: str) -> None:
        if name:
            decisions.mark_gold(store, batch, clip_id, name, visit.user.username)
        else:
            decisions.unmark_gold(store, batch, clip_id, visit.user.username)
        ui.notify("Noted; the scorecards follow when agreement is measured again.")

    options = {"": "no gold clip"} | {name: f"gold: the work of {name}" for name in workers}
    act = visit.action("reviewer", choose)
    ui.select(options, value=expert, label="measure of the others", on_change=lambda e: act(e.value)).classes(
        "w-64"
    ).mark("gold")


def _ask(visit: Visit, batch: str, clip_id: str) -> None:
    """Somebody more: as a further annotator, or as the expert who mends the consensus in CVAT."""
    console = visit.console
    names = [person.username for person in annotators.available(console.store)]
    who = ui.select(names, label="somebody more").classes("w-48").mark("more")

    def chosen() -> str:
        if not who.value:
            raise InputError("Nobody is chosen.", "Choose somebody beside the button.")
        return str(who.value)

    async def top_up() -> None:
        name, clip = chosen(), documents.clip_row(console, batch, clip_id)
        tracks = console.reading.of_clip(batch, "tracks", clip_id)
        assert tracks is not None, "a clip that was annotated has tracks"
        await asyncio.to_thread(
            add_annotator, batch, clip, name, tracks, console.storage, console.batch_settings(batch), console.store,
            console.ontology(batch),
        )  # fmt: skip
        visit.note("top up", f"{batch}: {clip_id}", annotator=name)
        ui.notify(f"{name} has a job of this clip now.")

    async def send() -> None:
        name = chosen()
        formed = await asyncio.to_thread(documents.preview_consensus, console, batch)
        await asyncio.to_thread(
            send_to_expert, batch, clip_id, name, formed, console.batch_settings(batch), console.store,
            console.ontology(batch), actor=visit.user.username,
        )  # fmt: skip
        ui.notify(f"{name} finds the consensus in CVAT, to mend it there.")

    ui.button("As another annotator", on_click=visit.action("admin", top_up)).props("flat no-caps").mark(
        "top-up"
    )
    ui.button("To mend the consensus in CVAT", on_click=visit.action("admin", send)).props("flat no-caps")


def _history(visit: Visit, batch: str, clip_id: str) -> None:
    past = [d for d in decisions.decisions_of(visit.console.store, batch) if d.subject == clip_id]
    for decision in reversed(past):
        when = f"{decision.decided_at:%Y-%m-%d %H:%M}"
        ui.label(f"{when} · {decision.actor}: {decision.action} {decision.comment}").classes("soft")
