"""Counts of every batch along the stages, kept up to date in the background so that no page waits for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from ava_core.base.storage import Storage
from ava_core.operations.overview import Overview
from ava_core.store import Store, batches
from ava_core.store.tables import Batch


@dataclass(frozen=True)
class BatchRow:
    """A batch and its counts by stage (`overview.STAGES`); `None` where a stage has not run."""

    batch: str
    created_at: datetime
    counts: dict[str, int | None]
    archived: bool = False


@dataclass
class Counts:
    """The newest counts. `refresh` looks at every batch; files are read again only where they changed.

    `rows` are of batches that are not in the archive; `archived` are the names of the others.
    """

    storage: Storage
    store: Store
    rows: list[BatchRow] = field(default_factory=list)
    archived: frozenset[str] = frozenset()
    overview: Overview = field(init=False)

    def __post_init__(self) -> None:
        self.overview = Overview(self.storage, self.store)

    def refresh(self) -> list[BatchRow]:
        """Bring the counts up to date; oldest batch first."""
        self.archived = frozenset(batches.archived(self.store))
        self.rows = self._rows(archived=False)
        return self.rows

    def with_archived(self) -> list[BatchRow]:
        """Counts of all batches as they are now, of those in the archive too; oldest batch first."""
        return self._rows(archived=True)

    def _rows(self, *, archived: bool) -> list[BatchRow]:
        with self.store.session() as session:
            known = {
                row.name: row
                for row in session.execute(select(Batch.name, Batch.created_at, Batch.archived_at))
            }
        return [
            BatchRow(name, known[name].created_at, row, archived=known[name].archived_at is not None)
            for name, row in self.overview.counts(archived=archived).items()
            if name in known
        ]
