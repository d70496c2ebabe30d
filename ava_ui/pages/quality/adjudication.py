"""Answers that are most likely wrong, one after the other: an expert says what holds, by key or by click."""

from __future__ import annotations

import asyncio
from typing import Any

import polars as pl
from nicegui import ui

from ava_core import decisions
from ava_core.base.schemas import CLIP_FPS
from ava_core.base.text import plural
from ava_core.decisions import PRESENCE
from ava_core.quality.agreement.stretches import stretches
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.elements.clip_player import ClipPlayer
from ava_ui.elements.data_table import DataTable
from ava_ui.elements.decided import Decided, Seen
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known import drafts
from ava_ui.known.aliases import aliases
from ava_ui.pages.quality import meaning
from ava_ui.pages.quality.settling import Settling, SettlingPanel, alike, choices, said, work_of_clip


async def content(visit: Visit) -> None:
    """The answer that is looked at, and the queue."""
    batch, clip_id = visit.params["batch"], visit.query.get("clip", "")
    seen = Seen(visit.console.store, batch)
    waiting = await asyncio.to_thread(drafts.doubtful_answers, visit.console, batch)
    if clip_id:
        waiting = waiting.filter(pl.col("clip_id") == clip_id)
    ui.link("back to the review queue", addresses.quality(batch))
    number = visit.number("at")
    row = _asked_for(visit) or (
        waiting.row(min(number, waiting.height - 1), named=True) if waiting.height else None
    )
    named = visit.query.get("named") == "yes"
    following = addresses.adjudication(batch, at=number, clip=clip_id, named=named)
    if row is not None:
        with ui.row().classes("items-center"):
            if "group" not in visit.query:
                ui.label(f"{min(number, waiting.height - 1) + 1:,} of {waiting.height:,}").mark("position")
            _names_or_not(visit, row, named=named)
        await _item(visit, seen, batch, row, waiting, following)
    theme.later(visit, lambda: _queue(batch, clip_id, waiting))
    theme.later(visit, lambda: _settled(visit, batch))


def _names_or_not(visit: Visit, row: dict[str, Any], *, named: bool) -> None:
    """Whose answers they are is not said until somebody asks for it."""
    batch = visit.params["batch"]
    if "group" in visit.query:
        asked = (row["clip_id"], row["second"], row["person_id"], row["group"])
        other = addresses.answer(batch, *asked, named=not named)
    else:
        at, clip = visit.number("at"), visit.query.get("clip", "")
        other = addresses.adjudication(batch, at=at, clip=clip, named=not named)
    ui.link("hide annotators' names" if named else "show annotators' names", other).mark("names")


def _queue(batch: str, clip_id: str, waiting: pl.DataFrame) -> None:
    """All answers that wait."""
    if waiting.is_empty():
        theme.empty(
            "Nothing is left to adjudicate.", "Answers appear here when annotators disagree.",
            addresses.quality(batch), "Clips to review",
        )  # fmt: skip
        return
    rows = in_stretches(waiting)
    theme.heading(
        f"{waiting.height:,} answers to settle in {plural(rows.height, 'stretch')}, most doubtful first"
    )
    here = addresses.adjudication(batch, at=cell("at"), clip=clip_id)
    DataTable(
        rows, file=f"{batch}_adjudication", facets=["group"],
        labels={"clip_id": "clip", "second": "from second", "until": "to second", "person_id": "person",
                "group": "group", "expected_error": "expected wrong labels", "reason": "why"},
        links={"clip_id": here, "second": here, "group": here},
    )  # fmt: skip


def in_stretches(waiting: pl.DataFrame) -> pl.DataFrame:
    """Answers that wait on one person's group at seconds on end as one row, the most doubtful answer's first.

    `waiting`: `schemas.ADJUDICATION_QUEUE`. Gives its columns and `until`, the last second; `at`, the place of the most
    doubtful answer in `waiting`; `expected_error` is of the whole stretch.
    """
    figures = [pl.col("at").min(), pl.col("expected_error").sum()]
    same = ("clip_id", "person_id", "group", "reason")
    return stretches(waiting.with_row_index("at"), same, figures).sort("at")


def _asked_for(visit: Visit) -> dict[str, Any] | None:
    """The answer that the address names, settled or not."""
    if "group" not in visit.query:
        return None
    second = visit.number("second")
    return {
        "clip_id": visit.query.get("clip", ""), "second": second, "person_id": visit.number("person"),
        "group": visit.query["group"], "frame": second * CLIP_FPS,
    }  # fmt: skip


async def _item(
    visit: Visit, seen: Seen, batch: str, row: dict[str, Any], waiting: pl.DataFrame, following: str
) -> None:
    """What is asked, the clip, and the answers that can be given."""
    clip_id, group = row["clip_id"], row["group"]
    visit.console.tables.clip(batch, clip_id)
    ontology = visit.console.ontology(batch)
    work = await asyncio.to_thread(work_of_clip, visit.console, batch, clip_id)
    named = visit.query.get("named") == "yes"
    crew = aliases(clip_id, work["crew"]["annotator"])
    settling = Settling(
        visit.console.store, batch, visit.user.username, row,
        choices(said(work, row), ontology, group, {} if named else crew), alike(work, row, waiting), seen.of(batch),
    )  # fmt: skip
    Decided(seen, settling.concerns)
    asked = "is this person there at all?" if settling.of_presence else group
    ui.label(f"{clip_id} · second {row['second']} · person {row['person_id']} · {asked}").classes(
        "part-title"
    )
    may = visit.may("reviewer")
    if may:
        above = ui.row().classes("items-center")
    else:
        for choice in settling.choices:
            ui.label(f"{choice.words}: {', '.join(choice.who)}")
    player = ClipPlayer(
        addresses.review_shown(batch, clip_id, named=named),
        frame=row["frame"],
        choosing=may,
        person=row["person_id"],
    )
    if may:
        with above:
            SettlingPanel(visit, player, settling, ontology, following)
    if not settling.of_presence:
        meaning.panel(visit.console, ontology.name, ontology.group(group), batch, clip_id)


def _settled(visit: Visit, batch: str) -> None:
    """Answers that were settled; each can be settled anew."""
    names = {action.id: action.name for action in visit.console.ontology(batch).actions}
    made = [d for d in decisions.decisions_of(visit.console.store, batch) if d.action == "adjudicate"]
    if not made:
        return
    rows = [
        {"when": d.decided_at, "who": d.actor, "clip_id": d.after["clip_id"], "second": d.after["second"],
         "person": d.after["person_id"], "group": d.after["group"], "answer": _answer(d.after, names)}
        for d in reversed(made)
    ]  # fmt: skip
    theme.heading(f"{plural(len(made), 'answer')} settled")
    again = addresses.answer(batch, *map(cell, ("clip_id", "second", "person", "group")))
    DataTable(pl.DataFrame(rows), file=f"{batch}_settled", links={"clip_id": again, "answer": again})


def _answer(after: dict[str, Any], names: dict[int, str]) -> str:
    ids = after["action_ids"]
    if after["group"] == PRESENCE:
        return "the person is there" if ids else "no one is there"
    return ", ".join(names.get(i, str(i)) for i in ids) or "none"
