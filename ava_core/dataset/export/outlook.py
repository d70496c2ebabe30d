"""What the next release would hold, and what keeps the rest out: a row per batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

import polars as pl

from ava_core.base.schemas import Schema, conform

DatasetState = Literal["none", "old", "current"]
"""Of a batch alone; old: its consensus is newer."""

BATCHES: Final[Schema] = {
    "batch": pl.String,
    "processed": pl.Boolean,  # its clips are cut
    "dataset": pl.String,  # DatasetState
    "weak": pl.List(pl.String),  # sentences on classes below the alpha that the ontology asks for
}

ClipStatus = Literal["approved", "rejected", "waiting", "unannotated"]
"""waiting: for a decision; unannotated: nobody completed it."""

CLIPS: Final[Schema] = {
    "batch": pl.String,
    "clip_id": pl.String,
    "source_id": pl.String,
    "status": pl.String,  # ClipStatus
    "formed": pl.Boolean,  # its consensus is there, whether it holds anybody or not
    "boxes": pl.Int64,  # of its consensus
    "labels": pl.Int64,  # of its consensus
    "disputed": pl.Int64,  # seconds
}

OUTLOOK: Final[Schema] = {
    "batch": pl.String,
    "clips": pl.Int64,
    "approved": pl.Int64,
    "rejected": pl.Int64,
    "waiting": pl.Int64,  # completed by somebody, and not decided on
    "unannotated": pl.Int64,  # completed by nobody
    "in_consensus": pl.Int64,  # approved clips that hold somebody
    "labels": pl.Int64,  # consensus labels of approved clips; those of disputed seconds and of the ends give no row
    "disputed": pl.Int64,  # seconds of approved clips
    "ready": pl.Boolean,  # whether the batch goes into a release that is made now
    "missing": pl.List(pl.String),  # what stays out and why, in sentences
}

_DATASET: Final = {"none": "still to be made", "old": "older than its consensus"}


def outlook(batches: pl.DataFrame, clips: pl.DataFrame) -> pl.DataFrame:
    """`OUTLOOK`, a row per batch in the order of `batches` (`BATCHES`); `clips`: `CLIPS`."""
    status, approved = pl.col("status"), pl.col("status") == "approved"
    counted = clips.group_by("batch").agg(
        clips=pl.len(),
        approved=approved.sum(),
        rejected=(status == "rejected").sum(),
        waiting=(status == "waiting").sum(),
        unannotated=(status == "unannotated").sum(),
        unformed=(approved & ~pl.col("formed")).sum(),
        in_consensus=(approved & (pl.col("boxes") > 0)).sum(),
        labels=pl.col("labels").filter(approved).sum(),
        disputed=pl.col("disputed").filter(approved).sum(),
    )
    joined = batches.join(counted, on="batch", how="left", maintain_order="left")
    rows = [row | _verdict(row) for row in joined.fill_null(0).iter_rows(named=True)]
    found = pl.DataFrame([{name: row[name] for name in OUTLOOK} for row in rows], schema=dict(OUTLOOK))
    return conform(found, OUTLOOK, "outlook")


def _verdict(row: dict[str, Any]) -> dict[str, Any]:
    return {"missing": list(_missing(row)), "ready": row["dataset"] != "none" and row["in_consensus"] > 0}


def _missing(row: dict[str, Any]) -> Iterator[str]:
    if not row["processed"]:
        yield "it has not been processed yet"
        return
    if number := row["unannotated"]:
        yield _number(number, "clip was", "clips were") + " not completed by anyone yet"
    if number := row["waiting"]:
        yield _number(number, "clip waits", "clips wait") + " for a decision"
    if number := row["rejected"]:
        yield _number(number, "clip is", "clips are") + " rejected"
    if number := row["unformed"]:
        yield f"the consensus of {_number(number, 'approved clip', 'approved clips')} is still to be formed"
    if number := row["approved"] - row["unformed"] - row["in_consensus"]:
        yield _number(number, "approved clip holds", "approved clips hold") + " nobody"
    yield from row["weak"]
    if row["in_consensus"] and row["dataset"] != "current":
        yield f"its dataset (ava_csv) is {_DATASET[row['dataset']]}" + (
            ", held back by that" if row["weak"] else ""
        )


def _number(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
