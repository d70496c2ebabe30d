"""An annotator's own work: the next job under one button, what waits, is under way, done and handed back."""

from __future__ import annotations

import asyncio
from typing import Final

from nicegui import ui

from ava_core.annotation.labeller import Labeller
from ava_core.annotation.own_account import label_yourself
from ava_core.annotation.own_work import OwnJob, own_jobs
from ava_core.annotation.working_time import active_times
from ava_core.base.errors import InputError
from ava_core.base.schemas import CLIP_FPS
from ava_ui import addresses
from ava_ui.frame import theme
from ava_ui.frame.labeller import signed_in_labeller
from ava_ui.frame.visit import Visit
from ava_ui.pages.annotation import practise

PARTS: Final = (
    ("rejected", "Returned to you"),
    ("in progress", "Under way"),
    ("new", "Waiting"),
    ("completed", "Done"),
)
"""States of jobs in the order in which they come next, and what the page calls them."""


async def content(visit: Visit) -> None:
    """The person's jobs. Nothing here is about anybody else's work."""
    labeller = signed_in_labeller(ui.context.client.request.state)
    if labeller is None:
        _not_labelling(visit)
        return
    await practise.panel(visit.console.store, labeller.user_name)
    jobs = await asyncio.to_thread(own_jobs, visit.console.settings, visit.console.store, labeller)
    if not jobs and visit.may("admin"):
        theme.empty("You have no jobs.", "Assign a batch to yourself.", addresses.TASKS, "Tasks")
        return
    if not jobs:
        theme.empty("You have no jobs.", "An admin assigns jobs; check again later.")
        return
    _next(jobs)
    _counts(visit, labeller, jobs)
    for state, name in PARTS:
        mine = [job for job in jobs if job.state == state]
        if mine:
            theme.heading(f"{name} ({len(mine)})")
            for job in mine:
                _row(job)


def _not_labelling(visit: Visit) -> None:
    """An admin may begin to label with one button; anybody else signs in as an annotator."""
    if not (visit.may("admin") and visit.console.settings.cvat_is_embedded):
        raise InputError(
            "You have not signed in as an annotator.",
            "Sign out, then sign in with your annotation server account.",
        )
    theme.empty(
        "You have not signed in as an annotator.", "You can label as well as everything else you do here."
    )

    async def begin() -> None:
        settings, store = visit.console.settings, visit.console.store
        name = await asyncio.to_thread(label_yourself, settings, store, visit.token)
        await visit.note("label yourself", name)
        ui.navigate.reload()

    ui.button("Label yourself", icon="edit_note", on_click=visit.action("admin", begin)).mark(
        "label-yourself"
    )


def _next(jobs: list[OwnJob]) -> None:
    order = [state for state, _ in PARTS[:-1]]
    left = sorted((job for job in jobs if job.state in order), key=lambda job: order.index(job.state))
    if not left:
        ui.label("All your jobs are done.").classes("text-weight-bold")
        return
    words = {"new": "Start", "in progress": "Continue", "rejected": "Redo"}[left[0].state]
    button = ui.button(
        f"{words} {left[0].clip_id}", on_click=lambda: ui.navigate.to(addresses.label(left[0].job_id))
    )
    button.props("size=xl no-caps").mark("next-job")


def _counts(visit: Visit, labeller: Labeller, jobs: list[OwnJob]) -> None:
    active = active_times(visit.console.store, labeller.user_name)["active_s"].sum()
    done = sum(job.state == "completed" for job in jobs)
    elapsed = sum(job.elapsed_h or 0.0 for job in jobs)
    theme.facts({
        "clips left": len(jobs) - done, "clips done": done,
        "minutes active": round(active / 60, 1), "hours elapsed": round(elapsed, 1),
    })  # fmt: skip


def _row(job: OwnJob) -> None:
    with ui.row().classes("items-center"):
        ui.link(job.clip_id, addresses.label(job.job_id))
        for frame, said in job.comments:
            where = f"at {frame // CLIP_FPS} s: {said}"
            ui.link(where, addresses.label(job.job_id, frame=frame)).classes("bad")
