"""Counts of every batch along the stages, kept up to date in the background so that no page waits for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from ava_core.overview import batch_counts
from ava_core.storage import Storage
from ava_core.store import Store
from ava_core.store.tables import Batch, Decision, Job
from ava_ui.reading import changed_at

ASSETS: Final = ("source_videos", "clips", "tracks", "cvat_tasks", "ava_csv")

Fingerprint = tuple[object, ...]


@dataclass(frozen=True)
class BatchRow:
    """A batch and its counts by stage (`overview.STAGES`); `None` where a stage has not run."""

    batch: str
    created_at: datetime
    counts: dict[str, int | None]


@dataclass
class Counts:
    """The newest counts. `refresh` looks at every batch, and counts again only where something changed."""

    storage: Storage
    store: Store
    rows: list[BatchRow] = field(default_factory=list)
    _known: dict[str, tuple[Fingerprint, BatchRow]] = field(default_factory=dict)

    def refresh(self) -> list[BatchRow]:
        """Bring the counts up to date; oldest batch first."""
        with self.store.session() as session:
            found = session.execute(select(Batch.name, Batch.created_at).order_by(Batch.created_at)).all()
            jobs = {
                batch: (number, newest)
                for batch, number, newest in session.execute(
                    select(Job.batch, func.count(), func.max(Job.server_updated_at)).group_by(Job.batch)
                )
            }
            decided = dict(
                row._tuple()
                for row in session.execute(
                    select(Decision.batch, func.max(Decision.decision_id)).group_by(Decision.batch)
                )
            )
        rows, known = [], {}
        for name, created_at in found:
            files = [changed_at(self.storage.table_path(name, asset)) for asset in ASSETS]
            fingerprint = (*files, jobs.get(name), decided.get(name))
            before = self._known.get(name)
            if before is None or before[0] != fingerprint:
                before = fingerprint, BatchRow(name, created_at, batch_counts(self.storage, self.store, name))
            known[name] = before
            rows.append(before[1])
        self._known, self.rows = known, rows
        return rows
