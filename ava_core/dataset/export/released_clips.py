"""Which clips are in a release: read once from each, since releases never change."""

from __future__ import annotations

import polars as pl
from upath import UPath

from ava_core.base.storage import Storage, changed_at
from ava_core.dataset.formats.ava import names


class ReleasedClips:
    """Clips of all releases by batch. A look costs a list of the releases and a time stamp of each."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._known: dict[str, tuple[float, pl.DataFrame]] = {}

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
        known = {}
        for folder in root.iterdir() if root.exists() else []:
            made = changed_at(folder / names.RECORD)
            if made is None:
                continue
            before = self._known.get(folder.name)
            # A release that was removed and made again under its name is another one.
            known[folder.name] = (
                before if before and before[0] == made else (made, _clips(self.storage, folder))
            )
        self._known = known
        return [table for _, table in known.values()]


def _clips(storage: Storage, folder: UPath) -> pl.DataFrame:
    manifest = folder / names.MANIFEST
    if not manifest.exists():
        return pl.DataFrame(schema={"batch": pl.String, "clip_id": pl.String})
    with storage.fetched(manifest) as path:
        return pl.scan_parquet(path, glob=False).select("batch", clip_id="video_id").collect()
