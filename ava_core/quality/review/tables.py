"""All tables of a batch's quality, from the assets that made them."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ava_core.base.storage import Storage

ASSETS = ("raw_annotations", "agreement", "consensus_labels")


@dataclass(frozen=True)
class QualityTables:
    """Tables by name of each asset; empty where an asset was not made yet."""

    subject: str
    """What they are about, in words: "batch north_gate"."""
    raw_annotations: dict[str, pl.DataFrame]
    agreement: dict[str, pl.DataFrame]
    consensus_labels: dict[str, pl.DataFrame]


def load_quality(storage: Storage, batch: str) -> QualityTables:
    """Read what there is. Raises `InputError` where nothing was read back from the annotation server yet."""
    storage.read_table(storage.table_path(batch, "raw_annotations", "completed_jobs"))
    return QualityTables(f"batch {batch}", *(_tables(storage, batch, asset) for asset in ASSETS))


def _tables(storage: Storage, batch: str, asset: str) -> dict[str, pl.DataFrame]:
    folder = storage.asset_dir(batch, asset)
    if not folder.exists():
        return {}
    return {path.stem: storage.read_table(path) for path in sorted(folder.glob("*.parquet"))}
