"""Judging one clip: it plays, boxes of everybody over it; approve or reject by key, and on to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

import polars as pl
from nicegui import background_tasks, ui

from ava_core import decisions
from ava_core.annotation import staffing
from ava_core.annotation.adjudication import send_to_expert
from ava_core.base.errors import InputError
from ava_core.quality.review.bulk import blocked_clips
from ava_core.store import annotators, tasks
from ava_ui.elements.clip_player import ClipPlayer
from ava_ui.elements.data_table import shown
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known import player as documents
from ava_ui.pages.quality.queue import handed_back, queue

FIGURES: Final = {"alpha": "pooled_alpha", "kappa": "kappa", "mean IoU": "mean_iou", "F1": "f1"}
"""Figures of a clip, by what people call them."""


async def content(visit: Visit) -> None:
    """The player, what is known of the clip, and the decision."""
    batch, clip_id = visit.params["batch"], visit.params["clip_id"]
    documents.clip_row(visit.console, batch, clip_id)
    found = await asyncio.to_thread(queue, visit.console, batch)
    mine = found.filter(pl.col("clip_id") == clip_id)
    if mine.is_empty():
        theme.empty(
            "Nobody has completed this clip yet.",
            "It can be judged once a job of it is completed.",
            f"/progress?batch={quote(batch)}&clip={quote(clip_id)}",
            "Its jobs",
        )
        return
    row = mine.row(0, named=True)
    following = _next_after(found, clip_id)
    blocked = _breaches(visit, batch).get(clip_id, "")
    _figures(row, found)
    if blocked:
        ui.label(f"Breaks a rule that must not be broken: {blocked}.").classes("bad").mark("blocked")
    above = ui.row().classes("items-center w-full")
    player = ClipPlayer(f"/media/review/{quote(batch)}/{quote(clip_id)}", frame=visit.number("frame"))
    player.on("skip", lambda: _go_on(batch, following), [])
    if visit.may("reviewer"):
        with above:
            _decide(visit, player, row, following, blocked)
        with ui.row().classes("items-center"):
            _measure(visit, batch, clip_id)
            if visit.may("admin"):
                _ask(visit, batch, clip_id)
    _history(visit, batch, clip_id)


def _breaches(visit: Visit, batch: str) -> dict[str, str]:
    findings = visit.console.reading.table(batch, "raw_annotations", "rule_findings")
    if findings is None:
        return {}
    return blocked_clips(findings, visit.console.decided.of(batch).excluded)


def _figures(row: dict[str, Any], found: pl.DataFrame) -> None:
    batch, clip = quote(str(row["batch"])), quote(str(row["clip_id"]))
    waiting = found.filter(pl.col("status") == "pending").height
    with ui.row().classes("items-center"):
        ui.badge(str(row["status"])).mark("qc-status")
        ui.link(f"{row['completed']} of {row['jobs']} jobs done", f"/progress?batch={batch}&clip={clip}")
        ui.label(" · ".join(f"{name} {shown(row[column])}" for name, column in FIGURES.items()))
        ui.link(f"{waiting} of {found.height} clips wait", f"/quality?batch={batch}")
        ui.link("agreement", f"/quality/{batch}/agreement")
        ui.link("adjudicate its answers", f"/quality/{batch}/adjudication?clip={clip}")
        if row["reason"]:
            ui.label(str(row["reason"])).classes("warn")


def _next_after(found: pl.DataFrame, clip_id: str) -> str:
    """The next clip of the batch that waits, after this one and then from the start; "" where none does."""
    waiting = found.filter((pl.col("status") == "pending") & (pl.col("clip_id") != clip_id))[
        "clip_id"
    ].to_list()
    later = [clip for clip in waiting if clip > clip_id]
    return str((later or waiting or [""])[0])


def _go_on(batch: str, following: str) -> None:
    """To the next clip that waits; to the queue where none does."""
    ui.navigate.to(
        f"/quality/{quote(batch)}/clips/{quote(following)}" if following else f"/quality?batch={quote(batch)}"
    )


def _decide(visit: Visit, player: ClipPlayer, row: dict[str, Any], following: str, blocked: str) -> None:
    batch, clip_id, store = str(row["batch"]), str(row["clip_id"]), visit.console.store
    comment = (
        ui.input("Comment (needed for a rejection)", value=visit.draft)
        .classes("grow comment")
        .mark("comment")
    )
    comment.on_value_change(lambda event: visit.keep_draft(event.value or ""))
    approve = ui.button("Approve (A)", icon="check", color="positive").mark("approve")
    reject = ui.button("Reject (R)", icon="close", color="negative").mark("reject")
    hand_back = ui.switch("hand back", value=True).mark("hand-back")
    with hand_back:
        ui.tooltip(
            "A rejected clip goes back to its annotators, with the comment at the second that is shown."
        )
    reopen = ui.button("Undo (U)", icon="undo").props("flat").mark("reopen")
    reopen.set_enabled(row["status"] != "pending")
    ui.button("Skip (S)", icon="skip_next", on_click=lambda: _go_on(batch, following)).props("flat").mark(
        "skip"
    )

    def judged(function: Callable[..., object], said: str) -> None:
        function(store, batch, [clip_id], visit.user.username, said)
        visit.keep_draft("")

    async def approving() -> None:
        said = comment.value or ""
        if blocked:
            with theme.asking("Approve it although it breaks a rule?", "Approve all the same") as dialog:
                ui.label(f"{blocked}.")
            if not await dialog:
                return
            said = f"{said} (although {blocked})".strip()
        judged(decisions.approve, said)
        _go_on(batch, following)

    def rejecting() -> None:
        said = (comment.value or "").strip()
        if not said:
            comment.run_method("focus")
            ui.notify("Say in the comment what the annotators should mend, then press Enter.")
            return
        judged(decisions.reject, said)
        if hand_back.value:
            # Nobody waits for the annotation server: what it does not take shows among the rejected clips.
            background_tasks.create(
                handed_back(visit, batch, {clip_id: player.second}), name=f"hand back {clip_id}"
            )
        _go_on(batch, following)

    def reopening() -> None:
        judged(decisions.reopen, comment.value or "")
        ui.navigate.reload()

    acts: dict[str, Callable[..., object]] = {"approve": approving, "reject": rejecting, "undo": reopening}
    for name, button in {"approve": approve, "reject": reject, "undo": reopen}.items():
        act = visit.action("reviewer", acts[name])
        button.on_click(act)
        player.on(name, act, [])
    comment.on("keydown.enter", visit.action("reviewer", rejecting))


def _measure(visit: Visit, batch: str, clip_id: str) -> None:
    """Gold: one person's work on this clip becomes the measure of the others'."""
    store = visit.console.store
    workers = sorted({job.annotator for job in tasks.completed_jobs(store, batch, clip_id)})
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
        name, at = chosen(), console.batch(batch)
        await asyncio.to_thread(staffing.top_up, at, clip_id, visit.user.username, name)
        ui.notify(f"{name} has a job of this clip now.")

    async def send() -> None:
        name = chosen()
        formed = await asyncio.to_thread(documents.preview_consensus, console, batch, clip_id)
        await asyncio.to_thread(
            send_to_expert, console.batch(batch), clip_id, name, formed, actor=visit.user.username
        )
        ui.notify(f"{name} finds the consensus in CVAT, to mend it there.")

    ui.button("As another annotator", on_click=visit.action("admin", top_up)).props("flat no-caps").mark(
        "top-up"
    )
    ui.button("To mend the consensus in CVAT", on_click=visit.action("admin", send)).props(
        "flat no-caps"
    ).mark("expert")


def _history(visit: Visit, batch: str, clip_id: str) -> None:
    past = [d for d in decisions.decisions_of(visit.console.store, batch) if d.subject == clip_id]
    for decision in reversed(past):
        when = f"{decision.decided_at:%Y-%m-%d %H:%M}"
        ui.label(f"{when} · {decision.actor}: {decision.action} {decision.comment}").classes("soft")
