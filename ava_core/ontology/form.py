"""The ontology as CVAT's annotation form, and the form's values back as actions.

An exclusive group is one `select` attribute named as the group, `unset` first. A multi group is `max_active`
selects `<group>_1 … <group>_n` with `unset` and `none` before its actions: so "nobody looked" and "none of
these" are told apart. All are mutable. The identity of the pre-drawn track rides in an immutable attribute,
since CVAT renumbers tracks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ava_core.ontology.model import CANNOT_TELL, NONE, UNSET, Group, Ontology

LABEL: Final = "person"
SEED_TRACK_ATTRIBUTE: Final = "seed_track"
"""Immutable text attribute with the pre-drawn track's id; empty on tracks that an annotator added."""

LABEL_COLOUR: Final = "#2f9bff"


@dataclass(frozen=True)
class FormField:
    """One select attribute of the form."""

    name: str
    group: str
    values: tuple[str, ...]


def form_fields(ontology: Ontology) -> list[FormField]:
    """The select attributes, in the ontology's order."""
    fields = []
    for group in ontology.groups:
        names = tuple(action.name for action in group.actions)
        first = (UNSET,) if group.kind == "exclusive" else (UNSET, NONE)
        fields += [FormField(name, group.name, first + names) for name in fields_of(group)]
    return fields


def cvat_labels(ontology: Ontology) -> list[dict[str, Any]]:
    """The project's labels in the form that CVAT's API takes: one rectangle label with all attributes."""
    identity = {
        "name": SEED_TRACK_ATTRIBUTE,
        "mutable": False,
        "input_type": "text",
        "default_value": "",
        "values": [""],
    }
    selects = [
        {
            "name": field.name,
            "mutable": True,
            "input_type": "select",
            "default_value": UNSET,
            "values": list(field.values),
        }
        for field in form_fields(ontology)
    ]
    return [{"name": LABEL, "color": LABEL_COLOUR, "type": "rectangle", "attributes": [identity, *selects]}]


def labels_from_values(
    ontology: Ontology, values: Mapping[str, str]
) -> tuple[dict[str, list[int]], list[str]]:
    """The actions that a form's values say, by group, and flags for what could not be read.

    A group whose slots are all `unset` (or unreadable) is absent: a missing rating. `[]` means that none of its
    actions holds. Flags are `invalid_value:<attribute>`. Case and surrounding space do not matter.
    """
    labels: dict[str, list[int]] = {}
    flags: list[str] = []
    unclear = set(cannot_tell(ontology, values))
    for group in ontology.groups:
        if group.name in unclear:
            continue
        said = {field: plain(values.get(field, UNSET)) for field in fields_of(group)}
        said = {field: value for field, value in said.items() if value != UNSET}
        if not said:
            continue
        by_name = {action.name.casefold(): action.id for action in group.actions}
        chosen: set[int] = set()
        rated = False
        for field, value in said.items():
            if value in by_name:
                chosen.add(by_name[value])
                rated = True
            elif value == NONE and group.kind == "multi":
                rated = True
            else:
                flags.append(f"invalid_value:{field}")
        if rated:
            labels[group.name] = sorted(chosen)
    return labels, flags


def cannot_tell(ontology: Ontology, values: Mapping[str, str]) -> list[str]:
    """The groups of which a form's values say that nobody can tell."""
    return [
        group.name for group in ontology.groups
        if plain(values.get(fields_of(group)[0], UNSET)) == CANNOT_TELL
    ]  # fmt: skip


def plain(value: str) -> str:
    """A value as it is compared: case and surrounding space do not matter."""
    return value.strip().casefold()


def values_from_labels(ontology: Ontology, labels: Mapping[str, Sequence[int]]) -> dict[str, str]:
    """The form's values that say `labels` (action ids by group); groups that are absent stay `unset`.

    Spare slots of a multi group that is rated say `none`: `unset` would end nothing that was said there before.
    """
    values: dict[str, str] = {}
    for group in ontology.groups:
        fields = fields_of(group)
        values |= dict.fromkeys(fields, UNSET)
        if group.name not in labels:
            continue
        names = [ontology.action(action_id).name for action_id in labels[group.name]]
        if group.kind == "multi":
            values |= dict.fromkeys(fields, NONE)
        values |= dict(zip(fields, names, strict=False))
    return values


def values_from_answers(ontology: Ontology, answers: Mapping[str, Sequence[int] | str]) -> dict[str, str]:
    """The same of answers, which may also be `CANNOT_TELL`."""
    rated = {group: ids for group, ids in answers.items() if not isinstance(ids, str)}
    values = values_from_labels(ontology, rated)
    for group in ontology.groups:
        if answers.get(group.name) == CANNOT_TELL:
            first, *others = fields_of(group)
            values |= {first: CANNOT_TELL} | dict.fromkeys(others, NONE)
    return values


def fields_of(group: Group) -> list[str]:
    """Names of a group's select attributes, by slot."""
    if group.kind == "exclusive":
        return [group.name]
    return [f"{group.name}_{slot}" for slot in range(1, group.max_active + 1)]
