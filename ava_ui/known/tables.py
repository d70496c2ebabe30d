"""The assets' tables as the pages read them: each file once, until it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl
from upath import UPath

from ava_core.base.errors import InputError
from ava_core.base.once import Made, Once
from ava_core.base.schemas import Schema, with_new_columns
from ava_core.base.storage import Storage, changed_at

KEPT_BYTES: Final = 200_000_000
"""Tables kept in memory, all together; the ones used longest ago go first."""

Changes = dict[str, float]
"""When the file of each batch was written; batches that have none are left out."""


class Tables:
    """Reads tables of batches, and keeps the ones that were used last. Safe in threads."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._single = Once[UPath, float, pl.DataFrame](
            most=KEPT_BYTES, weigh=lambda table: float(table.estimated_size())
        )
        self._joined = Once[tuple[str, str], Changes, pl.DataFrame]()

    def table(self, batch: str, asset: str, table: str = "") -> pl.DataFrame | None:
        """A table of an asset; `None` where it was not made yet."""
        return self._single.of_file(self.storage.table_path(batch, asset, table), self.storage.read_table)

    def of_clip(self, batch: str, asset: str, clip_id: str, table: str = "") -> pl.DataFrame | None:
        """The rows of one clip; `None` where the table was not made yet."""
        found = self.table(batch, asset, table)
        return None if found is None else found.filter(pl.col("clip_id") == clip_id)

    def clip(self, batch: str, clip_id: str) -> dict[str, Any]:
        """A clip's row of `schemas.CLIPS`. Raises `InputError` where there is no such clip."""
        found = self.of_clip(batch, "clips", clip_id)
        if found is None or found.is_empty():
            raise InputError(f"Batch {batch} has no clip {clip_id!r}.", "The batch's page lists its clips.")
        return found.row(0, named=True)

    def of_all(
        self, names: Sequence[str], asset: str, table: str, schema: Schema, keep: pl.Expr | None = None
    ) -> pl.DataFrame:
        """Rows of a small table of many batches under each other, with a column `batch`; only `keep` of them.

        Only files that have changed are read again; a column that an older file has not is null.
        """
        paths = {name: self.storage.table_path(name, asset, table) for name in names}
        now = {name: at for name, path in paths.items() if (at := changed_at(path)) is not None}

        def read(name: str) -> pl.DataFrame:
            rows = with_new_columns(self.storage.read_table(paths[name]), schema)
            rows = rows if keep is None else rows.filter(keep)
            return rows.select(*schema).with_columns(batch=pl.lit(name))

        def join(before: Made[Changes, pl.DataFrame] | None) -> pl.DataFrame:
            same = _same(now, {} if before is None else before.stamp)
            parts = [read(name) for name in now if name not in same]
            if before is not None:
                parts.append(before.value.filter(pl.col("batch").is_in(same)))
            return pl.concat(parts) if parts else pl.DataFrame(schema=dict(schema) | {"batch": pl.String})

        return self._joined.get((asset, table), now, join)


def _same(now: Mapping[str, float], before: Mapping[str, float]) -> list[str]:
    """Batches whose files were not written since."""
    return [name for name, at in now.items() if before.get(name) == at]
