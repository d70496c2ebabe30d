"""The action vocabularies: what may be labelled, and the form that annotators see."""

from __future__ import annotations

import polars as pl
from nicegui import ui

from ava_core.ontology import load_ontology, shipped_ontologies
from ava_core.ontology.form import cvat_labels
from ava_ui import theme
from ava_ui.elements.data_table import DataTable
from ava_ui.visit import Visit


async def content(visit: Visit) -> None:
    """One vocabulary at a time."""
    configured = visit.console.settings.ontology
    names = list(dict.fromkeys([configured, *shipped_ontologies()]))
    name = visit.query.get("name", configured)
    name = name if name in names else configured
    with ui.row():
        for each in names:
            ui.link(each, f"/ontology?name={each}").classes("text-weight-bold" if each == name else "")
    ontology = load_ontology(name)
    ui.label(ontology.description)
    theme.facts({"version": ontology.version, "actions": len(ontology.actions), "groups": len(ontology.groups),
                 "retired ids": len(ontology.retired), "digest": ontology.digest})  # fmt: skip
    rows = [
        (action.id, action.name, group.name, group.kind, action.description, action.hotkey, action.minimum_alpha)
        for group in ontology.groups for action in group.actions
    ]  # fmt: skip
    schema = {
        "id": pl.Int64, "action": pl.String, "group": pl.String, "kind": pl.String, "description": pl.String,
        "hotkey": pl.String, "least alpha": pl.Float64,
    }  # fmt: skip
    DataTable(pl.DataFrame(rows, schema=schema, orient="row"), file=f"ontology_{ontology.name}", sort_by="id")
    theme.heading("The form in CVAT")
    with ui.row():
        for attribute in cvat_labels(ontology)[0]["attributes"]:
            values = list(attribute["values"])
            ui.select(values, value=values[0], label=attribute["name"]).classes("w-56")
    ui.label(
        "Ids are permanent. To add an action, copy the YAML file, raise its version, add at the end, and set "
        "AVA_ONTOLOGY to the file; a batch may have one of its own."
    ).classes("soft")
