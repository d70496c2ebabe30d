"""Ids made of names that people gave."""

from __future__ import annotations

import re


def slug(text: str) -> str:
    """`text` with everything but letters, digits and `-` as `_`: safe in ids, csv rows and file names."""
    return re.sub(r"[^A-Za-z0-9-]+", "_", text).strip("_") or "video"


def new_id(wanted: str, ids: set[str]) -> str:
    """`wanted`, or with the first free number behind it, not in `ids` in any case of letters; adds it there."""
    name, number = wanted, 2
    while name.casefold() in ids:
        name, number = f"{wanted}_{number}", number + 1
    ids.add(name.casefold())
    return name
