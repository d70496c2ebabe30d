"""Counts of every batch along the stages, kept up to date in the background so that no page waits for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from ava_core.base.storage import Storage
from ava_core.operations.overview import Overview
from ava_core.store import Store
from ava_core.store.tables import Batch


@dataclass(frozen=True)
class BatchRow:
    """A batch and its counts by stage (`overview.STAGES`); `None` where a stage has not run."""

    batch: str
    created_at: datetime
    counts: dict[str, int | None]


@dataclass
class Counts:
    """The newest counts. `refresh` looks at every batch; files are read again only where they changed."""

    storage: Storage
    store: Store
    rows: list[BatchRow] = field(default_factory=list)
    overview: Overview = field(init=False)

    def __post_init__(self) -> None:
        self.overview = Overview(self.storage, self.store)

    def refresh(self) -> list[BatchRow]:
        """Bring the counts up to date; oldest batch first."""
        with self.store.session() as session:
            added = {
                row.name: row.created_at for row in session.execute(select(Batch.name, Batch.created_at))
            }
        counted = self.overview.counts()
        self.rows = [BatchRow(name, added[name], row) for name, row in counted.items() if name in added]
        return self.rows
