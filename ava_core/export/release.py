"""Releases: all approved batches as one immutable dataset, split by source video."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from ava_core.agreement.measure import measure_agreement
from ava_core.errors import ExportError
from ava_core.export import provenance
from ava_core.export.card import Card, write_card
from ava_core.export.citation import write_citation
from ava_core.export.croissant import write_croissant
from ava_core.export.dataset import Dataset
from ava_core.export.flavours import FLAVOURS, write_dataset
from ava_core.export.inputs import BatchTables, BatchWork, load_batch, load_work
from ava_core.export.lineage import FILE as LINEAGE_FILE
from ava_core.export.lineage import lineage
from ava_core.export.rows import annotation_rows
from ava_core.export.splits import RATIOS, SPLITS, assign_splits, check_leakage
from ava_core.ontology import Ontology, load_ontology
from ava_core.progress import Progress, ProgressSink, ignore_progress
from ava_core.settings import Settings
from ava_core.storage import Storage
from ava_core.store import Store, batches

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")

Inputs = Sequence[tuple[BatchTables, BatchWork]]


@dataclass(frozen=True)
class ReleaseOptions:
    """How a release is made.

    An empty `name` takes the next free one of v1, v2, … `ratios`: shares of train, val, test; `pins`: the split
    of single source videos; `flavours`: layouts beside AVA's own (`flavours.FLAVOURS`); `least_rows`: rows below
    which a class is reported in the card, and left out where `drop_rare`; ids never change. `licence` and
    `authors` go into card and citation.
    """

    name: str = ""
    note: str = ""
    licence: str = ""
    authors: Sequence[str] = ()
    flavours: Sequence[str] = tuple(FLAVOURS)
    ratios: Mapping[str, float] = field(default_factory=lambda: dict(RATIOS))
    pins: Mapping[str, str] = field(default_factory=dict)
    least_rows: int = 0
    drop_rare: bool = False


@dataclass(frozen=True)
class Release:
    """A release: its name, folder, and counts."""

    name: str
    folder: Path
    counts: dict[str, int]


def write_release(
    options: ReleaseOptions,
    settings: Settings,
    storage: Storage,
    store: Store,
    *,
    sink: ProgressSink = ignore_progress,
) -> Release:
    """Write `releases/<name>` from every batch that has a dataset; nothing is left behind where it fails.

    Splits of earlier releases hold. Raises `ExportError` where the name is taken, nothing is approved, pictures
    are missing, or batches contradict each other in names or ontologies.
    """
    root = storage.local(storage.path("releases"))
    root.mkdir(parents=True, exist_ok=True)
    name = _free_name(root, options.name)
    ready = [b for b in batches.names(store) if storage.table_path(b, "ava_csv").exists()]
    inputs = [(load_batch(storage, store, b), load_work(storage, store, b)) for b in ready]
    if not any(tables.consensus_labels.height for tables, _ in inputs):
        raise ExportError("No batch has an approved dataset yet.", "Approve clips, and wait for ava_csv.")
    ontology = _common_ontology([tables for tables, _ in inputs], settings, store)
    dataset, splits = _gather(name, inputs, ontology, options, settings, root)
    dataset = _with_pictures(dataset, storage)
    about = provenance.describe(
        name, [tables for tables, _ in inputs], ontology, asdict(options), settings, storage, store
    )
    staged = root / f".{name}-{secrets.token_hex(4)}"
    progress = Progress("write release", 3, "parts", sink)
    try:
        write_dataset(staged, dataset, options.flavours)
        progress.advance()
        _write_papers(staged, dataset, inputs, options, about, seed=settings.seed)
        (staged / "splits.json").write_text(json.dumps(splits, indent=2) + "\n", "utf-8")
        progress.advance()
        provenance.write_about(staged, about)
        staged.rename(root / name)
        progress.advance()
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    progress.finish()
    counts = {split: sum(own == split for own in dataset.split_of.values()) for split in SPLITS}
    return Release(name, root / name, {"batches": len(inputs), "rows": dataset.rows.height} | counts)


def _gather(
    name: str, inputs: Inputs, ontology: Ontology, options: ReleaseOptions, settings: Settings, root: Path
) -> tuple[Dataset, dict[str, Any]]:
    """All batches as one dataset without pictures, and what `splits.json` keeps."""
    _refuse_doubled_sources(inputs)
    clips = pl.concat([tables.clips for tables, _ in inputs])
    rows = pl.concat(
        [annotation_rows(t.consensus_boxes, t.consensus_labels, t.clips, t.disputed) for t, _ in inputs]
    ).sort("video_id", "timestamp", "person_id", "action_id")
    if options.drop_rare:
        rows = rows.filter(pl.len().over("action_id") >= options.least_rows)
    if rows.is_empty():
        raise ExportError(
            "No labelled person is left in an approved clip.", "Approve clips, or lower the floor."
        )
    used = clips.filter(pl.col("clip_id").is_in(rows["video_id"].unique().to_list()))
    content = _content(inputs)
    splits = _splits(rows, used, content, options, settings.seed, root)
    _refuse_leakage(used, splits, content)
    dataset = Dataset(
        title=f"Release {name}",
        rows=rows,
        clips=used,
        proposals=pl.concat([tables.proposals for tables, _ in inputs]),
        disputed=pl.concat([tables.disputed for tables, _ in inputs]),
        split_of={c: splits[s] for c, s in used.select("clip_id", "source_id").sort("clip_id").rows()},
        ontology=ontology,
    )
    record = {
        "seed": settings.seed, "ratios": dict(options.ratios), "sources": splits,
        "sha256": {source: content[source] for source in splits},
    }  # fmt: skip
    return dataset, record


def _refuse_leakage(clips: pl.DataFrame, splits: Mapping[str, str], content: Mapping[str, str]) -> None:
    sources = [(f"Source video {name}", content[name], split) for name, split in splits.items()]
    cut = [
        (f"Clip {clip}", sha256, splits[source])
        for clip, sha256, source in clips.select("clip_id", "sha256", "source_id").sort("clip_id").rows()
    ]
    check_leakage(pl.DataFrame(sources + cut, ["what", "sha256", "split"], orient="row"))


def _splits(
    rows: pl.DataFrame,
    used: pl.DataFrame,
    content: Mapping[str, str],
    options: ReleaseOptions,
    seed: int,
    root: Path,
) -> dict[str, str]:
    """The split of every source video: by earlier releases, by pins, else assigned. Same content, same split."""
    sources = sorted(used["source_id"].unique())
    first: dict[str, str] = {}
    for source in sources:
        first.setdefault(content[source], source)
    stands_for = {source: first[content[source]] for source in sources}
    earlier = _earlier_splits(root)
    fixed: dict[str, str] = {}
    for source in sources:
        was = earlier.get(source) or earlier.get(content[source])
        pin = options.pins.get(source)
        if pin and was and pin != was:
            raise ExportError(
                f"{source} is pinned to {pin}, but was released in {was}.",
                "A source video never changes its split: what was trained on would be tested on.",
            )
        if pin or was:
            fixed.setdefault(stands_for[source], pin or was or "")
    unknown = sorted(set(options.pins) - set(sources))
    if unknown:
        raise ExportError(f"{unknown[0]} is pinned, but no approved clip comes from it.", "Check the name.")
    counts = (
        rows.join(used.select(video_id="clip_id", source_id="source_id"), on="video_id")
        .with_columns(pl.col("source_id").replace_strict(stands_for))
        .group_by("source_id", "action_id")
        .agg(rows=pl.len())
    )
    given = assign_splits(counts, seed=seed, ratios=options.ratios, fixed=fixed)
    return {source: options.pins.get(source) or given[stands_for[source]] for source in sources}


def _write_papers(
    folder: Path,
    dataset: Dataset,
    inputs: Inputs,
    options: ReleaseOptions,
    about: Mapping[str, Any],
    *,
    seed: int,
) -> None:
    """Everything that is about the dataset: manifest, lineage, card, citation, Croissant."""
    _manifest(dataset, inputs).write_parquet(folder / "manifest.parquet")
    origin = lineage(dataset, inputs)
    origin.write_parquet(folder / LINEAGE_FILE)
    notes = [options.note] + [f"Batch {tables.batch}: {tables.note}" for tables, _ in inputs if tables.note]
    card = Card(
        dataset,
        note="\n".join(filter(None, notes)),
        licence=options.licence,
        least_rows=options.least_rows,
        agreement=_agreement(dataset, inputs, seed),
        lineage=origin,
        about=about,
    )
    write_card(folder, card)
    write_citation(folder, about, options.authors, options.licence)
    write_croissant(folder, dataset, about, options.licence)


def _agreement(dataset: Dataset, inputs: Inputs, seed: int) -> dict[str, pl.DataFrame]:
    """Agreement of those who had a vote, on the clips of the release."""
    released = pl.col("clip_id").is_in(list(dataset.split_of))

    def together(tables: list[pl.DataFrame]) -> pl.DataFrame:
        return pl.concat(
            table.filter(released, ~pl.col("annotator").is_in(sorted(work.excluded)))
            for table, (_, work) in zip(tables, inputs, strict=True)
        )

    return measure_agreement(
        together([work.raw_boxes for _, work in inputs]),
        together([work.raw_labels for _, work in inputs]),
        together([work.completed for _, work in inputs]),
        dataset.ontology,
        seed=seed,
    )


def _manifest(dataset: Dataset, inputs: Inputs) -> pl.DataFrame:
    """A row per video: where it comes from, to the file and second."""
    sources = pl.concat([tables.source_videos for tables, _ in inputs])
    named = sources.select("source_id", "original_name", source_sha256="sha256")
    counts = dataset.rows.group_by(pl.col("video_id").alias("clip_id")).agg(rows=pl.len())
    joined = dataset.clips.join(named, on="source_id").join(counts, on="clip_id").sort("clip_id")
    split = pl.col("clip_id").replace_strict(dict(dataset.split_of))
    return joined.with_columns(split=split).rename({"clip_id": "video_id"})


def _with_pictures(dataset: Dataset, storage: Storage) -> Dataset:
    batch_of = dict(dataset.clips.select("clip_id", "batch").rows())
    folders = {
        clip: storage.local(storage.asset_dir(batch_of[clip], "ava_csv") / "dataset" / "frames" / clip)
        for clip in dataset.split_of
    }
    whole = Dataset(**{**vars(dataset), "pictures": folders})
    whole.refuse_missing_pictures()
    return whole


def _content(inputs: Inputs) -> dict[str, str]:
    return dict(
        pl.concat([tables.source_videos for tables, _ in inputs]).select("source_id", "sha256").rows()
    )


def _refuse_doubled_sources(inputs: Inputs) -> None:
    owner: dict[str, str] = {}
    for tables, _ in inputs:
        for source in tables.clips["source_id"].unique().sort():
            if owner.setdefault(source, tables.batch) != tables.batch:
                raise ExportError(
                    f"Batches {owner[source]} and {tables.batch} both have a source video {source}.",
                    "Add one of them again under another batch name.",
                )


def _free_name(root: Path, name: str) -> str:
    if not name:
        number = 1
        while (root / f"v{number}").exists():
            number += 1
        return f"v{number}"
    if not _NAME.fullmatch(name):
        raise ExportError(f"{name!r} cannot name a release.", "Use letters, digits, '_', '.', '-'.")
    if (root / name).exists():
        raise ExportError(
            f"Release {name} exists already, and releases never change.", "Choose another name."
        )
    return name


def _common_ontology(inputs: Sequence[BatchTables], settings: Settings, store: Store) -> Ontology:
    found = {
        b.batch: load_ontology(settings.with_options(batches.get(store, b.batch).options).ontology)
        for b in inputs
    }
    newest = max(found.values(), key=lambda ontology: (ontology.version, len(ontology.actions)))
    known = {(action.id, action.name) for action in newest.actions}
    for batch, ontology in found.items():
        clash = [a for a in ontology.actions if (a.id, a.name) not in known and a.id not in newest.retired]
        if ontology.name != newest.name or clash:
            raise ExportError(
                f"Batch {batch} uses ontology {ontology.name} {ontology.version}, others {newest.name} "
                f"{newest.version}" + (f", where {clash[0].id} is not {clash[0].name}." if clash else "."),
                "Release batches of one ontology together.",
            )
    return newest


def _earlier_splits(root: Path) -> dict[str, str]:
    """Splits of all earlier releases by source and by content hash, oldest first: the oldest word holds."""
    fixed: dict[str, str] = {}
    for path in sorted(root.glob("[!.]*/splits.json"), key=lambda path: path.stat().st_mtime):
        record = json.loads(path.read_text("utf-8"))
        for source, split in record["sources"].items():
            fixed.setdefault(source, split)
            fixed.setdefault(record.get("sha256", {}).get(source, source), split)
    return fixed
