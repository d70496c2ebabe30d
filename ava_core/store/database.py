"""Opening the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ava_core.base.errors import StoreBusyError, StoreError
from ava_core.base.settings import Settings, with_driver
from ava_core.store.schema import LOCK_NOT_AVAILABLE, blocker_of, bring_up_to_date

SQLITE_BUSY_MS = 30_000
"""How long a writer waits for another one before it gives up."""

POSTGRES_WRITES = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
"""How many rows were ever written in this database."""


class Store:
    """A connection pool to the operational database."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that commits when the block ends, and rolls back when it raises."""
        with _lock_in_words(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A session that reads what held at one moment, whatever others write meanwhile; nothing is written in it."""
        with _lock_in_words(), self.engine.connect() as connection:
            if self.engine.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            else:
                # The driver begins a transaction by itself only where something is written.
                connection.exec_driver_sql("BEGIN")
            with Session(connection, expire_on_commit=False) as session:
                yield session
            connection.rollback()

    def token(self) -> str:
        """A text that is another one after whatever was written, by whomever: asking for it costs next to nothing.

        On PostgreSQL a change may show a second late.
        """
        path = self.engine.url.database
        if self.engine.dialect.name == "sqlite":
            files = [Path(f"{path}{end}") for end in ("", "-wal")]
            stats = [file.stat() for file in files if file.exists()]
            return " ".join(f"{stat.st_mtime_ns} {stat.st_size}" for stat in stats)
        with self.session() as session:
            return str(session.scalar(sa.text(POSTGRES_WRITES)))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@contextmanager
def _lock_in_words() -> Iterator[None]:
    try:
        yield
    except sa.exc.OperationalError as error:
        if "database is locked" not in str(error.orig):
            raise
        raise StoreBusyError(
            "Another program has locked the database; nothing was changed.", "Try again in a moment."
        ) from None


def open_store(settings_or_url: Settings | str, *, busy_ms: int = SQLITE_BUSY_MS) -> Store:
    """Open the database, and create or migrate it first. Several processes may do so at once.

    `busy_ms`: how long SQLite waits for another writer before it raises `StoreBusyError`.

    Raises `StoreError` if the database cannot be reached, or was made by a later version of this code.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     store = open_store(f"sqlite:///{folder}/ava.db")
    ...     with store.session() as session:
    ...         session.scalar(sa.text("SELECT count(*) FROM batches"))
    ...     store.close()
    0
    """
    given = settings_or_url
    return _open(with_driver(given) if isinstance(given, str) else given.resolved_database_url, busy_ms)


@cache
def _open(url: str, busy_ms: int) -> Store:
    parsed = sa.make_url(url)
    shown = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(parsed, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", partial(_prepare_sqlite, busy_ms=busy_ms))
    try:
        bring_up_to_date(engine, shown)
    except sa.exc.OperationalError as error:
        blocker = blocker_of(engine) if getattr(error.orig, "pgcode", "") == LOCK_NOT_AVAILABLE else ""
        engine.dispose()
        if blocker:
            raise StoreError(
                f"The database {shown} cannot be upgraded: {blocker} holds a lock on it.",
                "Wait for it to finish, or stop it: SELECT pg_terminate_backend of its number.",
            ) from None
        reason = str(error.orig).strip().splitlines()[0]
        raise StoreError(
            f"The database {shown} cannot be used: {reason}.", "Check AVA_DATABASE_URL."
        ) from None
    return Store(engine)


def _prepare_sqlite(connection: Any, record: Any, *, busy_ms: int) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={busy_ms}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
