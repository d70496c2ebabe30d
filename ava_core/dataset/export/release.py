"""Releases: all approved batches as one immutable dataset, split by source video."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from upath import UPath

from ava_core.base.errors import ExportError
from ava_core.base.names import NAME
from ava_core.base.progress import Progress, ProgressSink, ignore_progress
from ava_core.base.settings import Settings
from ava_core.base.storage import Storage
from ava_core.dataset.export import provenance
from ava_core.dataset.export.agreeing import agreeing_inputs
from ava_core.dataset.export.card import Card, write_card
from ava_core.dataset.export.citation import write_citation
from ava_core.dataset.export.croissant import write_croissant
from ava_core.dataset.export.folders import building
from ava_core.dataset.export.gather import Gathered, Inputs, gather, manifest
from ava_core.dataset.export.lineage import lineage
from ava_core.dataset.export.options import ReleaseOptions
from ava_core.dataset.export.packs import stand_ins_for_packed
from ava_core.dataset.export.stand_ins import stand_in_for
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.names import SPLITS
from ava_core.dataset.formats.ava.picture_record import record_pictures
from ava_core.dataset.formats.flavours import write_dataset
from ava_core.store import Store


@dataclass(frozen=True)
class Release:
    """A release: its name, folder, counts, and the clips that it goes without, with the reason."""

    name: str
    folder: UPath
    counts: dict[str, int]
    left_out: Mapping[str, str]


def write_release(
    options: ReleaseOptions,
    settings: Settings,
    storage: Storage,
    store: Store,
    *,
    sink: ProgressSink = ignore_progress,
) -> Release:
    """Write `releases/<name>` from all batches with a dataset, or the named ones; a failure leaves nothing behind.

    Splits of earlier releases stay. Every batch's consensus agrees with its decision log (`agreeing`). Clips without
    pictures are left out, and named in card and record. Raises `ExportError` if the name is taken, a batch is behind
    its log, nothing is approved, no clip has its pictures, a class is too weak, or batches contradict each other in
    names or ontologies.
    """
    root = storage.path("releases")
    name = _free_name(root, options.name)
    agreeing = agreeing_inputs(options, settings, storage, store)
    inputs = agreeing.inputs
    progress = Progress("write release", 4, "parts", sink)
    with ExitStack() as fetched:

        def fetch(folder: UPath, noted: pl.DataFrame) -> Path:
            if storage.is_local:
                return storage.local(folder)
            here = Path(fetched.enter_context(TemporaryDirectory(prefix="ava-"))) / folder.name
            packed = stand_ins_for_packed(folder.parent.parent, folder.name, noted, here)
            return packed or stand_in_for(folder, here)  # one by one, as `ava move` takes them along

        gathered = gather(
            name, inputs, options, settings, storage, store, fetch=fetch,
            fetch_video=lambda path: fetched.enter_context(storage.fetched(path)),
        )  # fmt: skip
        dataset = gathered.dataset
        about = provenance.describe(
            name,
            [tables for tables, _ in inputs],
            dataset.ontology,
            asdict(options),
            settings,
            storage,
            store,
            left_out=gathered.left_out,
            behind=agreeing.behind,
        )
        progress.advance()
        with building(storage, root / name) as staged:
            write_dataset(staged, dataset, options.flavours)
            progress.advance()
            _write_papers(staged, gathered, inputs, options, about)
            if (
                storage.is_local
            ):  # elsewhere small files stand in for pictures; the store has checksums of its own
                record_pictures(staged)
            progress.advance()
            provenance.write_about(staged, about)
    progress.advance()
    progress.finish()
    counts = {split: sum(own == split for own in dataset.split_of.values()) for split in SPLITS}
    counts |= {"batches": len(inputs), "rows": dataset.rows.height}
    return Release(name, root / name, counts, gathered.left_out)


def _write_papers(
    folder: Path, gathered: Gathered, inputs: Inputs, options: ReleaseOptions, about: Mapping[str, Any]
) -> None:
    """Everything that is about the dataset: manifest, lineage, splits, card, citation, Croissant."""
    dataset = gathered.dataset
    manifest(dataset, inputs).write_parquet(folder / names.MANIFEST)
    origin = lineage(dataset, inputs)
    origin.write_parquet(folder / names.LINEAGE)
    (folder / names.SPLIT_RECORD).write_text(json.dumps(gathered.splits, indent=2) + "\n", "utf-8")
    notes = [options.note] + [f"Batch {tables.batch}: {tables.note}" for tables, _ in inputs if tables.note]
    card = Card(
        dataset,
        note="\n".join(filter(None, notes)),
        licence=options.licence,
        least_rows=options.least_rows,
        dropped=gathered.dropped,
        agreement=gathered.agreement,
        lineage=origin,
        about=about,
    )
    write_card(folder, card)
    write_citation(folder, about, options.authors, options.licence)
    write_croissant(folder, dataset, about, options.licence)


def _free_name(root: UPath, name: str) -> str:
    if not name:
        number = 1
        while (root / f"v{number}").exists():
            number += 1
        return f"v{number}"
    if not NAME.fullmatch(name):
        raise ExportError(f"{name!r} is not a valid release name.", "Use letters, digits, '_', '.', '-'.")
    if (root / name).exists():
        raise ExportError(
            f"Release {name} already exists, and releases never change.", "Choose another name."
        )
    return name
