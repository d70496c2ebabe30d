"""Releases: all approved batches as one immutable dataset, split by source video."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from ava_core import __version__
from ava_core.errors import ExportError
from ava_core.export.card import write_card
from ava_core.export.inputs import BatchTables, load_batch
from ava_core.export.layout import link_pictures, write_annotations
from ava_core.export.rows import annotation_rows
from ava_core.export.splits import SPLITS, assign_splits
from ava_core.ontology import Ontology, load_ontology
from ava_core.progress import Progress, ProgressSink, ignore_progress
from ava_core.settings import Settings
from ava_core.storage import Storage
from ava_core.store import Store, batches

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


@dataclass(frozen=True)
class Release:
    """A release: its name, folder, and counts."""

    name: str
    folder: Path
    counts: dict[str, int]


def write_release(
    name: str,
    settings: Settings,
    storage: Storage,
    store: Store,
    *,
    note: str = "",
    sink: ProgressSink = ignore_progress,
) -> Release:
    """Write `releases/<name>` from every batch that has a dataset; nothing is left behind where it fails.

    An empty `name` takes the next free one of v1, v2, … Splits of earlier releases hold. Raises `ExportError`
    where the name is taken, nothing is approved, or two batches use ontologies that contradict each other.
    """
    root = storage.local(storage.path("releases"))
    root.mkdir(parents=True, exist_ok=True)
    name = _free_name(root, name)
    inputs = [load_batch(storage, store, batch) for batch in _with_dataset(storage, store)]
    if not inputs:
        raise ExportError("No batch has an approved dataset yet.", "Approve clips, and wait for ava_csv.")
    ontology = _common_ontology(inputs, settings, store)
    tables = _Together(inputs)
    splits = assign_splits(tables.class_counts(), seed=settings.seed, fixed=_earlier_splits(root))
    split_of = {clip: splits[source] for clip, source in tables.sources_of_clips().items()}
    staged = root / f".{name}-{secrets.token_hex(4)}"
    try:
        write_annotations(
            staged, tables.rows, tables.clips, tables.proposals, tables.disputed, split_of, ontology
        )
        progress = Progress("link pictures", len(split_of), "clips", sink)
        for clip_id, batch in tables.batch_of_clips().items():
            frames = storage.asset_dir(batch, "ava_csv") / "dataset" / "frames" / clip_id
            link_pictures(staged, clip_id, storage.local(frames))
            progress.advance()
        progress.finish()
        notes = [f"{note}"] + [f"Batch {each.batch}: {each.note}" for each in inputs if each.note]
        write_card(
            staged,
            f"Release {name}",
            tables.rows,
            tables.clips,
            split_of,
            ontology,
            note="\n".join(filter(None, notes)),
        )
        tables.manifest(split_of).write_parquet(staged / "manifest.parquet")
        about = _about(name, inputs, ontology, settings)
        (staged / "splits.json").write_text(
            json.dumps({"seed": settings.seed, "sources": splits}, indent=2) + "\n"
        )
        (staged / "release.json").write_text(json.dumps(about, indent=2) + "\n")
        staged.rename(root / name)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    counts = {split: sum(s == split for s in split_of.values()) for split in SPLITS}
    return Release(name, root / name, {"batches": len(inputs), "rows": tables.rows.height} | counts)


class _Together:
    """The tables of several batches as one."""

    def __init__(self, inputs: list[BatchTables]) -> None:
        self.clips = pl.concat([each.clips for each in inputs])
        self.sources = pl.concat([each.source_videos for each in inputs])
        self.proposals = pl.concat([each.proposals for each in inputs])
        self.disputed = pl.concat([each.disputed for each in inputs])
        self.rows = pl.concat(
            [annotation_rows(each.consensus_boxes, each.consensus_labels, each.clips) for each in inputs]
        ).sort("video_id", "timestamp", "person_id", "action_id")
        self.used = self.clips.filter(pl.col("clip_id").is_in(self.rows["video_id"].unique().to_list()))

    def sources_of_clips(self) -> dict[str, str]:
        return dict(self.used.select("clip_id", "source_id").sort("clip_id").rows())

    def batch_of_clips(self) -> dict[str, str]:
        return dict(self.used.select("clip_id", "batch").sort("clip_id").rows())

    def class_counts(self) -> pl.DataFrame:
        joined = self.rows.join(self.used.select(video_id="clip_id", source_id="source_id"), on="video_id")
        return joined.group_by("source_id", "action_id").agg(rows=pl.len()).sort("source_id", "action_id")

    def manifest(self, split_of: dict[str, str]) -> pl.DataFrame:
        """A row per video: where it comes from, to the file and second."""
        sources = self.sources.select("source_id", "original_name", source_sha256="sha256")
        counts = self.rows.group_by(pl.col("video_id").alias("clip_id")).agg(rows=pl.len())
        joined = self.used.join(sources, on="source_id").join(counts, on="clip_id").sort("clip_id")
        return joined.with_columns(split=pl.col("clip_id").replace_strict(split_of)).rename(
            {"clip_id": "video_id"}
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


def _with_dataset(storage: Storage, store: Store) -> list[str]:
    return [b for b in batches.names(store) if storage.table_path(b, "ava_csv").exists()]


def _common_ontology(inputs: list[BatchTables], settings: Settings, store: Store) -> Ontology:
    found = {
        b.batch: load_ontology(settings.with_options(batches.get(store, b.batch).options).ontology)
        for b in inputs
    }
    newest = max(found.values(), key=lambda ontology: ontology.version)
    for batch, ontology in found.items():
        clash = [
            a for a in ontology.actions if (a.id, a.name) not in {(b.id, b.name) for b in newest.actions}
        ]
        if ontology.name != newest.name or clash:
            raise ExportError(
                f"Batch {batch} uses ontology {ontology.name} {ontology.version}, "
                f"others {newest.name} {newest.version}.",
                "Release batches of one ontology together.",
            )
    return newest


def _earlier_splits(root: Path) -> dict[str, str]:
    """Splits of all earlier releases, oldest first: what was once trained on is never tested on."""
    fixed: dict[str, str] = {}
    for path in sorted(root.glob("*/splits.json"), key=lambda path: path.stat().st_mtime):
        for source, split in json.loads(path.read_text())["sources"].items():
            fixed.setdefault(source, split)
    return fixed


def _about(name: str, inputs: list[BatchTables], ontology: Ontology, settings: Settings) -> dict[str, Any]:
    return {
        "name": name,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "made_by": f"ava-platform {__version__}",
        "ontology": {"name": ontology.name, "version": ontology.version, "digest": ontology.digest},
        "seed": settings.seed,
        "batches": {
            each.batch: {
                "clips": each.clips.height,
                "sources": dict(
                    each.source_videos.filter(pl.col("status") == "ok").select("source_id", "sha256").rows()
                ),
            }
            for each in inputs
        },
    }


def _hashes(source_videos: pl.DataFrame) -> dict[str, str]:
    return dict(source_videos.filter(pl.col("status") == "ok").select("source_id", "sha256").rows())
