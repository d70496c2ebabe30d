"""What of a batch was made elsewhere, and is used as it stands: the detector that made it may not exist here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.schemas import CLIPS, conform
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext

MANIFEST: Final = "manifest.json"
FORMAT: Final = "ava-preprocessed-1"


@dataclass(frozen=True)
class Manifest:
    """What a folder of preprocessed video holds.

    `given`: assets that are used as they stand; `settings`: those of `SHAPING_OPTIONS`, which become the batch's own;
    `files`: size in bytes by path below the folder; `counts`: videos, clips, tracks, boxes.
    """

    batch: str
    ava_version: str
    settings: dict[str, Any]
    given: list[str]
    counts: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    format: str = FORMAT

    def write(self, folder: Path) -> None:
        """Write it atomically: a folder with a manifest is complete."""
        Storage(folder).write_bytes(Storage(folder).path(MANIFEST), self.as_json())

    def as_json(self) -> bytes:
        """The manifest as JSON, for people too."""
        return json.dumps(asdict(self), indent=2).encode()


def mark_given(at: BatchContext, manifest: Manifest) -> None:
    """Note in the storage what of the batch was made elsewhere."""
    at.storage.write_bytes(_marker(at), manifest.as_json())


def given_table(at: BatchContext, asset: str) -> pl.DataFrame | None:
    """The table of an asset that was made elsewhere and is used as it stands; else `None`."""
    if not is_given(at, asset):
        return None
    table = at.table(asset)
    return checked_paths(table, CLIPS, at.batch) if asset == "clips" else table


def is_given(at: BatchContext, asset: str) -> bool:
    """Whether what the asset holds was made elsewhere."""
    marker = _marker(at)
    return marker.exists() and asset in json.loads(marker.read_bytes())["given"]


def _marker(at: BatchContext) -> Any:
    return at.folder("source_videos") / "made_elsewhere.json"


def checked_paths(table: pl.DataFrame, schema: Mapping[str, Any], batch: str) -> pl.DataFrame:
    """The table, if its paths stay inside the batch: it comes from another machine."""
    for path in table["path"].drop_nulls():
        parts = PurePosixPath(path).parts
        if path and (parts[:2] != ("batches", batch) or ".." in parts):
            raise InputError(
                f"Batch {batch} names the file {path}, which belongs to another batch.", "Do not use it."
            )
    return conform(table, schema, f"batch {batch}")
