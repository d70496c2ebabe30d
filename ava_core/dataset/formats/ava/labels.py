"""AVA's label map, protobuf text: `item { name: "…" id: N }` with two spaces before each field.

Read are Google's own and Datumaro's dialect too: `label { name: "…" label_id: N label_type: … }`.
"""

from __future__ import annotations

import re

from ava_core.base.errors import InputError
from ava_core.ontology import Ontology

LONGEST_ID = 9
"""Digits; longer numbers are no ids, and thousands of them no integer that Python reads."""

_BLOCK = re.compile(r"\b(?:item|label)\s*\{(.*?)\}", re.DOTALL)
_FIELD = re.compile(r"\b(name|id|label_id)\s*:\s*(?:\"([^\"]*)\"|'([^']*)'|(-?\d+))")


def to_ava_pbtxt(ontology: Ontology) -> str:
    """The label map that SlowFast, mmaction2 and the ActivityNet evaluation read."""
    return "".join(f'item {{\n  name: "{a.name}"\n  id: {a.id}\n}}\n' for a in ontology.actions)


def read_pbtxt(text: str, origin: str = "label map") -> dict[int, str]:
    """Names by id from either dialect. Raises `InputError` where an item lacks a name or id, or an id repeats."""
    names: dict[int, str] = {}
    for block in _BLOCK.finditer(text):
        line = text.count("\n", 0, block.start()) + 1
        fields = {key: double or single or number for key, double, single, number in _FIELD.findall(block[1])}
        number = fields.get("id", fields.get("label_id"))
        if "name" not in fields or number is None:
            raise InputError(f"{origin}:{line}: an item has no name or no id.")
        if len(number) > LONGEST_ID:
            raise InputError(f"{origin}:{line}: an id of {len(number)} digits.", "Number actions from 1.")
        if int(number) in names:
            raise InputError(f"{origin}:{line}: id {number} appears twice.", "Give each action its own id.")
        names[int(number)] = fields["name"]
    if not names:
        raise InputError(
            f"{origin}: no item found.", "A label map consists of item { name: … id: … } blocks."
        )
    return names
