"""Pairs of annotators who are more alike than independent people are, until somebody decides on them."""

from __future__ import annotations

import asyncio
from typing import Any

import polars as pl
from nicegui import ui

from ava_core import decisions
from ava_core.decisions import DecisionState
from ava_core.quality.agreement.conflicts import alike_against
from ava_core.quality.agreement.dependence import undecided
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.elements.data_table import DataTable
from ava_ui.elements.decided import Seen
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit

SHOWN = 200
"""Answers of a pair that are listed: what two have in common shows in far fewer."""


async def alike_panel(visit: Visit, seen: Seen, state: DecisionState) -> None:
    """A card for each pair, with what both said and nobody else did; nothing where there is none."""
    batch = visit.params["batch"]
    dependent = visit.console.tables.table(batch, "agreement", "dependent")
    if dependent is None or (shown := undecided(dependent, state.excluded, ())).is_empty():
        return
    theme.heading("Suspiciously similar work")
    ui.label(
        "One of the two may have copied the other. Together they count as one vote until you exclude one or "
        "confirm that they work independently."
    ).classes("soft")
    differing = visit.console.tables.table(batch, "agreement", "conflicts")
    for pair, found in shown.group_by("annotator", "annotator_b", maintain_order=True):
        names = (str(pair[0]), str(pair[1]))
        with ui.card().classes("w-full").mark(f"alike-{names[0]}-{names[1]}"):
            _pair(visit, seen, names, found.to_dicts(), is_independent=names in state.independent)
            if differing is not None:
                await _items(batch, names, differing)


def _pair(
    visit: Visit, seen: Seen, names: tuple[str, str], found: list[dict[str, Any]], *, is_independent: bool
) -> None:
    batch = visit.params["batch"]
    with ui.row().classes("items-center"):
        ui.label(" and ".join(names)).classes("text-weight-bold")
        ui.badge(
            "independent" if is_independent else "one vote", color="positive" if is_independent else "warning"
        )
    for row in found:
        ui.label(_words(row)).classes("soft")

    async def judge() -> None:
        await asyncio.to_thread(
            decisions.judge_pair, visit.console.store, batch, names, visit.user.username,
            independent=not is_independent, seen=seen.of(batch),
        )  # fmt: skip
        ui.navigate.reload()

    if visit.may("admin"):
        words = "Count as one vote again" if is_independent else "Confirm independent work"
        ui.button(words, on_click=visit.action("admin", judge)).props("flat dense").mark(
            f"judge-{names[0]}-{names[1]}"
        )


def _words(row: dict[str, Any]) -> str:
    if row["what"] == "boxes":
        return (
            f"The boxes they drew overlap by {row['alike']:.3f} on average, over {row['shared']} boxes; "
            "independent annotators never get that close."
        )
    if row["expected"] is None:
        return f"Labels are identical ({row['alike']:.3f}) at {row['shared']} people and seconds."
    return (
        f"Kappa of their labels {row['alike']:.2f}; from each one's agreement with the others, "
        f"{row['expected']:.2f} is expected ({row['shared']} people and seconds)."
    )


async def _items(batch: str, names: tuple[str, str], differing: pl.DataFrame) -> None:
    items = await asyncio.to_thread(alike_against, differing, *names)
    with ui.expansion(f"Answers only these two give ({items.height})").classes("w-full"):
        DataTable(
            items.head(SHOWN).select("clip_id", "second", "frame", "person_id", "kind", "detail"),
            file=f"{batch}_{names[0]}_{names[1]}",
            labels={"clip_id": "clip", "person_id": "person", "detail": "all answers"},
            links={"clip_id": addresses.review(batch, cell("clip_id"), cell("frame"))},
        )
