"""All tables of a batch's quality, from the assets that made them."""

from __future__ import annotations

import json
from dataclasses import dataclass

import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.ontology import Ontology
from ava_core.quality.agreement.measure import measure_agreement

RAW = ("raw_boxes", "raw_labels", "completed_jobs")
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
    raw = _raw_annotations(at.storage, at.batch)
    formed = (_tables(at.storage, at.batch, asset) for asset in FORMED)
    return QualityTables(f"batch {at.batch}", raw, *formed)


def load_release_quality(storage: Storage, ontology: Ontology, name: str, *, seed: int = 0) -> QualityTables:
    """Tables of all clips of a release together: agreement is measured anew over them.

    Raises `InputError` where there is no such release.
    """
    folder = storage.path("releases", name)
    if not (folder / "release.json").exists():
        raise InputError(f"There is no release {name!r}.", "`ava release list` shows them.")
    about = json.loads((folder / "release.json").read_text("utf-8"))
    videos = storage.read_table(folder / "manifest.parquet")["video_id"].unique().to_list()
    inside = pl.col("clip_id").is_in(videos)
    parts = [_raw_annotations(storage, batch) for batch in sorted(about["batches"])]
    raw = {table: pl.concat([part[table] for part in parts]).filter(inside) for table in RAW}
    agreement = measure_agreement(
        raw["raw_boxes"], raw["raw_labels"], raw["completed_jobs"], ontology, seed=seed
    )
    return QualityTables(f"release {name}", raw, agreement, {})


def _raw_annotations(storage: Storage, batch: str) -> dict[str, pl.DataFrame]:
    storage.read_table(storage.table_path(batch, "raw_annotations", "completed_jobs"))
    return _tables(storage, batch, "raw_annotations")


def _tables(storage: Storage, batch: str, asset: str) -> dict[str, pl.DataFrame]:
    folder = storage.asset_dir(batch, asset)
    if not folder.exists():
        return {}
    return {path.stem: storage.read_table(path) for path in sorted(folder.glob("*.parquet"))}
