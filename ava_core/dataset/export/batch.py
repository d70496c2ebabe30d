"""One batch as a dataset: all clips in the train split, pictures included."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from upath import UPath

from ava_core.base.errors import ExportError
from ava_core.base.progress import Progress, ProgressSink, ignore_progress
from ava_core.base.schemas import HAS_VIDEO, SET_ASIDE
from ava_core.base.set_aside import setting_aside
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.dataset.export.card import Card, write_card
from ava_core.dataset.export.folders import building, side_by_side
from ava_core.dataset.export.inputs import BatchTables
from ava_core.dataset.export.packs import stand_ins_for_packed
from ava_core.dataset.export.picture_sums import KEPT_PICTURES, noted_sums, picture_sums
from ava_core.dataset.export.picture_sums import TABLE as PICTURE_SUMS
from ava_core.dataset.formats.ava.names import frame_name
from ava_core.dataset.formats.ava.rows import annotation_rows
from ava_core.dataset.formats.dataset import Dataset
from ava_core.dataset.formats.flavours import DEFAULT, WITHOUT_LINKS, write_dataset
from ava_core.video.media.frames import write_frames
from ava_core.video.media.hashing import hash_file


@dataclass(frozen=True)
class WrittenBatch:
    """The rows (`formats.ava.rows.ROW_COLUMNS`) and where the dataset lies."""

    rows: pl.DataFrame
    folder: UPath


def write_batch(at: BatchContext, tables: BatchTables, sink: ProgressSink = ignore_progress) -> WrittenBatch:
    """Write `batches/<batch>/ava_csv`; the former content is replaced only when the new one is complete.

    Pictures of clips that did not change are kept. A clip whose pictures cannot be made is left out;
    `ava_csv/set_aside.parquet` (`schemas.SET_ASIDE`) says why; one that was imported without any goes without. Raises
    `ExportError` where nothing is approved or left.
    """
    rows = annotation_rows(tables.consensus_boxes, tables.consensus_labels, tables.clips, tables.disputed)
    if rows.is_empty():
        raise ExportError(
            f"Batch {at.batch} has no labelled person in an approved clip.",
            "Approve clips first, then run this again.",
        )
    storage = at.storage
    target = at.folder("ava_csv")
    clips = tables.clips.filter(pl.col("clip_id").is_in(rows["video_id"].unique().to_list()))
    with _kept_pictures(storage, target / KEPT_PICTURES) as kept:
        known = noted_sums(storage, at.batch)
        if not storage.is_local:
            _stand_in(kept, target / "dataset", known)
        shown = clips.filter(HAS_VIDEO)
        pictures, aside, sums = _extract(kept, shown, storage, sink, known=known)
        storage.write_table(storage.table_path(at.batch, "ava_csv", "set_aside"), aside)
        if not pictures and aside.height:
            clip, reason = aside.row(0)
            raise ExportError(
                f"No clip of batch {at.batch} has pictures. {clip}: {reason}.", "Cut the clip again."
            )
        clips = clips.join(aside, on="clip_id", how="anti")
        rows = rows.filter(pl.col("video_id").is_in(clips["clip_id"].to_list()))
        dataset = Dataset(
            title=f"Batch {at.batch}",
            rows=rows,
            clips=clips,
            proposals=tables.proposals,
            disputed=tables.disputed,
            split_of=dict.fromkeys(clips["clip_id"].sort(), "train"),
            ontology=at.ontology,
            pictures=pictures,
        )
        with building(storage, target / "dataset", replace=True) as staged:
            write_dataset(staged, dataset, DEFAULT if storage.is_local else WITHOUT_LINKS)
            write_card(staged, Card(dataset, note=tables.note))
        storage.write_table(storage.table_path(at.batch, "ava_csv", PICTURE_SUMS), sums)
    return WrittenBatch(rows, target / "dataset")


def kept_pictures(at: BatchContext, clip: Mapping[str, Any]) -> Path:
    """Where the pictures of a clip (a row of `schemas.CLIPS`) stay on this machine; what lies there is not made."""
    return at.storage.local(at.folder("ava_csv") / KEPT_PICTURES) / _made_of(clip)


def remove_batch(at: BatchContext) -> None:
    """Remove a batch's dataset, as long as nothing of it is approved; its pictures stay for the next one."""
    folder = at.folder("ava_csv") / "dataset"
    for name in ("", "set_aside", PICTURE_SUMS):
        at.storage.table_path(at.batch, "ava_csv", name).unlink(missing_ok=True)
    if folder.exists():
        folder.fs.rm(folder.path, recursive=True)


@contextmanager
def _kept_pictures(storage: Storage, folder: UPath) -> Iterator[Path]:
    """Where pictures stay from one time to the next; of storage elsewhere, they lie in the dataset alone."""
    if storage.is_local:
        kept = storage.local(folder)
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="ava-") as temporary:
        yield Path(temporary)


def _stand_in(kept: Path, dataset: UPath, known: pl.DataFrame) -> None:
    """Stand-ins for pictures of the former dataset that lie in the store in full: those stay as they are."""

    def one(clip: tuple[tuple[str, str], pl.DataFrame]) -> None:
        (clip_id, made_of), noted = clip
        with suppress(ExportError):  # damaged ones are made anew
            stand_ins_for_packed(dataset, clip_id, noted, kept / made_of)

    side_by_side(one, known.partition_by("clip_id", "made_of", as_dict=True).items())


def _extract(
    folder: Path, clips: pl.DataFrame, storage: Storage, sink: ProgressSink, *, known: pl.DataFrame
) -> tuple[dict[str, Path], pl.DataFrame, pl.DataFrame]:
    """Folders of the clips' pictures by clip, the clips of which there are none (`schemas.SET_ASIDE`), and the sums.

    `known` and the sums: `schemas.PICTURES`; those of pictures that stay as they are stay, too.
    """
    progress = Progress("extract frames", clips.height, "clips", sink)
    folders, aside, sums = {}, [], [known.clear()]
    noted = dict(known.select("clip_id", "made_of").iter_rows())
    for clip in clips.to_dicts():
        name = clip["clip_id"]
        with setting_aside() as fate:
            own, is_new = _pictures(folder, clip, storage)
            stays = not is_new and noted.get(name) == own.name
            sums.append(known.filter(pl.col("clip_id") == name) if stays else picture_sums(name, own))
            folders[name] = own
        if fate.reason:
            aside.append((clip["clip_id"], fate.reason))
        progress.advance()
    progress.finish()
    return folders, pl.DataFrame(aside, schema=dict(SET_ASIDE), orient="row"), pl.concat(sums)


def _made_of(clip: Mapping[str, Any]) -> str:
    """The folder of a clip's pictures: of other content or size they lie in another one."""
    size = f"{clip['content_width']}x{clip['content_height']}"
    return f"{clip['clip_id']}-{clip['sha256'][:12]}-{size}"


def _pictures(folder: Path, clip: dict[str, Any], storage: Storage) -> tuple[Path, bool]:
    """Frames of a clip without bars, made once per content and size; and whether they were made now."""
    size = clip["content_width"], clip["content_height"]
    own = folder / _made_of(clip)
    if own.exists():
        return own, False
    crop = None if size == (clip["width"], clip["height"]) else (clip["pad_x"], clip["pad_y"], *size)
    staged = folder / f".{own.name}-{secrets.token_hex(4)}"
    try:
        with storage.fetched(storage.path(clip["path"])) as path:
            if hash_file(path) != clip["sha256"]:
                raise ExportError(f"{path.name} is damaged: it is not the file that was cut")
            count = write_frames(path, staged, partial(frame_name, clip["clip_id"]), size, crop=crop)
        if count != clip["frames"]:
            raise ExportError(f"it has {count} frames where its table says {clip['frames']}")
        staged.rename(own)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return own, True
