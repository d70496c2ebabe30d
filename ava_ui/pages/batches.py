"""All batches; adding one by upload or from the inbox; processing many again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from nicegui import ui

from ava_core.inbox import add_to_inbox
from ava_core.settings import Settings
from ava_core.store import batches as batch_store
from ava_ui import theme
from ava_ui.elements.data_table import DataTable
from ava_ui.elements.uploader import Uploader
from ava_ui.pages.overview import LINKS, frame
from ava_ui.uploads import uploads_of
from ava_ui.visit import Visit

STAGES: Final = {
    "everything up to the tasks": ("source_videos", "clips", "tracks", "dense_proposals", "cvat_tasks"),
    "tracks and proposals": ("tracks", "dense_proposals"),
    "CVAT tasks": ("cvat_tasks",),
    "reading annotations": ("raw_annotations",),
    "agreement": ("agreement",),
    "consensus and dataset": ("consensus_labels", "ava_csv"),
}


async def content(visit: Visit) -> None:
    """List, add, process."""
    rows = await asyncio.to_thread(visit.console.counts.refresh)
    if visit.may("admin"):
        with ui.element("div").classes("two"):
            with ui.card():
                _upload(visit)
            with ui.card():
                await _inbox(visit)
    if not rows:
        theme.empty("No batches yet.", "Upload a zip of videos, or put one into the inbox folder.")
        return
    theme.heading("Batches")
    table = DataTable(
        frame(rows),
        links=LINKS,
        file="batches",
        sort_by="created",
        descending=True,
        selectable=visit.may("admin"),
    )
    if visit.may("admin"):
        _process(visit, table)


def options_form(settings: Settings) -> Callable[[], dict[str, Any]]:
    """Fields for what a batch may have of its own; gives what differs from the general settings."""
    with ui.expansion("Options of this batch", icon="tune").classes("w-full"), ui.row():
        detector = ui.select(["motion", "rfdetr"], value=settings.detector, label="detector").classes("w-40")
        rate = ui.number("detector frames/s", value=settings.detect_fps, min=1, max=30).classes("w-40")
        ontology = ui.input("ontology (name or file)", value=settings.ontology).classes("w-48")
        seconds = ui.number("seconds a clip", value=settings.clip_seconds, min=1).classes("w-32")

    def chosen() -> dict[str, Any]:
        given = {
            "detector": detector.value, "detect_fps": rate.value, "ontology": ontology.value,
            "clip_seconds": seconds.value,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value != getattr(settings, name)}

    return chosen


def _upload(visit: Visit) -> None:
    theme.heading("Upload")
    finished: dict[str, str] = {}
    uploads = uploads_of(visit.console)

    def uploaded(names: dict[str, str]) -> None:
        finished.clear()
        finished.update(names)
        add.set_enabled(bool(finished))

    Uploader(uploaded)
    name = (
        ui.input("Name of the batch", placeholder="from the file's name").classes("w-full").mark("batch-name")
    )
    options = options_form(visit.console.settings)

    async def register() -> None:
        chosen, wanted = options(), (name.value or "").strip()

        def take() -> str:
            with uploads.taken(dict(finished)) as path:
                return _add(visit, path, wanted, chosen)

        ui.navigate.to(f"/batches/{await asyncio.to_thread(take)}")

    add = ui.button("Add batch", icon="add", on_click=visit.action("admin", register)).mark("add-batch")
    add.set_enabled(False)


async def _inbox(visit: Visit) -> None:
    theme.heading("Inbox")
    folder = visit.console.settings.inbox_dir
    taken = {Path(path) for path in await asyncio.to_thread(batch_store.source_paths, visit.console.store)}
    items = [p for p in sorted(folder.iterdir()) if not p.name.startswith(".")] if folder.is_dir() else []
    waiting = [path for path in items if path not in taken and not path.name.endswith(".part")]
    ui.label(f"What is put into {folder} becomes a batch by itself once it has settled.").classes("soft")
    if not waiting:
        ui.label("Nothing waits.")
        return
    item = ui.select({str(path): path.name for path in waiting}, label="waiting").classes("w-full")
    options = options_form(visit.console.settings)

    async def register() -> None:
        if item.value:
            batch = await asyncio.to_thread(_add, visit, Path(item.value), "", options())
            ui.navigate.to(f"/batches/{batch}")

    ui.button("Add with these options", on_click=visit.action("admin", register))


def _add(visit: Visit, path: Path, name: str, options: dict[str, Any]) -> str:
    batch = add_to_inbox(visit.console.settings, visit.console.store, path, name=name, options=options)
    visit.note("add batch", batch, source=path.name, options=options)
    return batch


def _process(visit: Visit, table: DataTable) -> None:
    with ui.row().classes("items-center"):
        stage = ui.select(list(STAGES), value=next(iter(STAGES)), label="process again").classes("w-64")

        async def process() -> None:
            names = table.selected["batch"].to_list()
            if not names:
                ui.notify("Tick the batches first.")
                return
            with theme.asking(f"Make {stage.value} of {len(names)} batch(es) again?", "Process") as dialog:
                ui.label("What depends on it is made again too. Tasks in CVAT are never made twice.")
            if await dialog:
                visit.note("process", ", ".join(names)[:200], stage=stage.value)
                number = await visit.console.dagster.process(names, STAGES[stage.value])
                ui.notify(f"Backfill {number} started; the overview shows its runs.")

        ui.button("Process", icon="play_arrow", on_click=visit.action("admin", process))
