"""An older tool's `AVA_dataset.csv`: several annotators of a clip are brought to a consensus."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ava_core.base.schemas import CLIP_FPS
from ava_core.dataset.formats.older_csv.reader import CLIP_SECONDS, SIZE, read_older_csv
from ava_core.dataset.importing.imported import Imported
from ava_core.dataset.importing.work import clip_row, settle
from ava_core.ontology import Ontology


def import_older_csv(
    path: Path, ontology: Ontology, *, index_fps: float = 1.0, size: tuple[int, int] = SIZE, seed: int = 0
) -> Imported:
    """Take an older `AVA_dataset.csv` over.

    `index_fps`, `size`: as `read_older_csv` takes them. Raises `InputError` where a row cannot be understood.
    """
    found = read_older_csv(path, ontology, index_fps=index_fps, size=size)
    rows = found.rows
    clips = [clip_row(clip, CLIP_SECONDS * CLIP_FPS, *size) for clip in rows["clip_id"].unique().sort()]
    at = ["clip_id", "annotator", "track_key", "second"]
    boxes = rows.unique(at, keep="first", maintain_order=True).with_columns(
        seed_track_id=pl.lit(None), edited=pl.lit(value=True), flags=pl.lit([], dtype=pl.List(pl.String))
    )
    groups = {action.id: ontology.group_of(action.id).name for action in ontology.actions}
    grouped = rows.with_columns(group=pl.col("action_id").replace_strict(groups, return_dtype=pl.String))
    labels = grouped.group_by(*at, "group", maintain_order=True).agg(
        action_ids=pl.col("action_id").unique().sort()
    )
    return settle(f"Import of {path.name}", clips, boxes, labels, ontology, found.repairs, seed=seed)
