"""What changed from one release to another: by class, by clip, by label."""

from __future__ import annotations

import asyncio
from typing import Final

import polars as pl
from nicegui import ui

from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, CLIP_FPS
from ava_core.dataset.export.diff import Diff, diff_releases
from ava_core.dataset.export.folders import fetched_folder
from ava_core.dataset.export.releases import release_folder
from ava_core.dataset.formats.ava import names
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.elements.data_table import DataTable
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.release_contents import ReleaseContents

CHANGES: Final = {
    "clips added": ("clips", "added"), "clips removed": ("clips", "removed"),
    "clips moved": ("clips", "moved"), "clips relabelled": ("clips", "relabelled"),
    "labels added": ("labels", "added"), "labels removed": ("labels", "removed"),
    "boxes moved": ("labels", "box moved"),
}  # fmt: skip
"""Figures, and the table and kind of change of `export.diff` that each counts."""


async def content(visit: Visit) -> None:
    """Facts, classes, clips, labels; large releases take a moment."""
    before, after = visit.params["release"], visit.params["other"]
    for name in (before, after):
        release_folder(visit.console.storage, name)
    with ui.row():
        ui.label("What changed from").classes("soft")
        ui.link(before, addresses.release(before))
        ui.label("to").classes("soft")
        ui.link(after, addresses.release(after))
        ui.link("Swap", addresses.comparison(after, before))

    async def show() -> None:
        _show(before, after, await asyncio.to_thread(difference, visit.console.releases, before, after))

    theme.later(visit, show)


def difference(known: ReleaseContents, before: str, after: str) -> Diff:
    """`diff_releases` of two releases by name; clips and labels with their `batch`, labels with `action`, `frame`."""
    storage = known.storage
    folders = [release_folder(storage, name) for name in (before, after)]
    with (
        fetched_folder(storage, folders[0], only=names.ANNOTATIONS) as old,
        fetched_folder(storage, folders[1], only=names.ANNOTATIONS) as new,
    ):
        found = diff_releases(old, new)
    batches = _batches(known, before) | _batches(known, after)
    actions = known.action_names(before) | known.action_names(after)
    batch = pl.col("video_id").replace_strict(batches, default=None, return_dtype=pl.String).alias("batch")
    action = pl.col("action_id").replace_strict(actions, default="", return_dtype=pl.String)
    frame = (pl.col("timestamp").cast(pl.Int64) - AVA_TIMESTAMP_OFFSET) * CLIP_FPS
    return Diff(
        found.classes.with_columns(difference=pl.col("after") - pl.col("before")),
        found.clips.with_columns(batch),
        found.labels.with_columns(batch, action=action, frame=frame),
    )


def _batches(known: ReleaseContents, name: str) -> dict[str, str]:
    videos = known.manifest(name)
    return {} if videos is None else dict(videos.select("video_id", "batch").rows())


def _show(before: str, after: str, found: Diff) -> None:
    if found.is_empty:
        theme.empty("No differences.", "Both have the same clips, splits, labels and boxes.")
        return
    file = f"{before}_{after}"
    tables = {"clips": found.clips, "labels": found.labels}
    theme.facts(
        {
            name: tables[part].filter(pl.col("change") == change).height
            for name, (part, change) in CHANGES.items()
        },
        {
            name: addresses.here({f"{file}_{part}.change": change}, part)
            for name, (part, change) in CHANGES.items()
        },
    )
    known = found.labels["batch"].null_count() + found.clips["batch"].null_count() == 0
    clip, frame = (cell("batch"), cell("video_id")), cell("frame")
    theme.heading("Labels by class")
    DataTable(
        found.classes, file=f"{file}_classes",
        labels={"action_id": "id", "name": "class", "before": before, "after": after, "difference": "difference"},
    )  # fmt: skip
    theme.heading("Clips")
    ui.element("a").props("id=clips")
    DataTable(
        found.clips, file=f"{file}_clips", facets=("change",),
        labels={"video_id": "clip", "batch": "batch", "change": "change", "split_before": f"split in {before}",
                "split_after": f"split in {after}", "before": f"labels in {before}", "after": f"labels in {after}"},
        links={"video_id": addresses.review(*clip), "batch": addresses.BATCH} if known else None,
    )  # fmt: skip
    theme.heading("Labels")
    ui.element("a").props("id=labels")
    DataTable(
        found.labels, file=f"{file}_labels", facets=("change", "action"),
        labels={"video_id": "clip", "timestamp": "timestamp", "person_id": "person", "action_id": "id",
                "action": "class", "change": "change"},
        links=dict.fromkeys(("video_id", "timestamp"), addresses.review(*clip, frame)) if known else None,
    )  # fmt: skip
