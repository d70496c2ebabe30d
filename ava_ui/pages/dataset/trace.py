"""Where a row of a release comes from: votes, annotators, jobs, clip, source video, frame."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import polars as pl
from nicegui import ui

from ava_core.base.errors import InputError
from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, BOX_COLUMNS, CLIP_FPS
from ava_core.base.text import plural
from ava_core.dataset.export import lineage
from ava_core.dataset.export.folders import fetched_folder
from ava_core.dataset.export.releases import release_folder
from ava_core.dataset.formats.ava import names
from ava_ui import addresses
from ava_ui.elements.data_table import REMEMBER, DataTable, shown
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit

Row = dict[str, Any]

ROW_LABELS: Final = {
    "row": "row", "person_id": "person", "action": "action", "group": "group", "votes": "votes", "voters": "of",
    "posterior": "posterior", "rule": "rule", "box_votes": "boxes", "box_voters": "of ", "box_iou": "mean IoU",
    "box_rule": "box rule",
}  # fmt: skip

FIGURES: Final = {"posterior": pl.Float64, "box_iou": pl.Float64}
"""Columns that may be undefined in every row."""

RATING_LABELS: Final = {
    "person_id": "person", "group": "group", "annotator": "annotator", "said": "said", "edited": "box",
    "task_id": "task", "job_id": "job", "version": "reading", "track_key": "track", "counted": "counted",
}  # fmt: skip


def trace_form(visit: Visit, name: str) -> None:
    """A video and a timestamp, or a row by its line; what the address asks for is answered at once."""
    theme.heading("Where does a row come from?")
    ui.element("a").props("id=trace")
    asked = visit.query
    with ui.row().classes("items-start"):
        video = ui.input("clip (video_id)", value=asked.get("video", "")).classes("w-72").mark("trace-video")
        timestamp = _whole("timestamp", asked.get("timestamp", ""), "0903").mark("trace-timestamp")
        person = _whole("person", asked.get("person", ""), "all").mark("trace-person")
        ui.label("or").classes("soft self-center")
        row = (
            ui.input("row", value=asked.get("row", ""), placeholder="train:12, or a line from the CSV")
            .classes("w-72")
            .mark("trace-row")
        )
        button = (
            ui.button("Trace", icon="travel_explore").props("outline").classes("self-center").mark("trace")
        )
    place = ui.column().classes("w-full")

    async def trace() -> None:
        if not (timestamp.validate() and person.validate()):
            raise InputError("Nothing was traced: a field is not valid.", "Fix the fields marked in red.")
        given = [(field.value or "").strip() for field in (video, timestamp, person, row)]

        async def show() -> None:
            found = await asyncio.to_thread(traced, visit, name, *given)
            _show(name, found, visit.console.releases.action_names(name))

        await theme.fill(place, show)
        _remember(dict(zip(("video", "timestamp", "person", "row"), given, strict=True)))

    button.on_click(visit.action("viewer", trace))
    if asked.get("row") or (asked.get("video") and asked.get("timestamp")):
        ui.timer(0.1, visit.action("viewer", trace), once=True)


def traced(visit: Visit, name: str, video: str, timestamp: str, person: str, row: str) -> list[Row]:
    """The lineage of the rows that are meant. Raises `InputError` where none is."""
    storage = visit.console.storage
    if not row and not (video and timestamp):
        raise InputError("The row is ambiguous.", "Enter a clip and a timestamp, or a row.")
    with fetched_folder(storage, release_folder(storage, name), only=names.LINEAGE) as folder:
        if row:
            return [lineage.trace(folder, row)]
        return lineage.trace_at(folder, video, int(timestamp), int(person) if person else None)


def _whole(label: str, value: str, example: str) -> ui.input:
    def problem(text: str | None) -> str | None:
        plain = (text or "").strip()
        good = not plain or (plain.isascii() and plain.isdigit() and len(plain) < 6)
        return None if good else f"Enter a whole number, such as {example if example.isdigit() else 3}."

    return ui.input(label, value=value, placeholder=example, validation=problem).classes("w-32")


def _show(name: str, rows: list[Row], actions: dict[int, str]) -> None:
    first = rows[0]
    batch, clip, second = first["batch"], first["video_id"], first["timestamp"] - AVA_TIMESTAMP_OFFSET
    jobs = addresses.progress(batch, clip=clip)
    with ui.row().classes("no-wrap items-start w-full"):
        _picture(name, rows)
        with ui.column():
            ui.label(f"{clip} at {first['timestamp']:04d}: {plural(len(rows), 'row')}").classes(
                "text-weight-bold"
            )
            ui.label(
                f"Second {shown(first['source_second'])} of {first['original_name']}, "
                f"frame {second * CLIP_FPS} of the clip"
            )
            ui.label(f"Source video's SHA-256: {first['source_sha256']}").classes("soft")
            ui.label(f"Approved by {shown(first['approved_by'])}, {str(shown(first['approved_at']))[:16]}")
            with ui.row():
                ui.link("Review the clip here", addresses.review(batch, clip, second * CLIP_FPS))
                ui.link("Clip with its tracks", addresses.clip(batch, clip))
                ui.link("batch", addresses.batch(batch))
                ui.link("jobs", jobs)
    said = [
        one | {"row": f"{one['split']}:{one['line']}", "action": _named(one["action_id"], actions)}
        for one in rows
    ]
    DataTable(_frame(said, ROW_LABELS), labels=ROW_LABELS, file=f"{name}_trace")
    ui.label("Each annotator's answer").classes("text-weight-bold")
    ratings = {
        (one["person_id"], one["group"], rating["job_id"]): rating
        | {
            "person_id": one["person_id"], "group": one["group"], "edited": _box(rating["edited"]),
            "said": ", ".join(_named(each, actions) for each in rating["action_ids"]) or "none of the group",
        }
        for one in rows for rating in one["ratings"] or []
    }  # fmt: skip
    DataTable(
        _frame(list(ratings.values()), RATING_LABELS), labels=RATING_LABELS, file=f"{name}_ratings",
        links={"annotator": addresses.annotators(batch), "job_id": jobs, "task_id": jobs},
    )  # fmt: skip


def _picture(name: str, rows: list[Row]) -> None:
    """The keyframe with the boxes of the rows' persons; boxes are shares of the picture."""
    with ui.element("div").classes("traced"):
        address = addresses.release_picture(name, rows[0]["picture"])
        ui.element("img").props(f'src="{address}" alt="The keyframe with its boxes"')
        for person, (x1, y1, x2, y2) in {
            row["person_id"]: [row[side] for side in BOX_COLUMNS] for row in rows
        }.items():
            with ui.element("div").style(
                f"left: {x1:.2%}; top: {y1:.2%}; width: {x2 - x1:.2%}; height: {y2 - y1:.2%}"
            ):
                ui.label(str(person))


def _frame(rows: list[Row], labels: dict[str, str]) -> pl.DataFrame:
    """The columns of `labels`; figures stay figures where all are undefined."""
    schema = {name: FIGURES.get(name) for name in labels}
    return pl.DataFrame([{name: row[name] for name in labels} for row in rows], schema=schema)


def _named(action_id: int, actions: dict[int, str]) -> str:
    return actions.get(action_id, str(action_id))


def _box(edited: bool | None) -> str:
    return {True: "edited", False: "untouched", None: "none"}[edited]


def _remember(query: dict[str, str]) -> None:
    """Put what was asked into the page's address, so that a reload and a link sent on ask it again."""
    ui.run_javascript(REMEMBER % json.dumps(query))
