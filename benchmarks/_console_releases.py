"""The planted home's releases: real ones but for their pictures, small and large."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import polars as pl

from ava_core.base.settings import Settings
from ava_core.base.storage import Storage
from ava_core.dataset.export import provenance
from ava_core.dataset.export.card import Card, write_card
from ava_core.dataset.export.gather import Inputs, manifest
from ava_core.dataset.export.inputs import load_inputs
from ava_core.dataset.export.lineage import lineage
from ava_core.dataset.export.options import ReleaseOptions
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.rows import annotation_rows
from ava_core.dataset.formats.ava.writer import write_annotations
from ava_core.dataset.formats.dataset import Dataset
from ava_core.ontology import Ontology
from ava_core.store import Store
from benchmarks._console_work import EPOCH, Size, Tables


def write_releases(
    settings: Settings, storage: Storage, store: Store, size: Size, ontology: Ontology, made: Tables
) -> None:
    """As releases are written, but without pictures: small ones, then half of the released batches, then all.

    The card of the last is real, and the others' is the same text.
    """
    released = [name for number, name in enumerate(size.names) if size.stage(number) == "released"]
    inputs = load_inputs(settings, storage, store, released)
    tables = [one for one, _ in inputs]
    about = provenance.describe(
        "", tables, ontology, asdict(ReleaseOptions()), settings, storage, store, left_out={}, behind={}
    )
    whole, card = _dataset(inputs, ontology), ""
    for number in range(size.releases, 0, -1):
        share = {size.releases: 1.0, size.releases - 1: 0.5}.get(number, 0.01 * number)
        inside = inputs[: max(1, round(share * len(inputs)))]
        folder = storage.local(storage.path("releases", f"v{number}"))
        folder.mkdir(parents=True)
        batches = {one.batch: about["batches"][one.batch] for one, _ in inside}
        own = about | {"name": folder.name, "batches": batches}
        origin = _write_dataset(folder, whole, inside)
        if not card:
            agreement = {table: content for (asset, table), content in made.items() if asset == "agreement"}
            write_card(
                folder, Card(whole, licence="CC-BY-4.0", agreement=agreement, lineage=origin, about=own)
            )
            card = (folder / names.CARD).read_text("utf-8")
        (folder / names.CARD).write_text(card, "utf-8")
        provenance.write_about(folder, own)
        made_at = (EPOCH + timedelta(days=10 * number)).timestamp()
        os.utime(folder / names.RECORD, (made_at, made_at))


def _dataset(inputs: Inputs, ontology: Ontology) -> Dataset:
    """All rows, two source videos in ten for validation and test."""
    tables = [one for one, _ in inputs]
    rows = pl.concat(
        annotation_rows(one.consensus_boxes, one.consensus_labels, one.clips, one.disputed) for one in tables
    )
    clips = pl.concat(one.clips for one in tables)
    clips = clips.join(rows, left_on="clip_id", right_on="video_id", how="semi")
    splits = ("train",) * 8 + ("val", "test")
    split_of = {source: splits[n % 10] for n, source in enumerate(clips["source_id"].unique().sort())}
    return Dataset(
        title="Release", rows=rows, clips=clips, ontology=ontology,
        proposals=pl.concat(one.proposals for one in tables), disputed=pl.concat(one.disputed for one in tables),
        split_of={clip: split_of[source] for clip, source in clips.select("clip_id", "source_id").iter_rows()},
    )  # fmt: skip


def _write_dataset(folder: Path, whole: Dataset, inside: Inputs) -> pl.DataFrame:
    """The part of the dataset that comes of some batches; gives its lineage."""
    clips = whole.clips.filter(pl.col("batch").is_in([one.batch for one, _ in inside]))
    own = clips.select("clip_id")

    def part(table: pl.DataFrame, column: str = "clip_id") -> pl.DataFrame:
        return table.join(own, left_on=column, right_on="clip_id", how="semi", maintain_order="left")

    dataset = replace(
        whole, clips=clips, rows=part(whole.rows, "video_id"), proposals=part(whole.proposals),
        disputed=part(whole.disputed), split_of={clip: whole.split_of[clip] for clip in clips["clip_id"]},
    )  # fmt: skip
    write_annotations(folder, dataset)
    manifest(dataset, inside).write_parquet(folder / names.MANIFEST)
    origin = lineage(dataset, inside)
    origin.write_parquet(folder / names.LINEAGE)
    return origin
