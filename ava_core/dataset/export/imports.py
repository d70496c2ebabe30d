"""What a batch was imported from: kept beside its tables, read by whatever a release says of its rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

import polars as pl
from upath import UPath

from ava_core.base.schemas import DISPUTED
from ava_core.base.storage import Storage

RECORD: Final = "imported.json"

Origin = Literal["annotated", "imported"]
"""Of a row of a release: people here made it, or it came with a dataset."""


@dataclass(frozen=True)
class ImportRecord:
    """Where a batch came from.

    `place`: the dataset's folder or files; `repairs`: what was mended, as `formats.repairs.Repair`; `splits`: of source
    videos, where the dataset says them; `unusable`: rows of `schemas.DISPUTED`, seconds that nobody is to read.
    """

    place: str
    repairs: list[dict[str, Any]] = field(default_factory=list)
    splits: Mapping[str, str] = field(default_factory=dict)
    unusable: list[dict[str, Any]] = field(default_factory=list)

    def disputed(self) -> pl.DataFrame:
        """`schemas.DISPUTED`: the seconds that nobody is to read."""
        return pl.DataFrame(self.unusable, schema=dict(DISPUTED), orient="row")


def keep_record(storage: Storage, batch: str, record: ImportRecord) -> None:
    """Keep what a batch was imported from."""
    storage.write_bytes(_path(storage, batch), json.dumps(asdict(record), indent=2).encode())


def import_record(storage: Storage, batch: str) -> ImportRecord | None:
    """What a batch was imported from; `None` of one whose videos came through the inbox."""
    path = _path(storage, batch)
    return ImportRecord(**json.loads(path.read_bytes())) if path.exists() else None


def _path(storage: Storage, batch: str) -> UPath:
    return storage.asset_dir(batch, "source_videos") / RECORD
