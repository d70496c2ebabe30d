"""Checksums of a batch's pictures: a changed byte is found before it is released.

CRC-32 finds every single changed byte; nobody is kept from changing pictures on purpose.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.schemas import PICTURES, conform, empty
from ava_core.base.storage import Storage
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.frames import numbered

Sums = Mapping[str, int]
"""CRC-32 by name of picture."""

TABLE = "pictures"
"""Beside a batch's dataset, in its asset `ava_csv`."""

KEPT_PICTURES = ".pictures"
"""Beside it, on this machine: pictures that the next dataset of the batch is made with, a folder for each `made_of`."""


def picture_sums(clip_id: str, folder: Path) -> pl.DataFrame:
    """`schemas.PICTURES` of the pictures of a clip, which lie in `folder`."""
    rows = []
    for number, picture in numbered(folder):
        content = picture.read_bytes()
        rows.append((clip_id, folder.name, number, len(content), zlib.crc32(content)))
    return pl.DataFrame(rows, schema=dict(PICTURES), orient="row")


def noted_sums(storage: Storage, batch: str) -> pl.DataFrame:
    """`schemas.PICTURES` as they were noted when the batch's dataset was made; empty where they were not."""
    path = storage.table_path(batch, "ava_csv", TABLE)
    return (
        conform(storage.read_table(path), PICTURES, f"pictures of batch {batch}")
        if path.exists()
        else empty(PICTURES)
    )


def sums_by_clip(noted: pl.DataFrame) -> Mapping[str, Sums]:
    """`schemas.PICTURES` as a look-up."""
    found: dict[str, dict[str, int]] = {}
    for clip, number, crc in noted.select("clip_id", "number", "crc32").iter_rows():
        found.setdefault(clip, {})[names.frame_name(clip, number)] = crc
    return found


def refuse_damaged(folder: Path, sums: Sums) -> None:
    """Raise `InputError` naming the first picture whose content is another one than when it was made."""
    for name in sorted(sums):
        if zlib.crc32((folder / name).read_bytes()) != sums[name]:
            raise InputError(f"its picture {name} is damaged: its content has changed since it was written")
