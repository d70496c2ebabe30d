"""Answers that are most likely wrong, one after the other: an expert says what holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import polars as pl
from nicegui import ui

from ava_core import decisions
from ava_core.consensus.queue import PRESENCE
from ava_core.ontology import Ontology
from ava_ui import documents, theme
from ava_ui.elements.clip_player import ClipPlayer
from ava_ui.elements.data_table import DataTable
from ava_ui.visit import Visit

PLACE = ["clip_id", "second", "person_id", "group"]


async def content(visit: Visit) -> None:
    """The queue, and the answer that was chosen in it."""
    batch = visit.params["batch"]
    waiting = await asyncio.to_thread(_waiting, visit, batch)
    if waiting.is_empty():
        theme.empty(
            "Nothing is left to adjudicate.",
            "Answers come here when annotators differ.",
            f"/quality?batch={batch}",
        )
        return
    number = visit.number("at")
    row = waiting.row(min(number, waiting.height - 1), named=True)
    await _item(visit, batch, row, f"/quality/{quote(batch)}/adjudication?at={number}")
    theme.heading(f"{waiting.height} answers wait, the most doubtful first")
    DataTable(
        waiting.with_columns(batch=pl.lit(batch)).with_row_index("at"), file=f"{batch}_adjudication",
        labels={"clip_id": "clip", "second": "second", "person_id": "person", "group": "group",
                "expected_error": "expected wrong labels", "reason": "why"},
        links={"clip_id": "/quality/{batch}/adjudication?at={at}", "group": "/quality/{batch}/adjudication?at={at}"},
    )  # fmt: skip


def _waiting(visit: Visit, batch: str) -> pl.DataFrame:
    queue = documents.preview_consensus(visit.console, batch)["queue"]
    settled = decisions.decision_state(visit.console.store, batch).adjudications.select(PLACE)
    left = queue.filter(pl.col("group") != PRESENCE)
    return left.join(settled, on=PLACE, how="anti", maintain_order="left")


async def _item(visit: Visit, batch: str, row: dict[str, Any], following: str) -> None:
    clip_id, ontology = row["clip_id"], visit.console.ontology(batch)
    answers = await asyncio.to_thread(_answers, visit, batch, row)
    ui.label(f"{clip_id} · second {row['second']} · person {row['person_id']} · {row['group']}").classes(
        "part-title"
    )
    if visit.may("reviewer"):
        _choices(visit, batch, row, answers, ontology, following)
    else:
        for who, ids in answers.items():
            ui.label(f"{who}: {_words(ids, ontology)}")
    ClipPlayer(f"/media/review/{quote(batch)}/{quote(clip_id)}", frame=row["frame"])


def _answers(visit: Visit, batch: str, row: dict[str, Any]) -> dict[str, list[int]]:
    """What each annotator said, and the consensus."""
    labels = documents.raw_tables(visit.console, batch)["raw_labels"]
    formed = documents.preview_consensus(visit.console, batch)
    here = (
        (pl.col("clip_id") == row["clip_id"])
        & (pl.col("second") == row["second"])
        & (pl.col("group") == row["group"])
    )
    person = pl.col("person_id") == row["person_id"]
    said = (
        labels.filter(here).join(formed["persons"], on=["clip_id", "annotator", "track_key"]).filter(person)
    )
    answers = {
        name: list(ids) for name, ids in said.sort("annotator").select("annotator", "action_ids").iter_rows()
    }
    held = formed["consensus_labels"].filter(here & person)["action_id"].drop_nulls().to_list()
    return answers | {"consensus": held}


def _choices(
    visit: Visit,
    batch: str,
    row: dict[str, Any],
    answers: dict[str, list[int]],
    ontology: Ontology,
    following: str,
) -> None:
    def choose(ids: list[int]) -> Callable[..., Any]:
        def act() -> None:
            decisions.adjudicate(
                visit.console.store, batch, clip_id=row["clip_id"], second=row["second"], person_id=row["person_id"],
                group=row["group"], action_ids=ids, actor=visit.user.username,
            )  # fmt: skip
            ui.navigate.to(following)

        return visit.action("reviewer", act)

    with ui.row().classes("items-center"):
        for who, ids in answers.items():
            ui.button(f"{who}: {_words(ids, ontology)}", on_click=choose(ids)).props("outline no-caps").mark(
                f"choose-{who}"
            )
        group = ontology.group(row["group"])
        other = ui.select(
            {a.id: a.name for a in group.actions}, multiple=group.kind == "multi", label="other"
        ).classes("w-48")

        async def choose_other() -> None:
            value = other.value
            ids = value if isinstance(value, list) else [] if value is None else [value]
            await choose(ids)()

        ui.button("Other", on_click=choose_other).props("outline no-caps")


def _words(ids: list[int], ontology: Ontology) -> str:
    return ", ".join(ontology.action(i).name for i in ids) or "none"
