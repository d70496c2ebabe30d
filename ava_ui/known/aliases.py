"""Annotators' names kept back, so that an answer is judged by what it says and not by whose it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]


def aliases(clip_id: str, names: Iterable[str]) -> dict[str, str]:
    """`annotator 1` and so on, by name; in an order of each clip's own, so that numbers tell nothing."""
    order = sorted(names, key=lambda name: hashlib.sha256(f"{clip_id}\n{name}".encode()).digest())
    return {name: f"annotator {number}" for number, name in enumerate(order, start=1)}


def without_names(document: Json) -> Json:
    """What `known.player.review_document` gives, with aliases for names and no links to their jobs."""
    own = [layer for layer in document["layers"] if layer["kind"] == "annotator"]
    known = aliases(document["clip"]["id"], (layer["name"] for layer in own))
    kept = [layer for layer in document["layers"] if layer["kind"] != "annotator"]
    # The colours keep their order: one would tell a name by its place in the alphabet.
    renamed = [
        layer
        | {"name": known[layer["name"]], "key": known[layer["name"]], "colour": place["colour"]}
        | {"link": "", "in_cvat": ""}
        for layer, place in zip(
            sorted(own, key=lambda layer: _number(known[layer["name"]])), own, strict=True
        )
    ]
    conflicts = [one | {"detail": _renamed(one["detail"], known)} for one in document["conflicts"]]
    return document | {"layers": [*renamed, *kept], "conflicts": conflicts}


def _number(alias: str) -> int:
    return int(alias.rpartition(" ")[2])


def _renamed(detail: str, known: Mapping[str, str]) -> str:
    """`mia: walk; tom has no box` with aliases; a name stands first in its part."""
    parts = []
    for part in detail.split("; "):
        found = [name for name in known if part.startswith((f"{name}:", f"{name} has no box"))]
        name = max(found, key=len, default="")
        parts.append(known[name] + part.removeprefix(name) if name else part)
    return "; ".join(parts)
