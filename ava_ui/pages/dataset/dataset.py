"""Releases; what the next one would hold, what is missing and why; making it."""

from __future__ import annotations

import asyncio
from typing import Final

import polars as pl
from nicegui import ui

from ava_core.base.errors import InputError
from ava_core.dataset.export.outlook import outlook
from ava_core.dataset.export.outlook_tables import read_outlook
from ava_core.dataset.formats.ava import names
from ava_core.store import imported_work
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.elements.data_table import DataTable
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.console import Console
from ava_ui.pages.dataset.form import release_form

LABELS: Final = {
    "batch": "batch", "clips": "clips", "approved": "approved", "waiting": "waiting", "rejected": "rejected",
    "unannotated": "not annotated", "in_consensus": "in consensus", "labels": "labels",
    "disputed": "disputed seconds", "ready": "included", "missing": "missing",
}  # fmt: skip

LINKS: Final = {
    "batch": addresses.BATCH,
    "clips": addresses.batch(cell("batch"), "clips"),
    "approved": addresses.quality(cell("batch"), "approved"),
    "waiting": addresses.quality(cell("batch"), "pending"),
    "rejected": addresses.quality(cell("batch"), "rejected"),
    "unannotated": addresses.progress(cell("batch")),
    "in_consensus": addresses.quality(cell("batch"), "approved"),
    "labels": addresses.AGREEMENT,
    "disputed": addresses.ADJUDICATION,
}

RELEASE_LABELS: Final = {
    "name": "release", "made_at": "made (UTC)", "actor": "by", "batches": "batches", "sources": "source videos",
    "clips": "clips", "rows": "labels", "note": "note", "csv": "csv", "zip": "everything",
}  # fmt: skip


async def content(visit: Visit) -> None:
    """Content of the next release, its options, and the ones there are."""
    inside, sources = await asyncio.to_thread(next_release, visit.console)
    theme.heading("Ready for release")
    if inside.is_empty():
        theme.empty("No batches yet.", "Add a batch first.", addresses.BATCHES, "Batches")
    else:
        _inside(inside, sources)
        if visit.may("admin"):
            imported = await asyncio.to_thread(imported_work.batches_of, visit.console.store)
            ready = {
                name: f"{name} (imported)" if name in imported else name
                for name in inside.filter("ready")["batch"]
            }
            release_form(visit, ready, sources["source_id"].to_list())
    _releases(visit, await asyncio.to_thread(visit.console.releases.table))


def next_release(console: Console) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`outlook.OUTLOOK`, and the source videos of which something goes in: `batch, source_id`."""
    batches, clips = read_outlook(console.storage, console.store, console.decisions.all())
    inside = outlook(batches, clips)
    ready = pl.col("batch").is_in(inside.filter("ready")["batch"].implode())
    used = clips.filter(ready, pl.col("status") == "approved", pl.col("boxes") > 0)
    return inside, used.select("batch", "source_id").unique().sort("source_id")


def _inside(inside: pl.DataFrame, sources: pl.DataFrame) -> None:
    ready = inside.filter("ready")
    counts = {
        "clips": ready["in_consensus"],
        "labels": ready["labels"],
        "disputed seconds": ready["disputed"],
    }
    theme.facts(
        {"batches": f"{ready.height} of {inside.height}", "source videos": sources.height}
        | {name: int(values.sum()) for name, values in counts.items()},
        {
            "batches": addresses.here({"next_release.ready": "true"}),
            "clips": addresses.quality(status="approved"),
            "labels": _sorted_by("labels"),
            "disputed seconds": _sorted_by("disputed"),
        },
    )
    DataTable(inside, labels=LABELS, links=LINKS, file="next_release", facets=("ready",))


def _sorted_by(column: str) -> str:
    return addresses.here({"next_release.sort": column, "next_release.order": "down"})


def _releases(visit: Visit, made: pl.DataFrame) -> None:
    theme.heading("Releases")
    if made.is_empty():
        theme.empty(
            "No releases yet.", "Approve clips, then create a release.", addresses.QUALITY, "Review clips"
        )
        return
    name = cell("name")
    table = DataTable(
        made.with_columns(csv=pl.lit(names.ALL_ROWS), zip=pl.lit("zip")),
        labels=RELEASE_LABELS, file="releases", selectable=made.height > 1,
        links={"name": addresses.release(name), "batches": addresses.release(name, "splits"),
               "sources": addresses.release(name, "splits"), "clips": addresses.release(name, "clips"),
               "rows": addresses.release(name, "classes"), "csv": addresses.release_csv(name),
               "zip": addresses.release_zip(name)},
    )  # fmt: skip

    def compare() -> None:
        chosen = table.selected.sort("made_at", "name")["name"].to_list()
        if len(chosen) != 2:
            raise InputError(f"Releases selected: {len(chosen)}.", "Select exactly two, then compare them.")
        ui.navigate.to(addresses.comparison(*chosen))

    if made.height > 1:
        ui.button(
            "Compare the selected two", icon="compare_arrows", on_click=visit.action("viewer", compare)
        ).props("flat no-caps").mark("compare")
