"""What releases hold: videos, classes, files. They never change, so what was read of one is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import polars as pl
from upath import UPath

from ava_core.base.storage import Storage, changed_at
from ava_core.dataset.export.releases import release_folder, release_info, releases
from ava_core.dataset.formats.ava import names, reader
from ava_core.dataset.formats.ava.names import SPLITS

KEPT: Final = 64
"""Releases of which counts and lists of files are kept."""

RELEASES: Final[dict[str, Any]] = {
    "name": pl.String, "made_at": pl.Datetime(time_zone="UTC"), "actor": pl.String, "batches": pl.Int64,
    "sources": pl.Int64, "clips": pl.Int64, "rows": pl.Int64, "note": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Contents:
    """What a release holds.

    `videos`: a row per video, as `export.release` writes `manifest.parquet`, and its `persons`; `classes`: `action_id,
    name`, labels by split, and `labels`, most labels first.
    """

    videos: pl.DataFrame
    classes: pl.DataFrame

    @property
    def sources(self) -> pl.DataFrame:
        """`split, source_id, original_name, batch, clips, rows, seconds`, a row per source video."""
        by = ("split", "source_id", "original_name", "batch")
        counts = {"clips": pl.len(), "rows": pl.col("rows").sum(), "seconds": pl.col("duration_s").sum()}
        return self.videos.group_by(by).agg(**counts).sort(by)


@dataclass(frozen=True)
class Files:
    """Files of a release: `single`: `path, bytes, sha256`; `pictures`: `folder, pictures, bytes`."""

    single: pl.DataFrame
    pictures: pl.DataFrame

    @property
    def bytes(self) -> int:
        """Of all files, as a zip holds them: hard links count once each."""
        return int(self.single["bytes"].sum()) + int(self.pictures["bytes"].sum())


def release_table(storage: Storage) -> pl.DataFrame:
    """`RELEASES`, a row per release, newest first; counts of a release without a manifest are null."""
    rows = []
    for info in releases(storage):
        videos = manifest(storage, info.name)
        counts = (
            (None, None, None)
            if videos is None
            else (videos["source_id"].n_unique(), videos.height, int(videos["rows"].sum()))
        )
        note = str(info.record.get("options", {}).get("note", ""))
        rows.append((info.name, info.made_at, info.actor, len(info.record.get("batches", {})), *counts, note))
    return pl.DataFrame(rows, schema=RELEASES, orient="row")


def manifest(storage: Storage, name: str) -> pl.DataFrame | None:
    """A row per video; `None` for a release that has no manifest."""
    path = storage.path("releases", name, names.MANIFEST)
    changed = changed_at(path)
    return None if changed is None else _table(storage, path, changed)


def contents(storage: Storage, name: str) -> Contents | None:
    """What a release holds; `None` where it has no manifest or no lineage."""
    videos = manifest(storage, name)
    path = storage.path("releases", name, names.LINEAGE)
    changed = changed_at(path)
    return None if videos is None or changed is None else _contents(storage, path, changed, name)


def action_names(storage: Storage, name: str) -> dict[int, str]:
    """Actions by id, as the release's label map names them; none where it has no label map."""
    return reader.action_names(storage.path("releases", name))


def files(storage: Storage, name: str) -> Files:
    """Everything that lies in a release."""
    info = release_info(storage, name)
    return _files(release_folder(storage, name), info.made_at, tuple(info.record.get("files", {}).items()))


def readable(size: int) -> str:
    """A number of bytes as people say it: 1.2 MB."""
    value = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


@lru_cache(maxsize=KEPT)
def _table(storage: Storage, path: UPath, changed: float) -> pl.DataFrame:
    return storage.read_table(path)


@lru_cache(maxsize=KEPT)
def _contents(storage: Storage, path: UPath, changed: float, name: str) -> Contents:
    videos = manifest(storage, name)
    assert videos is not None, "who asks has seen it"
    with storage.fetched(path) as local:
        rows = (
            pl.scan_parquet(local, glob=False).select("split", "video_id", "person_id", "action_id").collect()
        )
    by_split = [(pl.col("split") == split).sum().cast(pl.Int64).alias(split) for split in SPLITS]
    called = pl.col("action_id").replace_strict(
        action_names(storage, name), default="", return_dtype=pl.String
    )
    classes = rows.group_by("action_id").agg(*by_split, labels=pl.len().cast(pl.Int64))
    persons = rows.group_by("video_id").agg(persons=pl.col("person_id").n_unique())
    return Contents(
        videos.join(persons, on="video_id", how="left", maintain_order="left"),
        classes.with_columns(name=called).sort("labels", "action_id", descending=[True, False]),
    )


@lru_cache(maxsize=KEPT)
def _files(folder: UPath, made_at: datetime, hashes: tuple[tuple[str, str], ...]) -> Files:
    single: list[Any] = []
    pictures: list[Any] = []
    for path in folder.rglob("*"):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            place = pictures if path.suffix in names.PICTURE_SUFFIXES else single
            place.append((name, path.stat().st_size))
    schema = {"path": pl.String, "bytes": pl.Int64}
    by_folder = (
        pl.DataFrame(pictures, schema=schema, orient="row")
        .group_by(folder=pl.col("path").str.split("/").list.first())
        .agg(pictures=pl.len(), bytes=pl.col("bytes").sum())
        .sort("folder")
    )
    listed = pl.DataFrame(single, schema=schema, orient="row").sort("path")
    sha256 = pl.col("path").replace_strict(dict(hashes), default=None, return_dtype=pl.String)
    return Files(listed.with_columns(sha256=sha256), by_folder)
