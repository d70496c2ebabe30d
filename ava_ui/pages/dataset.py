"""Releases; what the next one would hold, what is missing and why; making it."""

from __future__ import annotations

import asyncio
from typing import Any

import polars as pl
from nicegui import ui

from ava_core.decisions import decision_state
from ava_core.errors import InputError
from ava_core.export.flavours import FLAVOURS
from ava_core.export.splits import RATIOS
from ava_core.store import batches
from ava_ui import theme
from ava_ui.console import Console
from ava_ui.elements.data_table import DataTable
from ava_ui.releases import releases
from ava_ui.visit import Visit


async def content(visit: Visit) -> None:
    """Content of the next release, its options, and the ones there are."""
    inside = await asyncio.to_thread(would_hold, visit.console)
    theme.heading("What would go in")
    if inside.is_empty():
        theme.empty("No batches yet.", "Add one first.", "/batches", "Batches")
        return
    DataTable(
        inside, file="next_release",
        links={"batch": "/batches/{batch}", "approved": "/quality?batch={batch}&status=approved",
               "missing": "/quality?batch={batch}"},
    )  # fmt: skip
    if visit.may("admin"):
        _generate(visit, bool((inside["approved"] > 0).any()))
    theme.heading("Releases")
    made = await asyncio.to_thread(releases, visit.console.storage)
    if not made:
        theme.empty("No releases yet.", "Approve clips, then generate a dataset.", "/quality", "Review clips")
        return
    for info in made:
        with ui.row().classes("items-center"):
            ui.link(info.name, f"/dataset/{info.name}").classes("text-weight-bold")
            ui.label(
                f"{info.made_at:%Y-%m-%d %H:%M} UTC · {', '.join(info.record.get('batches', {}))}"
            ).classes("soft")
            ui.link("AVA_dataset.csv", f"/download/{info.name}/AVA_dataset.csv")
            ui.link("zip of everything", f"/download/{info.name}.zip")


def would_hold(console: Console) -> pl.DataFrame:
    """A row per batch: `batch, approved, clips, labels, missing` (why clips or the batch stay out)."""
    rows = []
    for name in batches.names(console.store):
        clips = console.reading.table(name, "clips")
        state = decision_state(console.store, name)
        labels = console.reading.table(name, "consensus_labels", "consensus_labels")
        formed = console.reading.table(name, "consensus_labels", "consensus_boxes")
        total = 0 if clips is None else clips.height
        reasons = []
        if clips is None:
            reasons.append("not processed yet")
        elif total > len(state.approved):
            waiting = total - len(state.approved) - len(state.rejected)
            reasons += [f"{waiting} clip(s) wait for a decision"] if waiting else []
            reasons += [f"{len(state.rejected)} rejected"] if state.rejected else []
        formed_clips = set() if formed is None else set(formed["clip_id"].unique())
        late = state.approved - formed_clips
        if state.approved and late:
            reasons.append(
                f"consensus of {len(late)} approved clip(s) is still to be formed, or holds nobody"
            )
        ready = 0 if labels is None else labels.filter(pl.col("clip_id").is_in(sorted(state.approved))).height
        rows.append((name, len(state.approved), total, ready, "; ".join(reasons)))
    schema = {
        "batch": pl.String,
        "approved": pl.Int64,
        "clips": pl.Int64,
        "labels": pl.Int64,
        "missing": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _generate(visit: Visit, anything: bool) -> None:
    with (
        ui.expansion("Generate dataset", icon="dataset", value=anything)
        .classes("w-full")
        .mark("generate-form")
    ):
        with ui.row().classes("items-center"):
            name = ui.input("name", placeholder="the next of v1, v2, …").classes("w-40").mark("release-name")
            note = ui.input("a sentence for the card").classes("w-64")
            licence = ui.input("licence", placeholder="CC-BY-4.0").classes("w-40")
            authors = ui.input("authors (Family, Given; …)").classes("w-64")
        with ui.row().classes("items-center"):
            shares = {
                split: ui.number(split, value=share, min=0, max=1, step=0.05).classes("w-24")
                for split, share in RATIOS.items()
            }
            flavours = ui.select(
                list(FLAVOURS), value=list(FLAVOURS), multiple=True, label="layouts beside AVA's"
            ).classes("w-64")
            least = ui.number("rare below (labels)", value=0, min=0, precision=0).classes("w-40")
            drop = ui.switch("leave rare classes out")
            weak = ui.switch("leave classes below their least alpha out")

        def options() -> dict[str, Any]:
            ratios = {split: float(field.value or 0) for split, field in shares.items()}
            if abs(sum(ratios.values()) - 1) > 1e-6:
                raise InputError(f"The shares add up to {sum(ratios.values()):g}.", "They must add up to 1.")
            return {
                "name": (name.value or "").strip(), "note": note.value or "", "licence": licence.value or "",
                "authors": [a.strip() for a in (authors.value or "").split(";") if a.strip()],
                "flavours": list(flavours.value or []), "ratios": ratios, "least_rows": int(least.value or 0),
                "drop_rare": bool(drop.value), "drop_weak": bool(weak.value),
            }  # fmt: skip

        async def generate() -> None:
            chosen = options()
            run = await visit.console.dagster.make_release(chosen)
            visit.note("generate dataset", run, **chosen)
            ui.navigate.to(f"/runs/{run}")

        button = ui.button(
            "Generate dataset", icon="play_arrow", on_click=visit.action("admin", generate)
        ).mark("generate")
        button.set_enabled(anything)
        if not anything:
            ui.label("No clip is approved yet.").classes("soft")
