"""Removing a batch: what would go is shown, and asked for once more."""

from __future__ import annotations

import asyncio

from nicegui import ui

from ava_core.base.errors import InputError
from ava_core.base.text import plural
from ava_core.operations.removal import remove, what_goes
from ava_ui import addresses
from ava_ui.dagster.client import RUNNING
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.release_contents import readable


def removal(visit: Visit, name: str) -> None:
    """The button, for admins."""

    async def act() -> None:
        console = visit.console
        at = console.batch(name)
        going = await asyncio.to_thread(what_goes, at)
        if going.stays:
            raise InputError(f"{name} stays: {going.stays}.", "What people did is never removed.")
        # Asked first: a run would write files of a batch that is gone, and a partition would outlive it.
        if await console.dagster.runs(batch=name, statuses=RUNNING):
            raise InputError(f"{name} is being processed.", "Wait for its runs, or end them first.")
        with theme.asking(f"Remove batch {name}?", "Remove") as dialog:
            ui.label(f"{plural(going.files, 'file')} made of its videos go, {readable(going.bytes)}.")
            if going.source:
                ui.label(f"Its input goes too: {going.source}")
            ui.label("Nobody has worked on it. It cannot be brought back, only uploaded again.")
        if not await dialog:
            return
        await asyncio.to_thread(remove, at, visit.user.username)
        await console.dagster.remove_batch(name)
        await asyncio.to_thread(console.counts.refresh)
        ui.navigate.to(addresses.BATCHES)

    ui.button("Remove batch …", icon="delete", on_click=visit.action("admin", act)).props("flat").mark(
        "remove"
    )
