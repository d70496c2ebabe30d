"""One batch: its videos with what was refused and why, its clips, its runs."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import polars as pl
from nicegui import ui

from ava_core.base.schemas import USABLE
from ava_core.operations.needs import behind, in_words
from ava_core.store import batch_needs, batches, tasks
from ava_core.video.outcome import WORTH_A_WARNING, clips_without_people, outcome_of
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.elements.ask_button import AskButton
from ava_ui.elements.data_table import DataTable, shown
from ava_ui.elements.runs_panel import RunsPanel
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.pages.operations.overview import links
from ava_ui.pages.quality.queue import BATCH_LABELS, PARTS
from ava_ui.pages.video.archiving import archiving
from ava_ui.pages.video.batches import FORM_OPTIONS, STAGES, options_form
from ava_ui.pages.video.removal import removal

CLIPS_SHOWN: Final = 48

VIDEO_LABELS: Final = {
    "original_name": "file", "status": "status", "reason": "reason", "duration_s": "seconds", "fps": "fps",
    "width": "width", "height": "height", "codec": "codec",
}  # fmt: skip


async def content(visit: Visit) -> None:
    """Everything about one batch."""
    name, console = visit.params["batch"], visit.console
    found = await asyncio.to_thread(batches.get, console.store, name)
    counts = (await asyncio.to_thread(console.counts.overview.counts, name))[name]
    theme.facts(counts, links(name))
    with ui.row():
        ui.link("review queue", addresses.quality(name))
        for part, address in PARTS.items():
            ui.link(BATCH_LABELS[part], address(name))
        ui.link("jobs", addresses.progress(name))
        if found.archived_at is None:
            ui.link("deal out", addresses.tasks(name))
    options = ", ".join(f"{key} = {value}" for key, value in found.options.items()) or "none"
    ui.label(f"From {found.source_path} · options: {options}").classes("soft")
    archived = found.archived_at is not None
    if archived:
        ui.label("Archived: hidden from lists, and it gets no new tasks or runs.").classes("warn")
    elif visit.may("admin"):
        _process(visit, name)
    await _waits(visit, name)
    RunsPanel(visit, name)
    _videos(visit, name)
    _clips(visit, name)
    theme.heading("Runs")
    theme.later(visit, lambda: _runs(visit, name))
    if visit.may("admin"):
        with ui.row():
            archiving(visit, name, archived=archived)
            removal(visit, name, archived=archived)


async def _waits(visit: Visit, name: str) -> None:
    """What is behind in the batch, and why it does not come on by itself where its last run failed."""
    for said in (await asyncio.to_thread(behind, visit.console.store, name)).values():
        ui.label(said).classes("soft").mark("behind")
    row = (await asyncio.to_thread(batch_needs.known, visit.console.store)).get(name)
    if row is not None and (said := in_words(row, time.time())):
        ui.label(said).classes("bad" if row.next_at is None else "warn").mark("waits")


def _process(visit: Visit, name: str) -> None:
    with ui.row().classes("items-center"):
        stage = ui.select(list(STAGES), value=next(iter(STAGES)), label="process").classes("w-64")

        button = AskButton(visit, "Process", icon="play_arrow").mark("process")

        async def process() -> None:
            await button.process([name], STAGES[stage.value])
            ui.notify("Started; it appears below in a moment.")

        button.wire(process)
    store, settings = visit.console.store, visit.console.settings
    if tasks.tasks_of(store, name):
        ui.label("This batch has tasks, so its options can no longer change.").classes("soft")
        return
    options = options_form(settings, visit.console.batch_settings(name))

    async def save() -> None:
        chosen = options()
        settings.with_options(chosen)
        await asyncio.to_thread(batches.set_options, store, name, chosen, without=FORM_OPTIONS)
        await visit.note("set options", name, **chosen)
        ui.notify("Saved. Results made with other options stay until you process the batch again.")

    ui.button("Save options", on_click=visit.action("admin", save)).props("flat").mark("keep-options")


def _videos(visit: Visit, name: str) -> None:
    theme.heading("Source videos")
    ui.element("a").props("id=videos")
    videos = visit.console.tables.table(name, "source_videos")
    if videos is None:
        theme.empty("Not added yet.", "The running platform does this automatically; see the runs below.")
        return
    refused = videos.filter(~USABLE)
    for row in refused.iter_rows(named=True):
        ui.label(f"{row['original_name']}: {row['status']}, {row['reason']}").classes("bad")
    DataTable(videos, labels=VIDEO_LABELS, file=f"{name}_source_videos", facets=["status"])


def _clips(visit: Visit, name: str) -> None:
    theme.heading("Clips")
    ui.element("a").props("id=clips")
    clips = visit.console.tables.table(name, "clips")
    if clips is None:
        theme.empty("Not cut yet.", "Clips appear once the source videos have been processed.")
        return
    _outcome(visit, name, clips)
    DataTable(
        clips, file=f"{name}_clips", links={"clip_id": addresses.CLIP},
        labels={"clip_id": "clip", "source_id": "source", "start_s": "from (s)", "duration_s": "seconds",
                "frames": "frames", "width": "width", "height": "height"},
    )  # fmt: skip
    theme.later(visit, lambda: _pictures(visit, name, clips))


def _outcome(visit: Visit, name: str, clips: pl.DataFrame) -> None:
    """How much of the video the clips hold, and what is wrong."""
    if outcome := outcome_of(visit.console.batch(name)):
        worth_a_look = outcome.lost_share >= WORTH_A_WARNING
        ui.label(outcome.sentence).classes("warn" if worth_a_look else "soft").mark("outcome")
        for complaint in outcome.complaints:
            ui.label(complaint).classes("bad")
    tracks = visit.console.tables.table(name, "tracks")
    if tracks is not None and (empty := clips_without_people(clips, tracks)):
        ui.label(f"No people were found in {empty} of {clips.height} clips.").classes("warn")


def _pictures(visit: Visit, name: str, clips: pl.DataFrame) -> None:
    """A picture of each clip, and of their tracks where somebody asks for it."""
    with ui.element("div").classes("grid"):
        for row in clips.sort("clip_id").head(CLIPS_SHOWN).iter_rows(named=True):
            second = int(row["duration_s"] // 2)
            picture = addresses.keyframe(name, row["clip_id"], second)
            with ui.link(target=addresses.clip(name, row["clip_id"])).classes("cell"):
                ui.element("img").props(f'src="{picture}" loading=lazy alt="{row["clip_id"]}"')
                ui.label(row["clip_id"])
    if clips.height > CLIPS_SHOWN:
        ui.label(f"The first {CLIPS_SHOWN} of {clips.height}; the table lists all.").classes("soft")
    if visit.console.tables.table(name, "tracks") is not None:
        with ui.expansion("Contact sheet with tracks", icon="grid_view").classes("w-full") as sheet:
            place = ui.column().classes("w-full")

        def draw() -> None:
            # Made when somebody wants to see it: it takes a look at every clip's picture.
            if sheet.value and not place.default_slot.children:
                with place:
                    ui.element("img").props(
                        f'src="{addresses.contact_sheet(name)}" alt="Contact sheet of {name}"'
                    ).classes("w-full")

        sheet.on_value_change(draw)


async def _runs(visit: Visit, name: str) -> None:
    runs = await visit.console.dagster.runs(batch=name)
    if not runs:
        ui.label("No runs yet.").classes("soft")
        return
    table = pl.DataFrame({
        "run": [run.run_id[:8] for run in runs],
        "id": [run.run_id for run in runs],
        "status": [run.status.lower() for run in runs],
        "makes": [", ".join(run.assets) for run in runs],
        "began": [shown(run.created_at) for run in runs],
        "seconds": [run.seconds for run in runs],
    })  # fmt: skip
    DataTable(
        table, facets=["status"], labels={n: n for n in ("run", "status", "makes", "began", "seconds")},
        links={"run": addresses.run(cell("id"))}, file=f"{name}_runs",
    )  # fmt: skip
