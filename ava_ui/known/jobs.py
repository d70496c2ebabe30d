"""Annotators' jobs of all batches for the pages: read once, however many look; from then on only what changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import polars as pl
from sqlalchemy import Connection, func, select

from ava_core.base.once import Made, Once
from ava_core.store import Store
from ava_core.store.tables import DONE_STAGE, Job

SCHEMA: Final = {
    "job_id": pl.Int64, "task_id": pl.Int64, "batch": pl.String, "clip_id": pl.String, "annotator": pl.String,
    "stage": pl.String, "state": pl.String, "changed": pl.String, "was_completed": pl.Boolean, "done": pl.Boolean,
}  # fmt: skip

Sums = tuple[object, ...]
"""What tells that jobs have changed: how many, the newest date, the last id, how many were ever completed."""

KEPT_SECONDS: Final = 30.0
"""After this all jobs are read again, whether a change was noticed or not."""


class Jobs:
    """The newest jobs. Safe in threads. `kept_seconds`: after this all are read again."""

    def __init__(self, store: Store, kept_seconds: float = KEPT_SECONDS) -> None:
        self.store = store
        self._once = Once[str, Sums, pl.DataFrame](seconds=kept_seconds)

    def table(self) -> pl.DataFrame:
        """`job_id, task_id, batch, clip_id, annotator, status, hours` (since the last change) and more, by id."""
        with self.store.session() as session:
            now = _counted(session.connection())
        rows = self._once.get("jobs", now, self._read)
        changed = pl.col("changed").str.to_datetime(time_zone="UTC", strict=False)
        hours = (pl.lit(datetime.now(UTC)) - changed).dt.total_minutes() / 60
        return rows.with_columns(hours=hours.round(1))

    def _read(self, before: Made[Sums, pl.DataFrame] | None) -> pl.DataFrame:
        """What has changed, and everything where that does not add up.

        Whatever changes of a job, the server's date does. One that is older than the newest shows after
        `kept_seconds`, or at once where it changes a count.
        """
        with self.store.session() as session:
            connection = session.connection()
            if before is not None:
                rows = _with(before.value, _read(connection, before.value["changed"].max()))
                if _sums(rows) == _counted(connection):
                    return rows
            return _read(connection)


def _counted(connection: Connection) -> Sums:
    """The sums of all annotators' jobs, as the database counts them."""
    wanted = select(
        func.count(), func.max(Job.server_updated_at), func.max(Job.job_id), func.count(Job.completed_at)
    ).where(Job.of_annotator)
    return tuple(connection.execute(wanted).one())


def _sums(rows: pl.DataFrame) -> Sums:
    """The same of rows that were read."""
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
