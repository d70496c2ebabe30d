"""Archiving a batch, after it was said what stays, and taking it back."""

from __future__ import annotations

import asyncio

from nicegui import ui

from ava_core.base.errors import InputError
from ava_core.operations.archive import archive, take_back, what_stays
from ava_ui import addresses
from ava_ui.dagster.client import RUNNING
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit


def archiving(visit: Visit, name: str, *, archived: bool) -> None:
    """The button, for admins: into the archive, or out of it."""

    async def back() -> None:
        await asyncio.to_thread(take_back, visit.console.batch(name), visit.user.username)
        await asyncio.to_thread(visit.console.counts.refresh)
        ui.navigate.reload()

    if archived:
        button = ui.button("Restore from the archive", icon="unarchive", on_click=visit.action("admin", back))
    else:
        act = visit.action("admin", lambda: ask_to_archive(visit, name))
        button = ui.button("Archive batch …", icon="archive", on_click=act)
    button.props("flat").mark("archive")


async def ask_to_archive(visit: Visit, name: str, why: str = "") -> None:
    """Say what archiving means, `why` first, and do it where the answer is yes."""
    console = visit.console
    at = console.batch(name)
    kept = await asyncio.to_thread(what_stays, at)
    with theme.asking(f"Archive batch {name}?", "Archive") as dialog:
        for sentence in [why, *kept.sentences()]:
            if sentence:
                ui.label(sentence)
    if not await dialog:
        return
    await check_idle(visit, name)
    await asyncio.to_thread(archive, at, visit.user.username)
    await asyncio.to_thread(console.counts.refresh)
    ui.navigate.to(addresses.BATCHES)


async def check_idle(visit: Visit, name: str) -> None:
    """Raise `InputError` where a run is under way: it would be about a batch that is not there any more."""
    if await visit.console.dagster.runs(batch=name, statuses=RUNNING):
        raise InputError(f"{name} is being processed.", "Wait for its runs to finish, or stop them first.")
