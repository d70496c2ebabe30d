"""The versions of one job: what each says, which one counts, and to let another one count."""

from __future__ import annotations

import asyncio
from typing import Final

from nicegui import ui

from ava_core.annotation.retrieve import versions_of
from ava_core.base.errors import InputError
from ava_core.store import readings
from ava_ui import addresses
from ava_ui.elements.data_table import DataTable
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit

LABELS: Final = {
    "version": "version", "annotator": "annotator", "read_at": "read at", "people": "person-seconds",
    "answers": "answers", "status": "result",
}  # fmt: skip


async def content(visit: Visit) -> None:
    """The versions, and for admins the choice."""
    batch, number = visit.params["batch"], visit.params["job_id"]
    if not number.isdigit():
        raise InputError(f"{number!r} is not a job.", "See Progress for the list of jobs.")
    at, job_id = visit.console.batch(batch), int(number)
    found = await asyncio.to_thread(versions_of, at, job_id)
    ui.link(f"Jobs of {batch}", addresses.progress(batch))
    if found.is_empty():
        theme.empty(
            "It has not been read yet.",
            "Jobs are read when they are completed.",
            addresses.progress(batch),
            "Jobs",
        )
        return
    table = DataTable(found, labels=LABELS, file=f"readings_{job_id}", sort_by="version", descending=True)
    if not visit.may("admin"):
        return
    with ui.row().classes("items-center"):
        choice = ui.select(found["version"].to_list(), label="version").classes("w-32").mark("version")

        async def take_up() -> None:
            if choice.value is None:
                raise InputError("No version is chosen.", "Choose one.")
            with theme.asking(f"Use version {choice.value} of job {job_id}?", "Use") as dialog:
                ui.label(
                    "Newer versions are set aside, not deleted. Everything computed from the batch is "
                    "updated."
                )
            if await dialog:
                await asyncio.to_thread(
                    readings.take_up, visit.console.store, job_id, int(choice.value), visit.user.username
                )
                table.set_frame(await asyncio.to_thread(versions_of, at, job_id))

        button = ui.button("Use", icon="task_alt").mark("take-up")
        button.on_click(visit.action("admin", take_up))
