"""Which clips are in a release: read once from each, since releases never change."""

from __future__ import annotations

import polars as pl
from upath import UPath

from ava_core.base.once import Once
from ava_core.base.storage import Storage, changed_at
from ava_core.dataset.formats.ava import names


class ReleasedClips:
    """Clips of all releases by batch. A look costs a list of the releases and a time stamp of each."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._once = Once[UPath, float, pl.DataFrame]()

    def by_batch(self) -> dict[str, frozenset[str]]:
        """The clips of each batch that are in at least one release; a batch without any is left out.

        A clip on which nobody was labelled has no row in a release, and so is in none.
        """
        tables = self._tables()
        if not tables:
            return {}
        found = pl.concat(tables).unique().group_by("batch").agg("clip_id")
        return {batch: frozenset(clips) for batch, clips in found.iter_rows()}

    def _tables(self) -> list[pl.DataFrame]:
        """`batch, clip_id` of each release."""
        root = self.storage.path("releases")
        found = [self._of(folder) for folder in root.iterdir()] if root.exists() else []
        return [clips for clips in found if clips is not None]

    def _of(self, folder: UPath) -> pl.DataFrame | None:
        """`batch, clip_id` of one release; `None` where the folder is none (yet)."""
        made = changed_at(folder / names.RECORD)
        if made is None:
            return None
        # A release that was removed and made again under its name is another one.
        return self._once.get(folder, made, lambda _: _clips(self.storage, folder))


def _clips(storage: Storage, folder: UPath) -> pl.DataFrame:
    manifest = folder / names.MANIFEST
    if not manifest.exists():
        return pl.DataFrame(schema={"batch": pl.String, "clip_id": pl.String})
    with storage.fetched(manifest) as path:
        return pl.scan_parquet(path, glob=False).select("batch", clip_id="video_id").collect()
