"""One batch as a dataset: all clips in the train split, pictures included."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ava_core.errors import ExportError
from ava_core.export.card import Card, write_card
from ava_core.export.dataset import Dataset
from ava_core.export.flavours import write_dataset
from ava_core.export.inputs import BatchTables
from ava_core.export.rows import annotation_rows
from ava_core.media.frames import write_frames
from ava_core.ontology import Ontology
from ava_core.progress import Progress, ProgressSink, ignore_progress
from ava_core.settings import Settings
from ava_core.storage import Storage


@dataclass(frozen=True)
class WrittenBatch:
    """The rows (`export.rows.ROW_COLUMNS`) and where the dataset lies."""

    rows: pl.DataFrame
    folder: Path


def write_batch(
    tables: BatchTables,
    storage: Storage,
    settings: Settings,
    ontology: Ontology,
    sink: ProgressSink = ignore_progress,
) -> WrittenBatch:
    """Write `batches/<batch>/ava_csv`; the former content is replaced only when the new one is complete.

    Pictures of clips that did not change are kept. Raises `ExportError` where nothing is approved.
    """
    rows = annotation_rows(tables.consensus_boxes, tables.consensus_labels, tables.clips, tables.disputed)
    if rows.is_empty():
        raise ExportError(
            f"Batch {tables.batch} has no labelled person in an approved clip.",
            "Approve clips first, then run again.",
        )
    target = storage.local(storage.asset_dir(tables.batch, "ava_csv"))
    target.mkdir(parents=True, exist_ok=True)
    clips = tables.clips.filter(pl.col("clip_id").is_in(rows["video_id"].unique().to_list()))
    dataset = Dataset(
        title=f"Batch {tables.batch}",
        rows=rows,
        clips=clips,
        proposals=tables.proposals,
        disputed=tables.disputed,
        split_of=dict.fromkeys(clips["clip_id"].sort(), "train"),
        ontology=ontology,
        pictures=_extract(target / ".pictures", clips, storage, sink),
    )
    staged = target / f".new-{secrets.token_hex(4)}"
    try:
        write_dataset(staged, dataset)
        write_card(staged, Card(dataset, note=tables.note))
        _swap(staged, target / "dataset")
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return WrittenBatch(rows, target / "dataset")


def _extract(folder: Path, clips: pl.DataFrame, storage: Storage, sink: ProgressSink) -> dict[str, Path]:
    """Frames of each clip without bars, once per content; returns the folders by clip."""
    progress = Progress("extract frames", clips.height, "clips", sink)
    folders = {}
    for clip in clips.to_dicts():
        own = folder / f"{clip['clip_id']}-{clip['sha256'][:12]}"
        if not own.exists():
            staged = folder / f".{own.name}-{secrets.token_hex(4)}"
            crop = None
            if (clip["content_width"], clip["content_height"]) != (clip["width"], clip["height"]):
                crop = (clip["pad_x"], clip["pad_y"], clip["content_width"], clip["content_height"])
            with storage.fetched(storage.path(clip["path"])) as path:
                count = write_frames(path, staged, lambda n, c=clip: f"{c['clip_id']}_{n:06d}.jpg", crop=crop)  # type: ignore[misc]
            if count != clip["frames"]:
                shutil.rmtree(staged)
                raise ExportError(
                    f"Clip {clip['clip_id']} has {count} frames where its table says {clip['frames']}.",
                    "Cut it again.",
                )
            staged.rename(own)
        folders[clip["clip_id"]] = own
        progress.advance()
    progress.finish()
    return folders


def _swap(new: Path, final: Path) -> None:
    """Put a finished folder in the place of the former one."""
    old = final.with_name(f".old-{secrets.token_hex(4)}")
    if final.exists():
        final.rename(old)
    new.rename(final)
    shutil.rmtree(old, ignore_errors=True)
