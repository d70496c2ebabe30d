"""Scorecards of a batch's annotators, the gate's verdicts, pairs that are alike, and leaving somebody out."""

from __future__ import annotations

import asyncio

from nicegui import ui

from ava_core import decisions
from ava_core.base.errors import InputError
from ava_core.quality.review.effect import exclusion_effect
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.elements.data_table import DataTable, shown
from ava_ui.elements.decided import Decided, Seen
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.drafts import raw_tables
from ava_ui.pages.quality.alike import alike_panel


async def content(visit: Visit) -> None:
    """Cards, verdicts, exclusion."""
    batch = visit.params["batch"]
    cards = visit.console.tables.table(batch, "agreement", "annotators")
    gate = visit.console.tables.table(batch, "agreement", "gate")
    if cards is None or gate is None:
        raise InputError(
            f"Agreement of {batch} has not been measured yet.",
            "It is measured automatically once completed jobs have been read.",
        )
    seen = Seen(visit.console.store, batch)
    state = decisions.decision_state(visit.console.store, batch)
    Decided(seen, lambda decision: decision.action in ("exclude", "include", "pair"))
    ui.link("agreement", addresses.agreement(batch))
    with ui.row():
        for name, status, reasons in gate.select("annotator", "status", "reasons").iter_rows():
            _verdict(visit, seen, name, status, reasons, is_out=name in state.excluded)
    await alike_panel(visit, seen, state)
    theme.heading("Scorecards")
    rows = cards.join(gate.select("annotator", gate="status"), on="annotator", how="left")
    jobs = addresses.progress(batch, annotator=cell("annotator"))
    DataTable(rows, file=f"{batch}_annotators", links={"annotator": jobs})


def _verdict(visit: Visit, seen: Seen, name: str, status: str, reasons: list[str], *, is_out: bool) -> None:
    batch, store = visit.params["batch"], visit.console.store
    with ui.card():
        ui.label(name).classes("text-weight-bold")
        ui.badge(
            "excluded" if is_out else status,
            color={"ok": "positive", "suspect": "negative"}.get(status, "warning"),
        )
        for reason in reasons:
            ui.label(reason).classes("soft")
        ui.link("jobs", addresses.progress(batch, annotator=name))

        async def leave_out() -> None:
            raw, ontology = raw_tables(visit.console, batch), visit.console.ontology(batch)
            state = decisions.decision_state(store, batch)
            effect = await asyncio.to_thread(exclusion_effect, raw, ontology, state, name)
            with theme.asking(f"Exclude {name} from the consensus of {batch}?", "Exclude") as dialog:
                for row in effect.iter_rows(named=True):
                    ui.label(
                        f"{row['figure'].replace('_', ' ')}: {shown(row['before'])} → {shown(row['after'])}"
                    )
                comment = ui.input("Why").classes("w-full")
            if await dialog:
                await asyncio.to_thread(
                    decisions.exclude_annotator,
                    store, batch, name, visit.user.username, comment.value or "", seen=seen.of(batch),
                )  # fmt: skip
                ui.navigate.reload()

        async def take_back() -> None:
            await asyncio.to_thread(
                decisions.include_annotator,
                store, batch, name, visit.user.username, seen=seen.of(batch),
            )  # fmt: skip
            ui.navigate.reload()

        if visit.may("admin"):
            words, act = ("Include again", take_back) if is_out else ("Exclude …", leave_out)
            ui.button(words, on_click=visit.action("admin", act)).props("flat dense").mark(f"exclude-{name}")
