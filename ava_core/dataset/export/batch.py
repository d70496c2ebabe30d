"""One batch as a dataset: all clips in the train split, pictures included."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from upath import UPath

from ava_core.base.errors import ExportError
from ava_core.base.progress import Progress, ProgressSink, ignore_progress
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.dataset.export.card import Card, write_card
from ava_core.dataset.export.folders import building
from ava_core.dataset.export.inputs import BatchTables
from ava_core.dataset.formats.ava.names import frame_name
from ava_core.dataset.formats.ava.rows import annotation_rows
from ava_core.dataset.formats.dataset import Dataset
from ava_core.dataset.formats.flavours import FLAVOURS, WITHOUT_PICTURES, write_dataset
from ava_core.video.media.frames import write_frames


@dataclass(frozen=True)
class WrittenBatch:
    """The rows (`formats.ava.rows.ROW_COLUMNS`) and where the dataset lies."""

    rows: pl.DataFrame
    folder: UPath


def write_batch(at: BatchContext, tables: BatchTables, sink: ProgressSink = ignore_progress) -> WrittenBatch:
    """Write `batches/<batch>/ava_csv`; the former content is replaced only when the new one is complete.

    Pictures of clips that did not change are kept. Raises `ExportError` where nothing is approved.
    """
    rows = annotation_rows(tables.consensus_boxes, tables.consensus_labels, tables.clips, tables.disputed)
    if rows.is_empty():
        raise ExportError(
            f"Batch {at.batch} has no labelled person in an approved clip.",
            "Approve clips first, then run again.",
        )
    storage = at.storage
    target = at.folder("ava_csv")
    clips = tables.clips.filter(pl.col("clip_id").is_in(rows["video_id"].unique().to_list()))
    with _kept_pictures(storage, target / ".pictures") as kept:
        dataset = Dataset(
            title=f"Batch {at.batch}",
            rows=rows,
            clips=clips,
            proposals=tables.proposals,
            disputed=tables.disputed,
            split_of=dict.fromkeys(clips["clip_id"].sort(), "train"),
            ontology=at.ontology,
            pictures=_extract(kept, clips, storage, sink),
        )
        with building(storage, target / "dataset", replace=True) as staged:
            write_dataset(staged, dataset, FLAVOURS if storage.is_local else WITHOUT_PICTURES)
            write_card(staged, Card(dataset, note=tables.note))
    return WrittenBatch(rows, target / "dataset")


def remove_batch(at: BatchContext) -> None:
    """Remove a batch's dataset, as long as nothing of it is approved; its pictures stay for the next one."""
    table = at.storage.table_path(at.batch, "ava_csv")
    folder = at.folder("ava_csv") / "dataset"
    if table.exists():
        table.unlink()
    if folder.exists():
        folder.fs.rm(folder.path, recursive=True)


@contextmanager
def _kept_pictures(storage: Storage, folder: UPath) -> Iterator[Path]:
    """Where pictures stay from one time to the next; elsewhere than on this machine they are made anew."""
    if storage.is_local:
        kept = storage.local(folder)
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="ava-") as temporary:
        yield Path(temporary)


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
                count = write_frames(path, staged, lambda n, c=clip: frame_name(c["clip_id"], n), crop=crop)  # type: ignore[misc]
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
