"""All batches; adding one by upload or from the inbox; processing many again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import polars as pl
from nicegui import ui
from nicegui.elements.mixins.value_element import ValueElement

from ava_core.base.names import batch_name_for
from ava_core.base.settings import Settings
from ava_core.base.text import gigabytes, plural
from ava_core.ontology import ontology_names
from ava_core.ontology.extend import published
from ava_core.store import audit_log
from ava_core.store import batches as batch_store
from ava_core.video.detection.registry import detector_names
from ava_core.video.intake.inbox import add_to_inbox, free_name
from ava_core.video.intake.kinds import VIDEO_SUFFIXES
from ava_core.video.intake.uploads import Uploads, uploads_of
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.elements.ask_button import AskButton
from ava_ui.elements.backfills import Backfills
from ava_ui.elements.data_table import DataTable
from ava_ui.elements.uploader import Uploader
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.counts import BatchRow
from ava_ui.pages.operations.overview import frame, links

STAGES: Final = {
    "everything up to the tasks": ("source_videos", "clips", "tracks", "dense_proposals", "cvat_tasks"),
    "tracks and proposals": ("tracks", "dense_proposals"),
    "CVAT tasks": ("cvat_tasks",),
    "reading annotations": ("raw_annotations",),
    "agreement": ("agreement",),
    "consensus and dataset": ("consensus_labels", "ava_csv"),
}


PICTURES_SHOWN: Final = 12

UPLOADED: Final = VIDEO_SUFFIXES | {".zip", ".pkl"}
"""Endings of files that can be uploaded."""

FORM_OPTIONS: Final = (
    "detector", "detect_fps", "detection_threshold", "ontology", "clip_seconds", "clip_min_seconds", "clip_fit",
    "deal_out",
)  # fmt: skip
"""Settings that the form of a batch's options holds."""


async def content(visit: Visit) -> None:
    """List, add, process."""
    counts, archived = visit.console.counts, visit.query.get("archived") == "yes"
    rows = await asyncio.to_thread(counts.refresh)
    if archived:
        rows = await asyncio.to_thread(counts.with_archived)
    if visit.may("admin"):
        with ui.element("div").classes("two"):
            with ui.card():
                await _upload(visit)
            with ui.card():
                await _inbox(visit)
    _archive(len(counts.archived), shown=archived)
    if not rows:
        theme.empty(
            "No matching batches." if counts.archived else "No batches yet.",
            "Upload a zip of videos, or put one in the inbox folder.",
        )
        return
    theme.heading("Batches")
    table = DataTable(
        frame(rows).with_columns(archived=pl.Series([row.archived for row in rows]))
        if archived
        else frame(rows),
        links=links(cell("batch")),
        file="batches",
        sort_by="created",
        descending=True,
        selectable=visit.may("admin"),
    )
    if visit.may("admin"):
        _process(visit, table)
    theme.later(visit, lambda: _newest(visit, rows))
    theme.heading("Process several batches")
    Backfills(visit)


def _archive(count: int, *, shown: bool) -> None:
    """The way to the batches in the archive and back."""
    if shown:
        ui.link("hide archived", addresses.batches(archived=False)).mark("archived")
    elif count:
        ui.link(f"show archived ({count})", addresses.batches(archived=True)).mark("archived")


async def _newest(visit: Visit, rows: list[BatchRow]) -> None:
    """A picture of each of the newest batches, from the middle of its first clip."""
    newest = sorted(rows, key=lambda row: row.created_at, reverse=True)[:PICTURES_SHOWN]
    pictures = await asyncio.to_thread(lambda: {row.batch: _picture(visit, row.batch) for row in newest})
    with ui.element("div").classes("grid"):
        for row in newest:
            with ui.link(target=addresses.batch(row.batch)).classes("cell"):
                if pictures[row.batch]:
                    ui.element("img").props(f'src="{pictures[row.batch]}" loading=lazy alt=""')
                ui.label(f"{row.batch} · {plural(row.counts['clips'] or 0, 'clip')}")


def _picture(visit: Visit, batch: str) -> str:
    """The address of a picture of a batch; "" while it has no clips."""
    clips = visit.console.tables.table(batch, "clips")
    if clips is None or clips.is_empty():
        return ""
    clip_id, seconds = clips.sort("clip_id").select("clip_id", "duration_s").row(0)
    return addresses.keyframe(batch, clip_id, int(seconds // 2))


def options_form(settings: Settings, own: Settings | None = None) -> Callable[[], dict[str, Any]]:
    """Fields for what a batch may have of its own, filled in from `own`; gives what differs from `settings`."""
    own = own or settings
    with ui.expansion("Options of this batch", icon="tune").classes("w-full"), ui.row():
        fields: dict[str, ValueElement[Any]] = {
            "detector": ui.select(known_detectors(own), label="detector"),
            "detect_fps": ui.number(
                "detector frames per second", min=1, max=30, placeholder="10 on a GPU, else 5"
            ),
            "detection_threshold": ui.number("detection threshold", min=0, max=1, step=0.05),
            "ontology": ui.select(known_ontologies(own), label="ontology"),
            "clip_seconds": ui.number("seconds per clip", min=1),
            "clip_min_seconds": ui.number("minimum seconds of the last clip", min=0.1),
            "clip_fit": ui.select(["auto", "scale", "letterbox", "keep"], label="fit"),
            "deal_out": ui.select(
                {"at once": "automatically", "on request": "after I have seen the plan"},
                label="create tasks",
            ),
        }
        for name, field in fields.items():
            field.classes("w-44").mark(f"option-{name}").value = getattr(own, name)

    def chosen() -> dict[str, Any]:
        return {name: field.value for name, field in fields.items() if field.value != getattr(settings, name)}

    return chosen


def known_ontologies(settings: Settings) -> dict[str, str]:
    """What a batch may be labelled with: shipped ones, the configured one, and versions published here."""
    own = {
        path: f"{one.name} {one.version}" for path, one in published(settings.home_dir / "ontologies").items()
    }
    return {name: name for name in dict.fromkeys([settings.ontology, *ontology_names()])} | own


def known_detectors(settings: Settings) -> list[str]:
    """What may look at a batch: the configured one, also where its package is gone, and all that there are."""
    return list(dict.fromkeys([settings.detector, *detector_names()]))


async def _upload(visit: Visit) -> None:
    theme.heading("Upload")
    ui.label(
        "Choose a zip of videos, single videos, or a dense_proposals.pkl with its frames.zip. To resume an "
        "interrupted upload, choose the same file again."
    ).classes("soft")
    finished: dict[str, str] = {}
    uploads = uploads_of(visit.console.settings, visit.user.username)
    await _quota(visit, uploads)

    def uploaded(names: dict[str, str]) -> None:
        finished.clear()
        finished.update(names)
        add.set_enabled(bool(finished))

    proposed = ""

    def propose(files: list[str]) -> None:
        """The first chosen file names the batch, as long as nobody has typed another name."""
        nonlocal proposed
        if name.value in ("", None, proposed):
            wanted = batch_name_for(Path(files[0]).with_suffix("")) if files else ""
            name.value = proposed = free_name(visit.console.store, wanted) if files else ""

    Uploader(uploaded, propose, UPLOADED)
    name = (
        ui.input("Name of the batch", placeholder="from the file name").classes("w-full").mark("batch-name")
    )
    options = options_form(visit.console.settings)

    async def register() -> None:
        chosen, wanted = options(), (name.value or "").strip()

        def take() -> str:
            with uploads.taken(dict(finished)) as path:
                return _add(visit, path, wanted, chosen)

        keys, names = [f"add {key}" for key in finished], ", ".join(finished.values())
        batch = await add.once(keys, names, [], lambda: asyncio.to_thread(take))
        ui.navigate.to(addresses.batch(batch))

    add = AskButton(visit, "Add batch", icon="add").mark("add-batch")
    add.wire(register)
    add.set_enabled(False)


async def _quota(visit: Visit, uploads: Uploads) -> None:
    """How much may be uploaded before it becomes a batch; what was never finished can be discarded."""
    used = await asyncio.to_thread(uploads.used)
    taken, quota = gigabytes(used), gigabytes(uploads.quota.person)
    with ui.row().classes("items-center"):
        ui.label(f"Uploads that are not yet a batch use {taken} of your {quota}.").classes("soft")
        if not used:
            return

        async def discard() -> None:
            with theme.asking("Discard all your uploads that are not yet a batch?", "Discard") as dialog:
                ui.label("Uploads in progress start over.")
            if await dialog:
                await asyncio.to_thread(uploads.discard_all)
                await visit.note("discard uploads", "", bytes=used)
                ui.navigate.reload()

        ui.button("Discard them", on_click=visit.action("admin", discard)).props("flat").mark("discard")


async def _inbox(visit: Visit) -> None:
    theme.heading("Inbox")
    folder = visit.console.settings.inbox_dir
    taken = {Path(path) for path in await asyncio.to_thread(batch_store.source_paths, visit.console.store)}
    items = [p for p in sorted(folder.iterdir()) if not p.name.startswith(".")] if folder.is_dir() else []
    waiting = [path for path in items if path not in taken and not path.name.endswith(".part")]
    ui.label(
        f"Files in {folder} become a batch automatically once they have been copied completely."
    ).classes("soft")
    if not waiting:
        ui.label("Nothing waits.")
        return
    item = ui.select({str(path): path.name for path in waiting}, label="waiting").classes("w-full")
    options = options_form(visit.console.settings)

    async def register() -> None:
        if not item.value:
            return
        path, chosen = Path(item.value), options()

        async def take() -> str:
            return await asyncio.to_thread(_add, visit, path, "", chosen)

        ui.navigate.to(addresses.batch(await add.once([f"add {path}"], path.name, [], take)))

    add = AskButton(visit, "Add with these options")
    add.wire(register)


def _add(visit: Visit, path: Path, name: str, options: dict[str, Any]) -> str:
    batch = add_to_inbox(visit.console.settings, visit.console.store, path, name=name, options=options)
    audit_log.note(
        visit.console.store, visit.user.username, "add batch", batch, source=path.name, options=options
    )
    return batch


def _process(visit: Visit, table: DataTable) -> None:
    with ui.row().classes("items-center"):
        stage = ui.select(list(STAGES), value=next(iter(STAGES)), label="process again").classes("w-64")

        button = AskButton(visit, "Process", icon="play_arrow")

        async def process() -> None:
            names = table.selected["batch"].to_list()
            if not names:
                ui.notify("Select batches first.")
                return
            with theme.asking(
                f"Make {stage.value} of {plural(len(names), 'batch')} again?", "Process"
            ) as dialog:
                ui.label(
                    "Everything that depends on it is updated too. Tasks in CVAT are never created twice."
                )
            if await dialog:
                number = await button.process(names, STAGES[stage.value])
                ui.notify(f"Backfill {number} started; the overview shows its runs.")

        button.wire(process)
