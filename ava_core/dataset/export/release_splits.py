"""Splits of a release: by earlier releases, by pins, else assigned; the same content is never in two."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import polars as pl
from upath import UPath

from ava_core.base.errors import ExportError
from ava_core.dataset.export.inputs import BatchTables, BatchWork
from ava_core.dataset.export.options import ReleaseOptions
from ava_core.dataset.export.splits import assign_splits, check_leakage
from ava_core.dataset.export.val_clips import sources_for_training
from ava_core.dataset.formats.ava import names


def release_splits(
    rows: pl.DataFrame,
    used: pl.DataFrame,
    content: Mapping[str, str],
    options: ReleaseOptions,
    seed: int,
    root: UPath,
    *,
    usable: frozenset[str],
    given: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The split of every source video.

    `rows`: `rows.ROW_COLUMNS`; `used`: clips that have rows; `content`: hash of every source; `root`: the folder
    of releases; `usable`: clips that readers can validate on, other sources are trained on; `given`: splits that
    imported datasets came with, which hold where nothing else is said. Raises `ExportError` for pins that contradict
    what was released, and where the same content would lie in two splits.
    """
    sources = sorted(used["source_id"].unique())
    first: dict[str, str] = {}
    for source in sources:
        first.setdefault(content[source], source)
    stands_for = {source: first[content[source]] for source in sources}
    earlier = earlier_splits(root)
    fixed: dict[str, str] = {}
    for source in sources:
        was = earlier.get(source) or earlier.get(content[source])
        pin = options.pins.get(source)
        if pin and was and pin != was:
            raise ExportError(
                f"{source} is pinned to {pin}, but was released in {was}.",
                "A source video never changes its split; otherwise you would test on training data.",
            )
        if split := pin or was or (given or {}).get(source):
            fixed.setdefault(stands_for[source], split)
    for source in sorted(sources_for_training(used, usable)):
        fixed.setdefault(stands_for[source], "train")
    unknown = sorted(set(options.pins) - set(sources))
    if unknown:
        raise ExportError(f"{unknown[0]} is pinned, but has no approved clips.", "Check the name.")
    counts = (
        rows.join(used.select(video_id="clip_id", source_id="source_id"), on="video_id")
        .with_columns(pl.col("source_id").replace_strict(stands_for))
        .group_by("source_id", "action_id")
        .agg(rows=pl.len())
    )
    given = assign_splits(counts, seed=seed, ratios=options.ratios, fixed=fixed)
    splits = {source: options.pins.get(source) or given[stands_for[source]] for source in sources}
    _refuse_leakage(used, splits, content)
    return splits


def given_splits(inputs: Sequence[tuple[BatchTables, BatchWork]]) -> dict[str, str]:
    """The splits of source videos that imported datasets came with."""
    records = [tables.imported for tables, _ in inputs if tables.imported is not None]
    return {source: split for record in records for source, split in record.splits.items()}


def _refuse_leakage(clips: pl.DataFrame, splits: Mapping[str, str], content: Mapping[str, str]) -> None:
    sources = [(f"Source video {name}", content[name], split) for name, split in splits.items()]
    cut = [
        (f"Clip {clip}", sha256, splits[source])
        for clip, sha256, source in clips.select("clip_id", "sha256", "source_id").sort("clip_id").rows()
    ]
    check_leakage(pl.DataFrame(sources + cut, ["what", "sha256", "split"], orient="row"))


def earlier_splits(root: UPath) -> dict[str, str]:
    """Splits of all earlier releases by source and by content hash, oldest first: the oldest word holds."""
    fixed: dict[str, str] = {}
    found = (
        [path / names.SPLIT_RECORD for path in root.iterdir() if path.name[0] != "."] if root.exists() else []
    )
    for path in sorted((path for path in found if path.exists()), key=lambda path: path.stat().st_mtime):
        record = json.loads(path.read_text("utf-8"))
        for source, split in record["sources"].items():
            fixed.setdefault(source, split)
            fixed.setdefault(record.get("sha256", {}).get(source, source), split)
    return fixed
