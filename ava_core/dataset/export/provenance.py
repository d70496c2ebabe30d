"""What a release was made of, precisely enough to make it again: `release.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ava_core import __version__
from ava_core.base.schemas import USABLE
from ava_core.base.settings import CLIP_OPTIONS, Settings
from ava_core.base.storage import Storage
from ava_core.batch import open_batch
from ava_core.dataset.export.inputs import BatchTables
from ava_core.dataset.formats.ava import names
from ava_core.ontology import Ontology
from ava_core.store import Store
from ava_core.video.media.hashing import hash_file

INPUTS: Final = (
    ("source_videos", "source_videos"), ("clips", "clips"), ("dense_proposals", "dense_proposals"),
    ("raw_annotations", "raw_boxes"), ("raw_annotations", "raw_labels"),
    ("consensus_labels", "consensus_boxes"), ("consensus_labels", "consensus_labels"),
    ("consensus_labels", "disputed"),
)  # fmt: skip
"""Assets and tables that a release is made from."""

SETTINGS: Final = (
    "ontology", *CLIP_OPTIONS, "detector", "rfdetr_size", "detect_fps", "detection_threshold", "tracker",
    "overlap", "annotators_per_clip", "seed",
)  # fmt: skip
"""Settings that shape the data; nothing secret, no address."""


def describe(
    name: str,
    inputs: Sequence[BatchTables],
    ontology: Ontology,
    options: Mapping[str, Any],
    settings: Settings,
    storage: Storage,
    store: Store,
    *,
    left_out: Mapping[str, str],
    behind: Mapping[str, str],
) -> dict[str, Any]:
    """Name, time, ontology, options, and of every batch its settings, sources and hashes of input tables.

    `left_out`, `behind`: clips, and batches that are behind their log, that the release goes without, with the reason.
    """
    return {
        "name": name,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "made_by": f"ava-platform {__version__}",
        "ontology": {"name": ontology.name, "version": ontology.version, "digest": ontology.digest},
        "options": dict(options),
        "left_out": dict(left_out),
        "behind": dict(behind),
        "batches": {each.batch: _batch(each, settings, storage, store) for each in inputs},
    }


def write_about(folder: Path, about: Mapping[str, Any]) -> None:
    """Write `release.json`, last of all: it holds the hash of every other file but pictures."""
    content = {**about, "files": file_hashes(folder)}
    (folder / names.RECORD).write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 by path of every file but pictures and `release.json` itself."""
    files = sorted(
        path for path in folder.rglob("*") if path.suffix not in names.PICTURE_SUFFIXES and path.is_file()
    )
    return {
        path.relative_to(folder).as_posix(): hash_file(path) for path in files if path.name != names.RECORD
    }


def _batch(tables: BatchTables, settings: Settings, storage: Storage, store: Store) -> dict[str, Any]:
    own = open_batch(settings, tables.batch, store=store).settings
    good = tables.source_videos.filter(USABLE)
    hashes = {}
    for asset, table in INPUTS:
        with storage.fetched(storage.table_path(tables.batch, asset, table)) as path:
            hashes[table] = hash_file(path)
    return {
        "clips": tables.clips.height,
        "sources": dict(good.select("source_id", "sha256").rows()),
        "settings": {name: getattr(own, name) for name in SETTINGS},
        "inputs": hashes,
    }
