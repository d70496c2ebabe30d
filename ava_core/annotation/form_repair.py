"""The annotation form on the server against the ontology's: what it lacks, and putting that back."""

from __future__ import annotations

from typing import Any

from ava_core.annotation.gateway import CvatGateway
from ava_core.ontology import Ontology
from ava_core.ontology.form import LABEL, cvat_labels
from ava_core.store.tables import Project


def form_lacks(gateway: CvatGateway, project_id: int, ontology: Ontology) -> list[str]:
    """What a project's form lacks of the ontology's, in words; what it has beyond it does no harm."""
    label = _label(gateway, project_id)
    if label is None:
        return [f"the label {LABEL!r}"]
    there = {attribute["name"]: list(attribute["values"]) for attribute in label["attributes"]}
    lacks = []
    for attribute in cvat_labels(ontology)[0]["attributes"]:
        name, values = attribute["name"], attribute["values"]
        if name not in there:
            lacks.append(f"the attribute {name!r}")
        elif gone := [value for value in values if value not in there[name]]:
            lacks.append(f"{', '.join(map(repr, gone))} in {name!r}")
    return lacks


def made_anew(gateway: CvatGateway, project: Project) -> list[str]:
    """What a project's form has under another id than when tasks were made in it, in words."""
    if not project.form:
        return []
    now = gateway.form_of(project.project_id)
    names = [name for name, number in project.form["specs"].items() if now.specs.get(name) != number]
    if now.label_id != project.form["label_id"]:
        return [f"the label {LABEL!r} that its tasks were made with"]
    return [f"the attribute {name!r} that its tasks were made with" for name in names]


def restore_form(gateway: CvatGateway, project_id: int, ontology: Ontology) -> None:
    """Put back what a project's form lacks. What is there keeps its ids, and what was added there stays.

    An attribute that has all values of one that lacks was renamed, and gets its name back.
    """
    wanted = cvat_labels(ontology)[0]
    label = _label(gateway, project_id)
    if label is None:
        gateway.put_label(project_id, wanted)
        return
    names = {attribute["name"] for attribute in wanted["attributes"]}
    there = {attribute["name"]: attribute for attribute in label["attributes"]}
    strange = [attribute for attribute in label["attributes"] if attribute["name"] not in names]
    attributes = []
    for attribute in wanted["attributes"]:
        own = there.get(attribute["name"]) or _renamed(attribute, strange)
        if own is None:
            attributes.append(attribute)
            continue
        more = [value for value in own["values"] if value not in attribute["values"]]
        attributes.append(attribute | {"id": own["id"], "values": [*attribute["values"], *more]})
    gateway.put_label(project_id, {"id": label["id"], "name": LABEL, "attributes": attributes})


def _label(gateway: CvatGateway, project_id: int) -> dict[str, Any] | None:
    return next((label for label in gateway.labels(project_id) if label["name"] == LABEL), None)


def _renamed(attribute: dict[str, Any], strange: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The only unknown attribute of the same kind with the same values; it is taken out of `strange`."""
    same = [
        one for one in strange
        if one["input_type"] == attribute["input_type"] and list(one["values"]) == list(attribute["values"])
    ]  # fmt: skip
    if len(same) != 1:
        return None
    strange.remove(same[0])
    return same[0]
