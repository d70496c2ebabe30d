"""The assets' tables as the pages read them: each file once, until it changes."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Final

import polars as pl

from ava_core.storage import Storage, changed_at

KEPT_BYTES: Final = 200_000_000
"""Tables kept in memory, all together; the ones used longest ago go first."""


class Reading:
    """Reads tables of batches, and keeps the ones that were used last. Safe in threads."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._kept: OrderedDict[str, tuple[float, pl.DataFrame]] = OrderedDict()
        self._lock = Lock()

    def table(self, batch: str, asset: str, table: str = "") -> pl.DataFrame | None:
        """A table of an asset; `None` where it was not made yet."""
        path = self.storage.table_path(batch, asset, table)
        changed = changed_at(path)
        if changed is None:
            return None
        with self._lock:
            kept = self._kept.get(str(path))
            if kept and kept[0] == changed:
                self._kept.move_to_end(str(path))
                return kept[1]
        found = self.storage.read_table(path)
        with self._lock:
            self._kept[str(path)] = changed, found
            self._kept.move_to_end(str(path))
            while (
                len(self._kept) > 1 and sum(t.estimated_size() for _, t in self._kept.values()) > KEPT_BYTES
            ):
                self._kept.popitem(last=False)
        return found

    def of_clip(self, batch: str, asset: str, clip_id: str, table: str = "") -> pl.DataFrame | None:
        """The rows of one clip; `None` where the table was not made yet."""
        found = self.table(batch, asset, table)
        return None if found is None else found.filter(pl.col("clip_id") == clip_id)
