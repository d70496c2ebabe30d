"""On a clip's review: a person at the second that is shown becomes an example of an action, for all who label."""

from __future__ import annotations

import asyncio

import polars as pl
from nicegui import ui

from ava_core.annotation.guidance import mark_example
from ava_core.base.errors import InputError
from ava_core.base.schemas import BOX_COLUMNS
from ava_ui.elements.clip_player import ClipPlayer
from ava_ui.frame.visit import Visit
from ava_ui.known.drafts import preview_consensus


def panel(visit: Visit, player: ClipPlayer, batch: str, clip_id: str) -> None:
    """The action and the person, whose number stands at their box."""
    ontology = visit.console.ontology(batch)
    names = {a.id: f"{g.name}: {a.name}".replace("_", " ") for g in ontology.groups for a in g.actions}
    with ui.expansion("Example of an action", icon="school").classes("w-full").mark("example"):
        ui.label(
            "Annotators see examples beside the action's description; those who have a job of this clip do not."
        ).classes("soft")
        with ui.row().classes("items-center"):
            action = ui.select(names, label="action", with_input=True).classes("w-72").mark("example-action")
            person = ui.number("person", value=1, min=1, precision=0).classes("w-24").mark("example-person")

            async def mark() -> None:
                if not action.value:
                    raise InputError("No action is chosen.", "Choose the action that the person shows.")
                number, second = int(person.value or 0), player.second
                box = await asyncio.to_thread(_box, visit, batch, clip_id, number, second)
                at, actor = visit.console.batch(batch), visit.user.username
                await asyncio.to_thread(mark_example, at, clip_id, second, box, action.value, actor)
                ui.notify(f"Person {number} at second {second} shows “{names[action.value]}”.")

            button = ui.button("Mark at this second", icon="add", on_click=visit.action("admin", mark))
            button.mark("mark-example")


def _box(visit: Visit, batch: str, clip_id: str, person: int, second: int) -> tuple[float, ...]:
    """Where a person of the clip is at a second. Raises `InputError` where they are not seen."""
    boxes = preview_consensus(visit.console, batch, clip_id)["consensus_boxes"]
    mine = (pl.col("clip_id") == clip_id) & (pl.col("person_id") == person) & (pl.col("second") == second)
    rows = boxes.filter(mine).select(BOX_COLUMNS).rows()
    if not rows:
        raise InputError(
            f"Person {person} has no box at second {second}.", "Go to a second with a box for this person."
        )
    return tuple(rows[0])
