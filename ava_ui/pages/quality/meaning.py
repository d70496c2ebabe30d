"""What the actions of a group mean, in words and by examples, for whoever has to choose one."""

from __future__ import annotations

from nicegui import ui

from ava_core.ontology.model import Group
from ava_ui.known.console import Console
from ava_ui.known.guidance import pictures_of_actions


def panel(console: Console, ontology: str, group: Group, batch: str, clip_id: str) -> None:
    """Each action with its description and its newest examples, none of this clip."""
    pictures = pictures_of_actions(console, ontology, batch, clip_id)
    title = f"Definitions: {group.name.replace('_', ' ')}"
    with ui.expansion(title, icon="school").classes("w-full").mark("meaning"):
        for action in group.actions:
            name = action.name.replace("_", " ")
            with ui.row().classes("items-center"):
                ui.label(name).classes("text-weight-bold")
                ui.label(action.description)
                for number, one in enumerate(pictures.get(action.id, []), start=1):
                    ui.image(one["loop"]).classes("w-24").props(
                        f'alt="Example {number} of {name}" loading=lazy'
                    )
