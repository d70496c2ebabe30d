"""The action vocabularies: what may be labelled, the form that annotators see, and adding an action."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import polars as pl
from nicegui import ui

from ava_core.base.errors import AvaError
from ava_core.base.plugins import plugin_names
from ava_core.base.schemas import CLIP_FPS
from ava_core.ontology import Ontology, load_ontology, shipped_ontologies
from ava_core.ontology.extend import publish, published, with_action
from ava_core.ontology.form import cvat_labels
from ava_core.store import examples
from ava_ui import addresses
from ava_ui.elements.data_table import DataTable
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit

SCHEMA = {
    "id": pl.Int64, "action": pl.String, "group": pl.String, "kind": pl.String, "description": pl.String,
    "hotkey": pl.String, "minimum alpha": pl.Float64,
}  # fmt: skip


async def content(visit: Visit) -> None:
    """One vocabulary at a time."""
    folder = visit.console.settings.home_dir / "ontologies"
    configured = visit.console.settings.ontology
    known = {name: load_ontology(name) for name in dict.fromkeys([configured, *shipped_ontologies()])}
    known |= _of_packages() | published(folder)
    name = visit.query.get("name", configured)
    name = name if name in known else configured
    with ui.row():
        for each, one in known.items():
            style = "text-weight-bold" if each == name else ""
            ui.link(f"{one.name} {one.version}", addresses.ontology(each)).classes(style)
    ontology = known[name]
    ui.label(ontology.description)
    theme.facts({"version": ontology.version, "actions": len(ontology.actions), "groups": len(ontology.groups),
                 "retired ids": len(ontology.retired), "digest": ontology.digest})  # fmt: skip
    DataTable(actions_table(ontology), file=f"ontology_{ontology.name}", sort_by="id")
    _examples(visit, ontology)
    theme.heading("The form in CVAT")
    with ui.row():
        for attribute in cvat_labels(ontology)[0]["attributes"]:
            values = list(attribute["values"])
            ui.select(values, value=values[0], label=attribute["name"]).classes("w-56")
    ui.label(f"To use it, set AVA_ONTOLOGY={name}, or set it in a batch's options.").classes("soft")
    if visit.may("admin"):
        _extend(visit, ontology)


def _of_packages() -> dict[str, Ontology]:
    """Those that installed packages add; a broken one stands on System."""
    found = {}
    for name in plugin_names("ontologies"):
        with contextlib.suppress(AvaError):
            found[name] = load_ontology(name)
    return found


def _examples(visit: Visit, ontology: Ontology) -> None:
    """What annotators are shown of each action, with a button that takes it away."""
    theme.heading("Examples")
    found = examples.of_ontology(visit.console.store, ontology.name)
    names = {action.id: action.name.replace("_", " ") for action in ontology.actions}
    if not found:
        ui.label("No examples yet. Open a clip's review under Quality and mark a person.").classes("soft")

    def remove(number: int) -> Callable[..., Awaitable[None]]:
        async def act() -> None:
            await asyncio.to_thread(examples.remove, visit.console.store, number, visit.user.username)
            ui.navigate.reload()

        return visit.action("admin", act)

    with ui.row():
        for one in found:
            with ui.column().classes("items-center"):
                name = names.get(one.action_id, str(one.action_id))
                ui.image(addresses.example(one.example_id)).classes("w-24").props(f'alt="Example of {name}"')
                ui.link(name, addresses.review(one.batch, one.clip_id, one.second * CLIP_FPS))
                if visit.may("admin"):
                    button = ui.button("Remove", on_click=remove(one.example_id)).props("flat dense no-caps")
                    button.mark(f"remove-example-{one.example_id}")


def actions_table(ontology: Ontology) -> pl.DataFrame:
    """A row per action."""
    rows = [
        (a.id, a.name, group.name, group.kind, a.description, a.hotkey, a.minimum_alpha)
        for group in ontology.groups
        for a in group.actions
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _extend(visit: Visit, ontology: Ontology) -> None:
    theme.heading("Add an action")
    ui.label(
        "Publishing creates a new version. Ids are permanent, and published actions never change."
    ).classes("soft")
    with ui.row().classes("items-center"):
        name = ui.input("name").mark("action-name")
        groups = [group.name for group in ontology.groups]
        group = ui.select(groups, value=groups[0], label="group").classes("w-56")
        description = ui.input("description").classes("w-64")

        async def add() -> None:
            new = with_action(ontology, group.value, name.value or "", description.value or "")
            with theme.asking(
                f"Publish {new.name} version {new.version} with {name.value!r}?", "Publish"
            ) as dialog:
                ui.label("You cannot undo this; a later version can only retire the action.")
            if await dialog:
                path = await asyncio.to_thread(
                    publish, ontology, new, visit.console.settings.home_dir / "ontologies"
                )
                await visit.note(
                    "publish ontology", f"{new.name} {new.version}", added=name.value, group=group.value
                )
                ui.navigate.to(addresses.ontology(str(path)))

        ui.button("Add …", icon="add", on_click=visit.action("admin", add)).mark("add-action")
