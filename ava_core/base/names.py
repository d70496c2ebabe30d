"""What may name a batch or a release: a name becomes a folder, a part of addresses and a word of commands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from ava_core.base.errors import InputError

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
"""Letters, digits, `_ . -`, at most 63, and first a letter or a digit."""


def check_batch_name(name: str) -> str:
    """Return `name` if it can be a batch: letters, digits, `_ . -`, at most 63; raises `InputError`."""
    if not NAME.fullmatch(name) or ".." in name:
        raise InputError(
            f"{name!r} is not a valid batch name.", "Use at most 63 letters, digits, '_', '.' and '-'."
        )
    return name


def batch_name_for(path: Path | str) -> str:
    """The batch name for a zip or folder: its stem with every other character replaced by `_`."""
    stem = Path(path).name
    for suffix in (".zip", ".ZIP"):
        stem = stem.removesuffix(suffix)
    cleaned = re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_-") or "batch"
    return check_batch_name(cleaned[:63])
