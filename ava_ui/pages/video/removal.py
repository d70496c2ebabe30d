"""Removing a batch: what would go is shown, and asked for once more."""

from __future__ import annotations

import asyncio

from nicegui import ui

from ava_core.base.errors import InputError
from ava_core.base.text import plural
from ava_core.operations.removal import remove, what_goes
from ava_ui import addresses
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.release_contents import readable
from ava_ui.pages.video.archiving import ask_to_archive, check_idle


def removal(visit: Visit, name: str, *, archived: bool) -> None:
    """The button, for admins. Where people have worked on the batch, it offers the archive."""

    async def act() -> None:
        console = visit.console
        at = console.batch(name)
        going = await asyncio.to_thread(what_goes, at)
        if going.stays and archived:
            raise InputError(f"{name} stays: {going.stays}.", "People's work is never removed.")
        if going.stays:
            await ask_to_archive(
                visit, name, f"{name} cannot be removed: {going.stays}. You can archive it instead."
            )
            return
        # Asked first: a run would write files of a batch that is gone, and a partition would outlive it.
        await check_idle(visit, name)
        with theme.asking(f"Remove batch {name}?", "Remove") as dialog:
            ui.label(
                f"{plural(going.files, 'file')} made from its videos will be deleted, "
                f"{readable(going.bytes)}."
            )
            if going.source:
                ui.label(f"Its input will be deleted too: {going.source}")
            ui.label("No one has worked on it. You cannot undo this; you can only upload the input again.")
        if not await dialog:
            return
        await asyncio.to_thread(remove, at, visit.user.username)
        await console.dagster.remove_batch(name)
        await asyncio.to_thread(console.counts.refresh)
        ui.navigate.to(addresses.BATCHES)

    ui.button("Remove batch …", icon="delete", on_click=visit.action("admin", act)).props("flat").mark(
        "remove"
    )
