"""One release: what it holds, its card, its files, whether it keeps the rules, and where its rows come from."""

from __future__ import annotations

import asyncio
from typing import Final

import polars as pl
from nicegui import ui

from ava_core.dataset.export.releases import ReleaseInfo, release_folder, release_info, releases
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.names import SPLITS
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.elements.class_bars import class_bars
from ava_ui.elements.data_table import DataTable
from ava_ui.elements.json_tree import json_tree
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.release_contents import Contents, readable
from ava_ui.pages.dataset.trace import trace_form
from ava_ui.pages.dataset.validation import validation
from ava_ui.web.release_card import shown_card

CHART_CLASSES: Final = 40
"""Classes that the chart shows; the table below lists all."""
HASH_SHOWN: Final = 16
"""Digits of a file's hash; `release.json` has all of them."""
LEFT_OUT_SHOWN: Final = 5
"""Clips left out that are named at the top; the card lists all."""
BATCHES_SHOWN: Final = 12
"""Batches that are named at the top; the table of splits lists all."""

PARTS: Final = {
    "classes": "classes", "splits": "splits", "clips": "clips", "rules": "validation", "trace": "trace a row",
    "files": "files", "card": "dataset card", "record": "record",
}  # fmt: skip
"""Parts of the page by anchor."""

CLIP_LABELS: Final = {
    "video_id": "clip", "split": "split", "batch": "batch", "original_name": "source video", "start_s": "from (s)",
    "duration_s": "seconds", "persons": "persons", "rows": "labels", "trace": "",
}  # fmt: skip


async def content(visit: Visit) -> None:
    """Everything about one release."""
    name, storage = visit.params["release"], visit.console.storage
    info = await asyncio.to_thread(release_info, storage, name)
    found = await asyncio.to_thread(visit.console.releases.contents, name)
    size = _downloads(visit, info, [one.name for one in await asyncio.to_thread(releases, storage)])
    _made(info)
    _left_out(info)
    if found is not None:
        _facts(name, found)
    with ui.row():
        for anchor, title in PARTS.items():
            ui.link(title, addresses.here({}, anchor))
    if found is None:
        ui.label(f"{names.MANIFEST} or {names.LINEAGE} is missing, so the counts are unknown.").classes(
            "soft"
        )
    else:
        theme.later(visit, lambda: _tables(name, found))
    validation(visit, name)
    trace_form(visit, name)
    _part("files", "Files")
    theme.later(visit, lambda: _files(visit, name, size))
    _card(visit, name)
    _part("record", "Record")
    with ui.expansion(names.RECORD, icon="data_object").classes("w-full") as record:
        inside = ui.column().classes("w-full")

    def unfold() -> None:
        # Made when somebody opens it: it may be long.
        if record.value and not inside.default_slot.children:
            with inside:
                json_tree({key: value for key, value in info.record.items() if key != "files"})

    record.on_value_change(unfold)


def _tables(name: str, found: Contents) -> None:
    """Classes, splits and clips."""
    _classes(name, found)
    _splits(name, found)
    _clips(name, found)


def _downloads(visit: Visit, info: ReleaseInfo, known: list[str]) -> ui.label:
    """Links to what is taken home, and a choice of what to compare with; returns where the zip's size goes."""
    others = [name for name in known if name != info.name]

    def compare(other: str) -> None:
        older_first = (
            (other, info.name) if known.index(other) > known.index(info.name) else (info.name, other)
        )
        ui.navigate.to(addresses.comparison(*older_first))

    with ui.row().classes("items-center"):
        ui.link(names.ALL_ROWS, addresses.release_csv(info.name))
        ui.link("zip of everything", addresses.release_zip(info.name))
        size = ui.label().classes("soft").mark("zip-size")
        if others:
            act = visit.action("viewer", compare)
            ui.select(others, label="compare with", on_change=lambda event: act(event.value)).props(
                "dense"
            ).classes("w-48").mark("compare-with")
    return size


def _made(info: ReleaseInfo) -> None:
    record = info.record
    ontology = record.get("ontology", {})
    who = f" by {info.actor}" if info.actor else ""
    with ui.row().classes("soft"):
        ui.label(
            f"Made {info.made_at:%Y-%m-%d %H:%M} UTC{who} with {record.get('made_by', 'an unknown version')}."
        )
        if ontology:
            ui.link(f"Ontology {ontology['name']} {ontology['version']}", addresses.ONTOLOGY)
            ui.label(f"digest {ontology['digest']}")
        batches = list(record.get("batches", {}))
        ui.label("Batches:")
        for batch in batches[:BATCHES_SHOWN]:
            ui.link(batch, addresses.batch(batch))
        if len(batches) > BATCHES_SHOWN:
            ui.link(f"and {len(batches) - BATCHES_SHOWN} more", addresses.here({}, "splits"))


def _left_out(info: ReleaseInfo) -> None:
    """Clips that the release goes without, at the top: nobody should have to look for them."""
    lost = list(info.record.get("left_out", {}).items())
    for clip, reason in lost[:LEFT_OUT_SHOWN]:
        ui.label(f"Clip {clip} is excluded: {reason}.").classes("text-warning")
    if len(lost) > LEFT_OUT_SHOWN:
        ui.link(
            f"{len(lost) - LEFT_OUT_SHOWN} more clips are excluded: see the card", addresses.here({}, "card")
        )


def _facts(name: str, found: Contents) -> None:
    videos, labels = found.videos, int(found.classes["labels"].sum())
    splits = {split: videos.filter(pl.col("split") == split).height for split in SPLITS}
    clips = {f"clips in {split}": _clips_where(name, "split", split) for split in SPLITS}
    theme.facts(
        {"source videos": videos["source_id"].n_unique(), "clips": videos.height, "labels": labels,
         "persons": int(videos["persons"].sum()), "classes": found.classes.height}
        | {f"clips in {split}": number for split, number in splits.items()},
        {"source videos": addresses.here({}, "splits"), "clips": addresses.here({}, "clips"),
         "labels": addresses.here({}, "classes"), "persons": addresses.here({}, "clips"),
         "classes": addresses.here({}, "classes")} | clips,
    )  # fmt: skip


def _clips_where(name: str, part: str, value: addresses.Part) -> str:
    """The table of clips, narrowed down."""
    return addresses.here({f"{_table(name, 'clips')}.{part}": value}, "clips")


def _classes(name: str, found: Contents) -> None:
    _part("classes", "Labels by class")
    first = found.classes.head(CHART_CLASSES)
    with ui.card().classes("w-full"):
        class_bars(first)
        if found.classes.height > CHART_CLASSES:
            ui.label(f"The {CHART_CLASSES} classes with most labels; the table lists all.").classes("soft")
    DataTable(
        found.classes, file=_table(name, "classes"),
        labels={"action_id": "id", "name": "class", **{split: split for split in SPLITS}, "labels": "labels"},
    )  # fmt: skip


def _splits(name: str, found: Contents) -> None:
    _part("splits", "Splits by source video")
    DataTable(
        found.sources, file=_table(name, "splits"), facets=("split",),
        labels={"split": "split", "source_id": "source video", "original_name": "file", "batch": "batch",
                "clips": "clips", "rows": "labels", "seconds": "seconds"},
        links={"batch": addresses.BATCH, "original_name": addresses.batch(cell("batch"), "videos"),
               "clips": _clips_where(name, "filter", cell("source_id"))},
    )  # fmt: skip


def _clips(name: str, found: Contents) -> None:
    _part("clips", "Clips")
    DataTable(
        found.videos.with_columns(trace=pl.lit("trace")), file=_table(name, "clips"), facets=("split", "batch"),
        labels=CLIP_LABELS,
        links={"video_id": addresses.review(cell("batch"), cell("video_id")), "batch": addresses.BATCH,
               "trace": addresses.here({"video": cell("video_id")}, "trace")},
    )  # fmt: skip


def _card(visit: Visit, name: str) -> None:
    card = release_folder(visit.console.storage, name) / names.CARD
    if card.exists():
        _part("card", "Dataset card")
        with ui.card().classes("w-full"):
            # "code-friendly": an underscore within a name makes nothing slanted.
            extras = ["tables", "code-friendly"]
            text = shown_card(card.read_text("utf-8"), name)
            theme.later(visit, lambda: ui.markdown(text, extras=extras).classes("dataset-card"))


async def _files(visit: Visit, name: str, size: ui.label) -> None:
    found = await asyncio.to_thread(visit.console.releases.files, name)
    size.set_text(readable(found.bytes))
    pictures = [f"{folder}/: {number} ({readable(total)})" for folder, number, total in found.pictures.rows()]
    if pictures:
        ui.label(f"The zip contains these pictures: {', '.join(pictures)}.").classes("soft")
    DataTable(
        found.single.with_columns(kb=pl.col("bytes") / 1000, sha256=pl.col("sha256").str.head(HASH_SHOWN)),
        file=_table(name, "files"), labels={"path": "file", "kb": "kB", "sha256": "SHA-256 begins"},
        links={"path": addresses.release_file(name, cell("path"))},
    )  # fmt: skip


def _part(anchor: str, title: str) -> None:
    theme.heading(title)
    ui.element("a").props(f"id={anchor}")


def _table(name: str, part: str) -> str:
    return f"{name}_{part}"
