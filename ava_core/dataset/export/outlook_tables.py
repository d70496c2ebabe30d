"""What the outlook is made of. Of many batches only those are read again whose files changed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import polars as pl
from sqlalchemy import select

from ava_core.base.errors import InputError
from ava_core.base.schemas import conform
from ava_core.base.storage import Storage, changed_at
from ava_core.dataset.export.outlook import BATCHES, CLIPS, ClipStatus, DatasetState
from ava_core.decisions import DecisionState
from ava_core.quality.review.floors import below_floor
from ava_core.store import Store, batches
from ava_core.store.tables import Job

FILES: Final = {
    "clips": ("clips", ""),
    "boxes": ("consensus_labels", "consensus_boxes"),
    "labels": ("consensus_labels", "consensus_labels"),
    "disputed": ("consensus_labels", "disputed"),
    "provenance": ("consensus_labels", "provenance"),
    "classes": ("agreement", "per_class"),
    "dataset": ("ava_csv", ""),
}
"""Tables that are looked at: asset and table."""

COUNTED: Final = ("boxes", "labels", "disputed")

KEPT: Final = 2000
"""Batches whose figures stay in memory: a row per clip."""

NOBODY: Final = DecisionState.of_approved(())

Times = tuple[float | None, ...]


def read_outlook(
    storage: Storage, store: Store, states: Mapping[str, DecisionState]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`outlook.BATCHES` and `outlook.CLIPS` of all batches, oldest first; `states`: `decisions.decision_states`."""
    rows, clips = [], [pl.DataFrame(schema={name: CLIPS[name] for name in CLIPS if name != "status"})]
    for batch in batches.names(store):
        times = _times(storage, batch)
        figures, weak = _figures(storage, batch, times)
        changed = dict(zip(FILES, times, strict=True))
        rows.append((batch, changed["clips"] is not None, _dataset(changed), weak))
        clips.append(figures)
    found = pl.concat(clips)
    status = _statuses(found, states, _completed(store))
    return (
        pl.DataFrame(rows, schema=dict(BATCHES), orient="row"),
        conform(found.with_columns(status=status), CLIPS, "clips"),
    )


def _statuses(
    clips: pl.DataFrame, states: Mapping[str, DecisionState], done: set[tuple[str, str]]
) -> pl.Series:
    def status(batch: str, clip_id: str) -> ClipStatus:
        state = states.get(batch, NOBODY)
        if clip_id in state.approved:
            return "approved"
        if clip_id in state.rejected:
            return "rejected"
        return "waiting" if (batch, clip_id) in done else "unannotated"

    return pl.Series([status(*row) for row in clips.select("batch", "clip_id").iter_rows()], dtype=pl.String)


def _completed(store: Store) -> set[tuple[str, str]]:
    """Batch and id of clips of which somebody completed a job."""
    with store.session() as session:
        rows = session.execute(
            select(Job.batch, Job.clip_id).where(Job.of_annotator, Job.is_done).distinct()
        ).all()
    return {row._tuple() for row in rows}


def _dataset(changed: Mapping[str, float | None]) -> DatasetState:
    made, formed = changed["dataset"], changed["boxes"]
    if made is None:
        return "none"
    return "old" if formed is not None and made < formed else "current"


@lru_cache(maxsize=KEPT)
def _figures(storage: Storage, batch: str, times: Times) -> tuple[pl.DataFrame, list[str]]:
    """`outlook.CLIPS` of a batch without `status`, and sentences on its weak classes.

    `times`: when each of `FILES` was written, `None` where it was not; after a change the answer is made anew.
    """
    there = {name for name, time in zip(FILES, times, strict=True) if time is not None}

    def read(name: str, *columns: str) -> pl.DataFrame:
        if name not in there:
            return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
        with storage.fetched(storage.table_path(batch, *FILES[name])) as path:
            try:
                return pl.scan_parquet(path, glob=False).select(columns).collect()
            except pl.exceptions.PolarsError as error:
                reason = str(error).splitlines()[0]
                raise InputError(
                    f"{path.name} of batch {batch} cannot be read: {reason}.",
                    f"Materialise {FILES[name][0]} of this batch again.",
                ) from None

    figures = read("clips", "clip_id", "source_id").sort("clip_id").with_columns(batch=pl.lit(batch))
    for name in COUNTED:
        counts = read(name, "clip_id").group_by("clip_id").agg(pl.len().cast(pl.Int64).alias(name))
        figures = figures.join(counts, on="clip_id", how="left", maintain_order="left")
    figures = figures.with_columns(pl.col(COUNTED).fill_null(0))
    formed = pl.col("clip_id").is_in(read("provenance", "clip_id")["clip_id"].implode())
    figures = figures.with_columns(formed=formed | (pl.col("boxes") > 0))
    weak = _weak(read("classes", "name", "alpha", "minimum_alpha", "positives")) if "classes" in there else []
    return figures.select(name for name in CLIPS if name != "status"), weak


def _weak(classes: pl.DataFrame) -> list[str]:
    """What holds a batch's dataset back: classes in use whose alpha is below the ontology's, or undefined."""
    return [
        f"class {name} has no alpha but needs {floor:g}"
        if alpha is None
        else f"class {name} is below its minimum alpha ({alpha:.2f} < {floor:g})"
        for name, alpha, floor in below_floor(classes).select("name", "alpha", "minimum_alpha").rows()
    ]


def _times(storage: Storage, batch: str) -> Times:
    """When each of `FILES` was written."""
    return tuple(changed_at(storage.table_path(batch, *file)) for file in FILES.values())
