"""What releases hold: videos, classes, files. They never change, so what was read of one is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl
from upath import UPath

from ava_core.base.once import Once
from ava_core.base.storage import Storage
from ava_core.dataset.export.releases import ReleaseInfo, release_folder, release_info, releases
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


class ReleaseContents:
    """Reads what releases hold, and keeps what was asked for last. Safe in threads."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._manifests = Once[UPath, float, pl.DataFrame](most=KEPT)
        self._contents = Once[UPath, float, Contents](most=KEPT)
        self._files = Once[str, datetime, Files](most=KEPT)

    def table(self) -> pl.DataFrame:
        """`RELEASES`, a row per release, newest first; counts of a release without a manifest are null."""
        return pl.DataFrame([self._row(info) for info in releases(self.storage)], RELEASES, orient="row")

    def manifest(self, name: str) -> pl.DataFrame | None:
        """A row per video; `None` for a release that has no manifest."""
        return self._manifests.of_file(
            self.storage.path("releases", name, names.MANIFEST), self.storage.read_table
        )

    def contents(self, name: str) -> Contents | None:
        """What a release holds; `None` where it has no manifest or no lineage."""
        videos = self.manifest(name)
        if videos is None:
            return None
        path = self.storage.path("releases", name, names.LINEAGE)
        return self._contents.of_file(path, lambda path: self._read_contents(path, name, videos))

    def action_names(self, name: str) -> dict[int, str]:
        """Actions by id, as the release's label map names them; none where it has no label map."""
        return reader.action_names(self.storage.path("releases", name))

    def files(self, name: str) -> Files:
        """Everything that lies in a release."""
        info = release_info(self.storage, name)
        return self._files.get(name, info.made_at, lambda _: self._read_files(info))

    def _row(self, info: ReleaseInfo) -> tuple[object, ...]:
        videos = self.manifest(info.name)
        counts = (
            (None, None, None)
            if videos is None
            else (videos["source_id"].n_unique(), videos.height, int(videos["rows"].sum()))
        )
        note = str(info.record.get("options", {}).get("note", ""))
        return info.name, info.made_at, info.actor, len(info.record.get("batches", {})), *counts, note

    def _read_contents(self, path: UPath, name: str, videos: pl.DataFrame) -> Contents:
        columns = ("split", "video_id", "person_id", "action_id")
        with self.storage.fetched(path) as local:
            rows = pl.scan_parquet(local, glob=False).select(columns).collect()
        by_split = [(pl.col("split") == split).sum().cast(pl.Int64).alias(split) for split in SPLITS]
        called = pl.col("action_id").replace_strict(
            self.action_names(name), default="", return_dtype=pl.String
        )
        classes = rows.group_by("action_id").agg(*by_split, labels=pl.len().cast(pl.Int64))
        persons = rows.group_by("video_id").agg(persons=pl.col("person_id").n_unique())
        return Contents(
            videos.join(persons, on="video_id", how="left", maintain_order="left"),
            classes.with_columns(name=called).sort("labels", "action_id", descending=[True, False]),
        )

    def _read_files(self, info: ReleaseInfo) -> Files:
        folder = release_folder(self.storage, info.name)
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
        hashes = info.record.get("files", {})
        sha256 = pl.col("path").replace_strict(hashes, default=None, return_dtype=pl.String)
        return Files(listed.with_columns(sha256=sha256), by_folder)


def readable(size: int) -> str:
    """A number of bytes as people say it: 1.2 MB."""
    value = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
