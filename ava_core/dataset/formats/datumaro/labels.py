"""Datumaro's label map: `label { name: "…" label_id: N label_type: … }`, with a label for every number."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ava_core.ontology import Action, Group, Ontology

LABEL_TYPES: Final = {
    "pose": "PERSON_MOVEMENT",
    "object": "OBJECT_MANIPULATION",
    "person": "PERSON_INTERACTION",
}
"""AVA v2.2's group types by the group's name; any other group counts as PERSON_MOVEMENT."""


def to_datumaro_pbtxt(ontology: Ontology) -> str:
    """The label map that Datumaro's `ava` format reads."""
    return "".join(
        f'label {{\n  name: "{a.name}"\n  label_id: {a.id}\n  label_type: {_type(ontology.group_of(a.id))}\n}}\n'
        for a in ontology.actions
    )


def without_gaps(ontology: Ontology) -> Ontology:
    """The ontology with a name for every id up to the highest: Datumaro numbers labels by their order."""
    known = {action.id for action in ontology.actions}
    unused = tuple(Action(n, f"unused {n}") for n in range(1, max(known)) if n not in known)
    filler = (Group("unused", "multi", unused),) if unused else ()
    return replace(ontology, groups=(*ontology.groups, *filler))


def _type(group: Group) -> str:
    return LABEL_TYPES.get(group.name, "PERSON_MOVEMENT")
