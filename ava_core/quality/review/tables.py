"""All tables of a batch's quality, from the assets that made them."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ava_core.base.storage import Storage
from ava_core.batch import BatchContext

FORMED = ("agreement", "consensus_labels")
"""Assets that are made of `raw_annotations`."""


@dataclass(frozen=True)
class QualityTables:
    """Tables by name of each asset; empty where an asset was not made yet."""

    subject: str
    """What they are about, in words: "batch north_gate"."""
    raw_annotations: dict[str, pl.DataFrame]
    agreement: dict[str, pl.DataFrame]
    consensus_labels: dict[str, pl.DataFrame]


def load_quality(at: BatchContext) -> QualityTables:
    """Read what there is. Raises `InputError` where nothing was read back from the annotation server yet."""
    raw = raw_annotations(at.storage, at.batch)
    formed = (_tables(at.storage, at.batch, asset) for asset in FORMED)
    return QualityTables(f"batch {at.batch}", raw, *formed)


def raw_annotations(storage: Storage, batch: str) -> dict[str, pl.DataFrame]:
    """Tables of `raw_annotations`. Raises `InputError` where nothing was read back yet."""
    storage.read_table(storage.table_path(batch, "raw_annotations", "completed_jobs"))
    return _tables(storage, batch, "raw_annotations")


def _tables(storage: Storage, batch: str, asset: str) -> dict[str, pl.DataFrame]:
    folder = storage.asset_dir(batch, asset)
    if not folder.exists():
        return {}
    return {path.stem: storage.read_table(path) for path in sorted(folder.glob("*.parquet"))}
