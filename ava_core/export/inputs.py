"""What a dataset is made of: the tables of one batch."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ava_core.decisions import decision_state
from ava_core.storage import Storage
from ava_core.store import Store, batches
from ava_core.tables import (
    CLIPS,
    CONSENSUS_BOXES,
    CONSENSUS_LABELS,
    DISPUTED,
    PROPOSALS,
    SOURCE_VIDEOS,
    Schema,
    conform,
)


@dataclass(frozen=True)
class BatchTables:
    """Tables of one batch, each with the columns of that name in `ava_core.tables`; `note` is said in the card."""

    batch: str
    source_videos: pl.DataFrame
    clips: pl.DataFrame
    proposals: pl.DataFrame
    consensus_boxes: pl.DataFrame
    consensus_labels: pl.DataFrame
    disputed: pl.DataFrame
    note: str = ""


def load_batch(storage: Storage, store: Store, batch: str) -> BatchTables:
    """Read a batch's tables. Raises `InputError` naming the asset that is missing.

    Of the consensus only clips that are approved at this moment count, whatever was approved when it was made.
    """
    approved = list(decision_state(store, batch).approved)

    def read(asset: str, schema: Schema, table: str = "") -> pl.DataFrame:
        found = storage.read_table(storage.table_path(batch, asset, table))
        return conform(found, schema, f"{table or asset} of batch {batch}")

    def consensus(schema: Schema, table: str) -> pl.DataFrame:
        return read("consensus_labels", schema, table).filter(pl.col("clip_id").is_in(approved))

    return BatchTables(
        batch=batch,
        source_videos=read("source_videos", SOURCE_VIDEOS),
        clips=read("clips", CLIPS),
        proposals=read("dense_proposals", PROPOSALS),
        consensus_boxes=consensus(CONSENSUS_BOXES, "consensus_boxes"),
        consensus_labels=consensus(CONSENSUS_LABELS, "consensus_labels"),
        disputed=consensus(DISPUTED, "disputed"),
        note=batches.get(store, batch).note,
    )
