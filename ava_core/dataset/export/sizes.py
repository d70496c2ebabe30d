"""How large a release would be, before anything is made: files and bytes of each layout, by what its batches measured.

Pictures are counted as the batches' datasets noted them, clips by their files, labels by the files that the batches'
own datasets hold. What is about a release (card, lineage, hashes of pictures) is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl
from upath import UPath

from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, CLIP_FPS, Schema, conform
from ava_core.base.storage import Storage
from ava_core.dataset.export.inputs import ready_batches
from ava_core.dataset.export.picture_sums import noted_sums
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.names import SPLITS
from ava_core.dataset.formats.flavours import FLAVOURS
from ava_core.dataset.formats.shards.writer import SHARD_BYTES
from ava_core.decisions import standing
from ava_core.store import Store

ANNOTATIONS: Final = "annotations"
"""Beside the layouts: what every release holds, AVA's csv and frame lists."""

BYTES_PER_PIXEL: Final = 0.117
"""Of pictures that nobody noted: an hour of street scenes at 1280 × 720 gave 11.6 GB in 108,000 pictures."""
LABEL_BYTES: Final = 90
"""Of a label in a clip's JSON, about: time, person, id and name of the action, box."""
SECOND_BYTES: Final = 1_050
"""By which a second of a clip as a video of its own is larger than its share of the clip, about: the file's head."""
TAR_BLOCK: Final = 512
"""Tar files hold a header of one block before each member, and fill its last one."""

BY_BATCH: Final[Schema] = {
    "batch": pl.String,
    "flavour": pl.String,  # of FLAVOURS, or ANNOTATIONS
    "seconds": pl.Float64,  # of the clips that go in
    "files": pl.Int64,  # one for each picture or clip
    "fixed": pl.Int64,  # files that a release has of it, however many batches go in
    "bytes": pl.Int64,
}

SIZES: Final[Schema] = {
    "flavour": pl.String,
    "files": pl.Int64,
    "bytes": pl.Int64,  # as a copy has them
    "linked": pl.Boolean,  # hard links where the file system has them: next to nothing on this machine's disk
    "files_per_hour": pl.Float64,
    "bytes_per_hour": pl.Float64,
}


def expected_sizes(by_batch: pl.DataFrame, batches: Sequence[str] = ()) -> pl.DataFrame:
    """`SIZES` of a release of these batches, none for all; `by_batch`: `BY_BATCH` as `sizes_by_batch` gives it."""
    chosen = by_batch.filter(pl.col("batch").is_in(list(batches))) if batches else by_batch
    total = chosen.group_by("flavour", maintain_order=True).agg(
        pl.sum("files", "bytes", "seconds"), pl.max("fixed")
    )
    packs = [name for name, flavour in FLAVOURS.items() if flavour.packs]
    linked = [
        name
        for name, flavour in FLAVOURS.items()
        if (flavour.pictures or flavour.videos) and not (flavour.packs or flavour.encodes)
    ]
    shards = pl.when(pl.col("flavour").is_in(packs)).then(pl.col("bytes") // SHARD_BYTES).otherwise(0)
    hours = pl.col("seconds") / 3600
    found = total.with_columns(
        files=pl.col("files") + pl.col("fixed") + shards, linked=pl.col("flavour").is_in(linked)
    ).with_columns(files_per_hour=pl.col("files") / hours, bytes_per_hour=pl.col("bytes") / hours)
    return conform(found.select(*SIZES), SIZES, "sizes")


def sizes_by_batch(storage: Storage, store: Store, wanted: Sequence[str] = ()) -> pl.DataFrame:
    """`BY_BATCH` of all batches that have a dataset, or of the `wanted` ones; of their clips, those approved now.

    Raises `ExportError` for a wanted batch that has none, `InputError` for a table that cannot be read.
    """
    rows = [
        row for batch in ready_batches(storage, store, wanted) for row in _of_batch(storage, store, batch)
    ]
    return pl.DataFrame(rows, schema=dict(BY_BATCH))


def _of_batch(storage: Storage, store: Store, batch: str) -> Iterator[dict[str, Any]]:
    approved = list(standing(store, batch).state.approved)
    labels = storage.read_table(storage.table_path(batch, "ava_csv"))
    used = labels.filter(pl.col("video_id").is_in(approved))
    every = storage.read_table(storage.table_path(batch, "clips"))
    clips = every.filter(pl.col("clip_id").is_in(used["video_id"].unique().to_list()))
    share = used.height / labels.height if labels.height else 0.0
    pictures = _pictures(clips, used, noted_sums(storage, batch))
    videos = _video_bytes(storage, clips)
    dataset = storage.asset_dir(batch, "ava_csv") / "dataset"
    whole = {"batch": batch, "seconds": float(clips["duration_s"].sum())}
    small = _listed(dataset / names.ANNOTATIONS) | _listed(dataset / names.FRAME_LISTS)
    small |= {name: size for name, size in _listed(dataset).items() if name.endswith(names.ALL_ROWS)}
    said = {"files": 0, "fixed": len(small), "bytes": round(sum(small.values()) * share)}
    yield {**whole, "flavour": ANNOTATIONS, **said}
    for name, flavour in FLAVOURS.items():
        own = _listed(dataset / name) | _listed(dataset / name / names.ANNOTATIONS)
        files, fixed, size = 0, len(own), round(sum(own.values()) * share)
        if flavour.pictures:
            held = pictures.filter(_HELD[flavour.pictures])
            files, size = held.height, size + int(held["bytes"].sum())
        if flavour.videos:
            files, fixed, size = clips.height, len(SPLITS), sum(videos.values())
        if flavour.packs:
            files, size = 0, _packed(videos, used)
        if flavour.encodes:
            files, fixed = int((clips["frames"] // CLIP_FPS).sum()), 0
            size += files * SECOND_BYTES
        yield {**whole, "flavour": name, "files": files, "fixed": fixed, "bytes": size}


_HELD: Final[Mapping[str, pl.Expr]] = {
    "all": pl.lit(True),
    "keyframes": (pl.col("number") - 1) % CLIP_FPS == 0,
    "labelled": pl.col("labelled"),
}


def _pictures(clips: pl.DataFrame, rows: pl.DataFrame, noted: pl.DataFrame) -> pl.DataFrame:
    """`clip_id, number, bytes, labelled`, a row a picture of the clips."""
    guess = (pl.col("content_width") * pl.col("content_height") * BYTES_PER_PIXEL).cast(pl.Int64)
    number = pl.int_ranges(1, pl.col("frames") + 1, dtype=pl.Int32)
    listed = clips.select("clip_id", guess=guess, number=number).explode("number")
    second = pl.col("timestamp").cast(pl.Int32) - AVA_TIMESTAMP_OFFSET
    labelled = rows.select(clip_id="video_id", number=second * CLIP_FPS + 1, labelled=True).unique()
    return (
        listed.join(noted.select("clip_id", "number", "bytes"), on=["clip_id", "number"], how="left")
        .join(labelled, on=["clip_id", "number"], how="left")
        .select(
            "clip_id", "number", bytes=pl.col("bytes").fill_null(pl.col("guess")),
            labelled=pl.col("labelled").fill_null(False),
        )
    )  # fmt: skip


def _video_bytes(storage: Storage, clips: pl.DataFrame) -> dict[str, int]:
    """Bytes of the clips' files by clip; a clip whose file is gone has none, and would be left out."""
    places = dict(clips.select("clip_id", "path").rows())
    folders = {path.rpartition("/")[0] for path in places.values()}
    sizes = {f"{folder}/{name}": size for folder in folders for name, size in _names(storage.path(folder))}
    return {clip: sizes[path] for clip, path in places.items() if path in sizes}


def _packed(videos: Mapping[str, int], rows: pl.DataFrame) -> int:
    """Bytes of clips and their labels as JSON in tar files."""
    labels = dict(rows.group_by("video_id").len().rows())
    members = [size for clip, video in videos.items() for size in (video, labels.get(clip, 0) * LABEL_BYTES)]
    return sum(TAR_BLOCK + -(-size // TAR_BLOCK) * TAR_BLOCK for size in members)


def _listed(folder: UPath) -> dict[str, int]:
    """Bytes by path of the files right in a folder; none where there is no folder."""
    return {f"{folder.path}/{name}": size for name, size in _names(folder)}


def _names(folder: UPath) -> list[tuple[str, int]]:
    # One list, with sizes: an object store is not asked for each file.
    try:
        entries = folder.fs.ls(folder.path, detail=True)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [
        (str(one["name"]).rpartition("/")[2], int(one["size"])) for one in entries if one["type"] == "file"
    ]
