"""The assets' tables as the pages read them: each file once, until it changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Final

import polars as pl

from ava_core.base.schemas import Schema, with_new_columns
from ava_core.base.storage import Storage, changed_at

KEPT_BYTES: Final = 200_000_000
"""Tables kept in memory, all together; the ones used longest ago go first."""


class Reading:
    """Reads tables of batches, and keeps the ones that were used last. Safe in threads."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._kept: OrderedDict[str, tuple[float, int, pl.DataFrame]] = OrderedDict()
        self._bytes = 0
        self._joined: dict[tuple[str, str], tuple[dict[str, float], pl.DataFrame]] = {}
        self._lock = Lock()

    def table(self, batch: str, asset: str, table: str = "") -> pl.DataFrame | None:
        """A table of an asset; `None` where it was not made yet."""
        path = self.storage.table_path(batch, asset, table)
        changed = changed_at(path)
        if changed is None:
            return None
        key = str(path)
        with self._lock:
            kept = self._kept.get(key)
            if kept and kept[0] == changed:
                self._kept.move_to_end(key)
                return kept[2]
        found = self.storage.read_table(path)
        size = int(found.estimated_size())
        with self._lock:
            before = self._kept.pop(key, None)
            self._kept[key] = changed, size, found
            self._bytes += size - (before[1] if before else 0)
            while len(self._kept) > 1 and self._bytes > KEPT_BYTES:
                _, (_, gone, _) = self._kept.popitem(last=False)
                self._bytes -= gone
        return found

    def of_all(
        self, names: Sequence[str], asset: str, table: str, schema: Schema, keep: pl.Expr | None = None
    ) -> pl.DataFrame:
        """Rows of a small table of many batches under each other, with a column `batch`; only `keep` of them.

        Made anew where any of the files has changed; a column that an older file has not is null.
        """
        paths = {name: self.storage.table_path(name, asset, table) for name in names}
        now = {name: at for name, path in paths.items() if (at := changed_at(path)) is not None}
        with self._lock:
            known = self._joined.get((asset, table))
        if known is not None and known[0] == now:
            return known[1]
        old = {} if known is None else known[0]
        changed = [name for name, at in now.items() if old.get(name) != at]
        parts = []
        for name in changed:
            rows = with_new_columns(self.storage.read_table(paths[name]), schema)
            rows = rows if keep is None else rows.filter(keep)
            parts.append(rows.select(*schema).with_columns(batch=pl.lit(name)))
        if known is not None:
            same = [name for name in now if name not in changed]
            parts.append(known[1].filter(pl.col("batch").is_in(same)))
        empty = pl.DataFrame(schema=dict(schema) | {"batch": pl.String})
        joined = pl.concat(parts) if parts else empty
        with self._lock:
            self._joined[asset, table] = now, joined
        return joined

    def of_clip(self, batch: str, asset: str, clip_id: str, table: str = "") -> pl.DataFrame | None:
        """The rows of one clip; `None` where the table was not made yet."""
        found = self.table(batch, asset, table)
        return None if found is None else found.filter(pl.col("clip_id") == clip_id)
