"""The splits that a release would have, before anything is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from ava_core.base.schemas import Schema, conform
from ava_core.base.settings import Settings
from ava_core.base.storage import Storage
from ava_core.dataset.export.gather import choose
from ava_core.dataset.export.inputs import load_inputs
from ava_core.dataset.export.options import ReleaseOptions
from ava_core.dataset.export.release_splits import earlier_splits, given_splits, release_splits
from ava_core.dataset.export.val_clips import unvalidated
from ava_core.store import Store

Why = Literal["pinned", "released before", "imported", "assigned"]

SOURCES: Final[Schema] = {
    "source_id": pl.String,
    "original_name": pl.String,
    "batch": pl.String,
    "split": pl.String,
    "why": pl.String,  # Why
    "clips": pl.Int64,  # that have rows
    "rows": pl.Int64,
}


@dataclass(frozen=True)
class Preview:
    """`sources`: `SOURCES`, a row per source video; `dropped`: classes that would be left out, and why."""

    sources: pl.DataFrame
    dropped: Mapping[str, str]


def preview_release(options: ReleaseOptions, settings: Settings, storage: Storage, store: Store) -> Preview:
    """What `write_release` would make of the options, pictures and papers apart. Raises `ExportError` as it does."""
    inputs = load_inputs(settings, storage, store, options.batches)
    # Of agreement only the alphas count here, and they need no resampling.
    chosen = choose(inputs, options, settings, store, repetitions=1)
    root = storage.path("releases")
    given = given_splits(inputs)
    splits = release_splits(
        chosen.rows, chosen.clips, chosen.content, options, settings.seed, root, usable=chosen.usable,
        given=given,
    )  # fmt: skip
    chosen = chosen.without(unvalidated(chosen.clips, splits, chosen.usable))
    earlier = earlier_splits(root)

    def why(source: str) -> Why:
        if source in options.pins:
            return "pinned"
        known = source in earlier or chosen.content[source] in earlier
        if known:
            return "released before"
        return "imported" if source in given else "assigned"

    counts = chosen.rows.group_by(clip_id="video_id").agg(rows=pl.len())
    names = pl.concat([t.source_videos.select("source_id", "original_name") for t, _ in inputs])
    sources = (
        chosen.clips.join(counts, on="clip_id")
        .group_by("source_id", "batch")
        .agg(clips=pl.len(), rows=pl.col("rows").sum())
        .join(names, on="source_id", how="left")
        .sort("source_id")
        .with_columns(
            split=pl.col("source_id").replace_strict(splits, return_dtype=pl.String),
            why=pl.col("source_id").map_elements(why, return_dtype=pl.String),
        )
    )
    dropped = {chosen.ontology.action(number).name: reason for number, reason in chosen.dropped.items()}
    return Preview(conform(sources, SOURCES, "sources"), dropped)
