"""What a dataset is made of: the tables of a batch, and the work of its annotators."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from ava_core.base.errors import ExportError
from ava_core.base.schemas import (
    ADDED_TO_SOURCE_VIDEOS,
    ANSWERED,
    BASIS,
    CLIPS,
    COMPLETED_JOBS,
    CONSENSUS_BOXES,
    CONSENSUS_LABELS,
    CVAT_JOBS,
    DISPUTED,
    PERSONS,
    PROPOSALS,
    PROVENANCE,
    RAW_BOXES,
    RAW_LABELS,
    SOURCE_VIDEOS,
    Schema,
    conform,
    empty,
    with_new_columns,
)
from ava_core.base.settings import Settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext, open_batch
from ava_core.dataset.export.imports import ImportRecord, import_record
from ava_core.dataset.export.picture_sizes import as_pictures
from ava_core.decisions import Standing, standing
from ava_core.quality.consensus.provenance import behind
from ava_core.store import Store, batches


@dataclass(frozen=True)
class BatchTables:
    """Tables of one batch, with the columns of that name in `base.schemas`; `note` is said in the card.

    Clips and boxes are in pixels of the dataset's pictures (`picture_sizes`). `imported`: where the batch is a dataset
    that was taken over.
    """

    batch: str
    source_videos: pl.DataFrame
    clips: pl.DataFrame
    proposals: pl.DataFrame
    consensus_boxes: pl.DataFrame
    consensus_labels: pl.DataFrame
    disputed: pl.DataFrame
    note: str = ""
    imported: ImportRecord | None = None

    def without_doubt(self, least_chance: float) -> BatchTables:
        """The same with seconds excluded too at which somebody has a label that holds with less than that chance.

        Of a label without a chance nothing is known: it excludes nothing.
        """
        doubtful = self.consensus_labels.filter(pl.col("posterior") < least_chance)
        seconds = (
            doubtful.select("clip_id", "second")
            .unique()
            .with_columns(reason=pl.lit(f"a label holds with a chance below {least_chance:g}"))
        )
        added = seconds.join(self.disputed, on=["clip_id", "second"], how="anti")
        disputed = pl.concat([self.disputed, conform(added, DISPUTED, "disputed")])
        return replace(self, disputed=disputed.sort("clip_id", "second"))


@dataclass(frozen=True)
class BatchWork:
    """Who said what: tables of `ava_core.base.schemas`, of all annotators.

    `excluded`: annotators without a vote; `approvals`: `clip_id, approved_by, approved_at`; `answered` is empty where
    it was not measured when the batch was read.
    """

    jobs: pl.DataFrame
    completed: pl.DataFrame
    raw_boxes: pl.DataFrame
    raw_labels: pl.DataFrame
    persons: pl.DataFrame
    approvals: pl.DataFrame
    excluded: frozenset[str] = frozenset()
    answered: pl.DataFrame = field(default_factory=lambda: empty(ANSWERED))


APPROVALS: Schema = {"clip_id": pl.String, "approved_by": pl.String, "approved_at": pl.String}


def ready_batches(storage: Storage, store: Store, wanted: Sequence[str] = ()) -> list[str]:
    """Batches that have a dataset, oldest first: all of them, or the `wanted` ones.

    Raises `ExportError` for a wanted batch that is not known or has none.
    """
    known = batches.names(store)
    ready = [name for name in known if storage.table_path(name, "ava_csv").exists()]
    for name in wanted:
        if name not in ready:
            raise ExportError(
                f"Batch {name} has no dataset yet." if name in known else f"There is no batch {name}.",
                "Approve clips in it, then wait for ava_csv."
                if name in known
                else "List them with `ava batch list`.",
            )
    return [name for name in ready if name in wanted or not wanted]


def load_inputs(
    settings: Settings,
    storage: Storage,
    store: Store,
    wanted: Sequence[str] = (),
    *,
    without: Collection[str] = (),
) -> list[tuple[BatchTables, BatchWork]]:
    """Tables and work of `ready_batches` but some, each by its log and readings of one moment.

    Raises `ExportError` where nothing in them is approved.
    """
    ready = [
        open_batch(settings, name, storage=storage, store=store)
        for name in ready_batches(storage, store, wanted) if name not in without
    ]  # fmt: skip
    inputs = []
    for at in ready:
        now = standing(at.store, at.batch)
        inputs.append((load_batch(at, now), load_work(at, now)))
    if not any(tables.consensus_labels.height for tables, _ in inputs):
        raise ExportError("No batch has an approved dataset yet.", "Approve clips, then wait for ava_csv.")
    return inputs


def behind_log(at: BatchContext, now: Standing) -> list[str]:
    """In what a batch's consensus says something else than its log and readings do `now`, in sentences."""
    if not at.storage.table_path(at.batch, "consensus_labels", "basis").exists():
        return ["it is being formed, or was formed before this version of the platform"]
    formed = conform(at.table("consensus_labels", "basis"), BASIS, f"basis of batch {at.batch}")
    known = conform(at.table("consensus_labels", "provenance"), PROVENANCE, f"provenance of batch {at.batch}")
    return behind(formed, known, now)


def load_batch(at: BatchContext, now: Standing | None = None) -> BatchTables:
    """Read a batch's tables. Raises `InputError` naming the asset that is missing.

    Of the consensus only clips that are approved `now` (at this moment) count, whatever was approved when it was made.
    """
    approved = list((now or standing(at.store, at.batch)).state.approved)

    def read(asset: str, schema: Schema, table: str = "") -> pl.DataFrame:
        found = at.table(asset, table)
        if asset == "source_videos":
            found = with_new_columns(found, ADDED_TO_SOURCE_VIDEOS)
        return conform(found, schema, f"{table or asset} of batch {at.batch}")

    def consensus(schema: Schema, table: str) -> pl.DataFrame:
        return read("consensus_labels", schema, table).filter(pl.col("clip_id").is_in(approved))

    clips, (proposals, boxes) = as_pictures(
        read("clips", CLIPS),
        (read("dense_proposals", PROPOSALS), consensus(CONSENSUS_BOXES, "consensus_boxes")),
        at.settings,
    )
    imported = import_record(at.storage, at.batch)
    disputed = consensus(DISPUTED, "disputed")
    if imported is not None:
        disputed = pl.concat([disputed, imported.disputed()])
    return BatchTables(
        batch=at.batch,
        source_videos=read("source_videos", SOURCE_VIDEOS),
        clips=clips,
        proposals=proposals,
        consensus_boxes=boxes,
        consensus_labels=consensus(CONSENSUS_LABELS, "consensus_labels"),
        disputed=disputed.unique(["clip_id", "second"], keep="first", maintain_order=True),
        imported=imported,
        note=batches.get(at.store, at.batch).note,
    )


def load_work(at: BatchContext, now: Standing | None = None) -> BatchWork:
    """Read what the annotators of a batch did, by what holds `now`. Raises `InputError` naming the missing asset."""
    held = now or standing(at.store, at.batch)

    def read(asset: str, schema: Schema, table: str = "") -> pl.DataFrame:
        found = at.table(asset, table)
        return conform(found, schema, f"{table or asset} of batch {at.batch}")

    measured = at.storage.table_path(at.batch, "raw_annotations", "answered").exists()
    approvals = [(clip, one.actor, one.decided_at.isoformat()) for clip, one in held.approvals.items()]
    return BatchWork(
        jobs=read("cvat_tasks", CVAT_JOBS),
        completed=read("raw_annotations", COMPLETED_JOBS, "completed_jobs"),
        raw_boxes=read("raw_annotations", RAW_BOXES, "raw_boxes"),
        raw_labels=read("raw_annotations", RAW_LABELS, "raw_labels"),
        persons=read("consensus_labels", PERSONS, "persons"),
        approvals=pl.DataFrame(approvals, schema=dict(APPROVALS), orient="row"),
        excluded=held.state.excluded,
        answered=read("raw_annotations", ANSWERED, "answered") if measured else empty(ANSWERED),
    )
