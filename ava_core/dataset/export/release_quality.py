"""How good the work behind a release is, measured anew over all its batches."""

from __future__ import annotations

import json
from typing import Final

import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.storage import Storage
from ava_core.dataset.formats.ava import names
from ava_core.ontology import Ontology
from ava_core.quality.agreement.measure import measure_agreement
from ava_core.quality.review.tables import QualityTables, raw_annotations

RAW: Final = ("raw_boxes", "raw_labels", "completed_jobs")


def load_release_quality(storage: Storage, ontology: Ontology, name: str, *, seed: int = 0) -> QualityTables:
    """Tables of all clips of a release together: agreement is measured anew over them.

    Raises `InputError` where there is no such release.
    """
    folder = storage.path("releases", name)
    if not (folder / names.RECORD).exists():
        raise InputError(f"There is no release {name!r}.", "List them with `ava release list`.")
    about = json.loads((folder / names.RECORD).read_text("utf-8"))
    videos = storage.read_table(folder / names.MANIFEST)["video_id"].unique().to_list()
    inside = pl.col("clip_id").is_in(videos)
    parts = [raw_annotations(storage, batch) for batch in sorted(about["batches"])]
    raw = {table: pl.concat([part[table] for part in parts]).filter(inside) for table in RAW}
    agreement = measure_agreement(
        raw["raw_boxes"], raw["raw_labels"], raw["completed_jobs"], ontology, seed=seed
    )
    return QualityTables(f"release {name}", raw, agreement, {})
