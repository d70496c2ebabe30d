"""Annotators' jobs of all batches, as the pages show them: read once, however many pages look, until one changes."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Lock
from typing import Final

import polars as pl
from sqlalchemy import func, select

from ava_core.store import Store
from ava_core.store.tables import Job
from ava_core.store.tasks import DONE_STAGE, DONE_STATE

SCHEMA: Final = {
    "job_id": pl.Int64, "task_id": pl.Int64, "batch": pl.String, "clip_id": pl.String, "annotator": pl.String,
    "stage": pl.String, "state": pl.String, "changed": pl.String,
}  # fmt: skip


KEPT_SECONDS: Final = 30.0
"""After this the jobs are read again, whether a change was noticed or not."""


class Jobs:
    """The newest jobs. Safe in threads."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._seen: tuple[object, ...] = ()
        self._read_at = 0.0
        self._rows = pl.DataFrame(schema=SCHEMA)
        self._lock = Lock()

    def table(self) -> pl.DataFrame:
        """`job_id, task_id, batch, clip_id, annotator, status, hours` (since the last change) and more."""
        # Whatever changes of a job, the server's date does. One that is older than the newest shows with the next
        # change, or after `KEPT_SECONDS`.
        seen = select(
            func.count(), func.max(Job.server_updated_at), func.max(Job.job_id), func.count(Job.completed_at)
        ).where(Job.annotator != "")
        with self._lock:
            with self.store.session() as session:
                now = tuple(session.execute(seen).one())
                if now != self._seen or time.monotonic() - self._read_at > KEPT_SECONDS:
                    self._rows, self._seen = self._read(session.connection()), now
                    self._read_at = time.monotonic()
            rows = self._rows
        changed = pl.col("changed").str.to_datetime(time_zone="UTC", strict=False)
        hours = (pl.lit(datetime.now(UTC)) - changed).dt.total_minutes() / 60
        return rows.with_columns(hours=hours.round(1))

    def _read(self, connection: object) -> pl.DataFrame:
        columns = (
            Job.job_id, Job.task_id, Job.batch, Job.clip_id, Job.annotator, Job.stage, Job.state,
            Job.server_updated_at,
        )  # fmt: skip
        found = connection.execute(select(*columns).where(Job.annotator != "")).fetchall()  # type: ignore[attr-defined]
        values = zip(*found, strict=True) if found else ([] for _ in SCHEMA)
        rows = pl.DataFrame(
            [
                pl.Series(name, list(column), dtype=kind)
                for (name, kind), column in zip(SCHEMA.items(), values, strict=True)
            ]
        )
        done = (pl.col("stage") == DONE_STAGE) & (pl.col("state") == DONE_STATE)
        elsewhere = (
            pl.when(pl.col("stage") == DONE_STAGE).then(pl.lit("")).otherwise(" (" + pl.col("stage") + ")")
        )
        return rows.with_columns(
            status=pl.when(done).then(pl.lit("completed")).otherwise(pl.col("state") + elsewhere)
        )
