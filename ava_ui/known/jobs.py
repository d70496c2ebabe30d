"""Annotators' jobs of all batches for the pages: read once, however many look; from then on only what changes."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Lock
from typing import Final

import polars as pl
from sqlalchemy import Connection, func, select

from ava_core.store import Store
from ava_core.store.tables import DONE_STAGE, Job

SCHEMA: Final = {
    "job_id": pl.Int64, "task_id": pl.Int64, "batch": pl.String, "clip_id": pl.String, "annotator": pl.String,
    "stage": pl.String, "state": pl.String, "changed": pl.String, "was_completed": pl.Boolean, "done": pl.Boolean,
}  # fmt: skip


KEPT_SECONDS: Final = 30.0
"""After this all jobs are read again, whether a change was noticed or not."""


class Jobs:
    """The newest jobs. Safe in threads."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._read_at = float("-inf")
        self._rows = pl.DataFrame(schema=SCHEMA)
        self._lock = Lock()

    def table(self) -> pl.DataFrame:
        """`job_id, task_id, batch, clip_id, annotator, status, hours` (since the last change) and more, by id."""
        # Whatever changes of a job, the server's date does. One that is older than the newest shows after
        # `KEPT_SECONDS`, or at once where it changes a count.
        wanted = select(
            func.count(), func.max(Job.server_updated_at), func.max(Job.job_id), func.count(Job.completed_at)
        ).where(Job.of_annotator)
        with self._lock:
            with self.store.session() as session:
                now = tuple(session.execute(wanted).one())
                connection = session.connection()
                if time.monotonic() - self._read_at < KEPT_SECONDS and _sums(self._rows) != now:
                    self._rows = _with(self._rows, _read(connection, self._rows["changed"].max()))
                if time.monotonic() - self._read_at >= KEPT_SECONDS or _sums(self._rows) != now:
                    self._rows, self._read_at = _read(connection), time.monotonic()
            rows = self._rows
        changed = pl.col("changed").str.to_datetime(time_zone="UTC", strict=False)
        hours = (pl.lit(datetime.now(UTC)) - changed).dt.total_minutes() / 60
        return rows.with_columns(hours=hours.round(1))


def _sums(rows: pl.DataFrame) -> tuple[object, ...]:
    """What tells that jobs have changed: how many, the newest date, the last id, how many were ever completed."""
    return rows.height, rows["changed"].max(), rows["job_id"].max(), int(rows["was_completed"].sum())


def _with(rows: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
    """`rows` with some of them as they are now."""
    return pl.concat([rows.join(changed, on="job_id", how="anti"), changed]).sort("job_id")


def _read(connection: Connection, since: object = None) -> pl.DataFrame:
    """Annotators' jobs by id; only those that have changed at that date of the server or later."""
    columns = (
        Job.job_id, Job.task_id, Job.batch, Job.clip_id, Job.annotator, Job.stage, Job.state,
        Job.server_updated_at, Job.completed_at.is_not(None), Job.is_done,
    )  # fmt: skip
    wanted = select(*columns).where(Job.of_annotator).order_by(Job.job_id)
    if since is not None:
        wanted = wanted.where(Job.server_updated_at >= since)
    found = connection.execute(wanted).fetchall()
    values = zip(*found, strict=True) if found else ([] for _ in SCHEMA)
    rows = pl.DataFrame(
        [
            pl.Series(name, list(column), dtype=kind)
            for (name, kind), column in zip(SCHEMA.items(), values, strict=True)
        ]
    )
    elsewhere = (
        pl.when(pl.col("stage") == DONE_STAGE).then(pl.lit("")).otherwise(" (" + pl.col("stage") + ")")
    )
    return rows.with_columns(
        status=pl.when(pl.col("done")).then(pl.lit("completed")).otherwise(pl.col("state") + elsewhere)
    )
