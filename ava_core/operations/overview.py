"""How far each batch is: counts along the stages, from the assets' tables and the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl
from upath import UPath

from ava_core.base.once import Once
from ava_core.base.schemas import USABLE
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.dataset.export.released_clips import ReleasedClips
from ava_core.store import Store, batches, tasks

STAGES: Final = (
    "videos", "clips", "tracks", "tasks", "jobs done", "annotated", "agreed", "approved", "released",
)  # fmt: skip
"""In the order in which a batch goes through them. Videos count those that can be used, tracks people in clips, jobs
annotators' jobs. All others count clips: cut; with a task; completed by all their annotators; with an agreement that
is defined (somebody was labelled by two); approved; in at least one release."""

Counts = dict[str, int | None]
"""By stage of `STAGES`; `None` where a stage has not run."""

Counted = Callable[[pl.LazyFrame], pl.LazyFrame]

FILES: Final[dict[str, tuple[str, str, Counted]]] = {
    "videos": ("source_videos", "", lambda t: t.select((USABLE).sum())),
    "clips": ("clips", "", lambda t: t.select(pl.len())),
    "tracks": ("tracks", "", lambda t: t.select("clip_id", "track_id").unique().select(pl.len())),
    "agreed": ("agreement", "clips", lambda t: t.select(pl.col("pooled_alpha").is_not_null().sum())),
}
"""Stages that are counted in a file: asset, table, and how."""


class Overview:
    """Counts of all batches. Files are counted anew only where they changed; the database is asked as a whole."""

    def __init__(self, storage: Storage, store: Store) -> None:
        self.storage, self.store = storage, store
        self.released = ReleasedClips(storage)
        self._counted = Once[UPath, float, int]()

    def counts(self, batch: str = "", *, archived: bool = False) -> dict[str, Counts]:
        """Counts by batch, oldest first; of one batch alone where it is named.

        `archived`: those in the archive are among them.
        """
        names = [batch] if batch else batches.names(self.store, archived=archived)
        work, released = tasks.clip_counts(self.store, batch), self.released.by_batch()
        return {name: self._row(name, work.get(name), len(released.get(name, ()))) for name in names}

    def _row(self, batch: str, work: tasks.ClipCounts | None, released: int) -> Counts:
        found: Counts = {stage: self._in_file(batch, stage) for stage in FILES}
        if work is not None:
            found |= {"tasks": work.with_task, "jobs done": work.jobs_done, "annotated": work.annotated}
            found["approved"] = work.approved or None
        found["released"] = released or None
        return {stage: found.get(stage) for stage in STAGES}

    def _in_file(self, batch: str, stage: str) -> int | None:
        asset, table, count = FILES[stage]

        def counted(path: UPath) -> int:
            with self.storage.fetched(path) as local:
                return int(count(pl.scan_parquet(local, glob=False)).collect().item())

        return self._counted.of_file(self.storage.table_path(batch, asset, table), counted)


def batch_counts(at: BatchContext) -> Counts:
    """Counts of one batch by stage."""
    return Overview(at.storage, at.store).counts(at.batch)[at.batch]
