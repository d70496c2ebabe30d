"""Ids made of names that people gave: readable, and never two alike, whatever the names.

A slug has no `__` in it and no `_` at its ends. So the id of a source video can be taken apart into its batch and its
name in one way only: `<batch>_<name>` where the batch has no `_` of its own, else `<batch>__<name>`; a batch whose
name is no slug has a hash of it behind: `<slug>__<hash>__<name>`. Two batches never give one id.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

MARK: Final = "__"
"""Stands where two parts of an id would not be told apart otherwise; no slug contains it."""

ID_LENGTH: Final = 80
"""Longest id of a source video: it becomes a file name, with more behind it."""
HASH_LENGTH: Final = 8
"""Hexadecimal digits: among a thousand names of one slug, two are alike once in ten thousand times."""
NOTHING_LEFT: Final = "video"
"""The slug of a name without any letter that an id may have."""


def slug(text: str) -> str:
    """`text` with everything but letters, digits and `-` as `_`: safe in ids, csv rows and file names."""
    return re.sub(r"[^A-Za-z0-9-]+", "_", text).strip("_") or NOTHING_LEFT


def new_id(wanted: str, ids: set[str]) -> str:
    """`wanted`, or with the first free number behind it, not in `ids` in any case of letters; adds it there."""
    name, number = wanted, 2
    while name.casefold() in ids:
        name, number = f"{wanted}_{number}", number + 1
    ids.add(name.casefold())
    return name


def source_id(batch: str, name: str, ids: set[str]) -> str:
    """The id of a source video called `name`, unlike those of any other batch, and not in `ids`; adds it there.

    >>> source_id("cam", "1_x", set()), source_id("cam_1", "x", set()), source_id("cam.1", "x", set())
    ('cam_1_x', 'cam_1__x', 'cam_1__66498bf0__x')
    """
    prefix = _prefix(batch)
    return new_id(prefix + slug(name)[: ID_LENGTH - len(prefix)].strip("_"), ids)


def distinct_ids(names: Iterable[str]) -> dict[str, str]:
    """An id for each name, one to one: its slug, with a hash of the name behind it where the slug is not its alone.

    >>> distinct_ids(["gate 1", "door"])
    {'door': 'door', 'gate 1': 'gate_1'}
    >>> distinct_ids(["gate 1", "gate_1"])
    {'gate 1': 'gate_1__76ffb8c9', 'gate_1': 'gate_1__c9356ce4'}
    """
    wanted = sorted(set(names))
    times = Counter(slug(name).casefold() for name in wanted)
    return {name: slug(name) if _is_clear(name, times) else _hashed(name) for name in wanted}


def _is_clear(name: str, times: Mapping[str, int]) -> bool:
    own = slug(name)
    return times[own.casefold()] == 1 and len(own) <= ID_LENGTH and (own != NOTHING_LEFT or own == name)


def _prefix(batch: str) -> str:
    """What ids of a batch begin with, and those of no other."""
    if slug(batch) != batch:
        return _hashed(batch) + MARK
    return batch + (MARK if "_" in batch else "_")


def _hashed(name: str) -> str:
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_LENGTH]
    return f"{slug(name)[: ID_LENGTH // 2].strip('_')}{MARK}{digest}"
