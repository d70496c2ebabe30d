"""Opening the database, and keeping its schema at the version that this code knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from ava_core.base.errors import StoreError
from ava_core.base.settings import Settings, with_driver

SQLITE_BUSY_MS = 30_000
"""How long a writer waits for another one before it gives up."""

SCHEMA_LOCK = 0x0A7A
"""Key of PostgreSQL's advisory lock under which the schema is brought up to date."""

LOCK_SECONDS = 30
"""How long the schema may wait for somebody else's lock: other processes wait behind who waits."""

LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL's code for a lock that was waited for in vain."""

WHO_BLOCKS = sa.text(
    "SELECT a.pid, a.usename, a.application_name, coalesce(host(a.client_addr), 'this machine'), a.state,"
    " extract(epoch FROM now() - a.xact_start)"
    " FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
    " LEFT JOIN pg_class c ON c.oid = l.relation LEFT JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE l.granted AND a.datname = current_database() AND a.pid <> pg_backend_pid()"
    " AND (l.locktype = 'advisory' OR n.nspname = 'public')"
    " ORDER BY a.xact_start LIMIT 1"
)
"""The session that has held a lock on the platform's tables, or the schema's own, for the longest time."""

DAGSTER_TABLE = "event_logs"
"""A table by which Dagster's storage is known."""

POSTGRES_WRITES = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
"""How many rows were ever written in this database."""


class Store:
    """A connection pool to the operational database."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that commits when the block ends, and rolls back when it raises."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A session that reads what held at one moment, whatever others write meanwhile; nothing is written in it."""
        with self.engine.connect() as connection:
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


def open_store(settings_or_url: Settings | str) -> Store:
    """Open the database, made or brought up to date first. Several processes may do so at once.

    Raises `StoreError` where it cannot be reached, or was made by a later version of this code.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     store = open_store(f"sqlite:///{folder}/ava.db")
    ...     with store.session() as session:
    ...         session.scalar(sa.text("SELECT count(*) FROM batches"))
    ...     store.close()
    0
    """
    given = settings_or_url
    return _open(with_driver(given) if isinstance(given, str) else given.resolved_database_url)


@cache
def _open(url: str) -> Store:
    parsed = sa.make_url(url)
    shown = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(parsed, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    try:
        _upgrade(engine, shown)
    except sa.exc.OperationalError as error:
        blocker = _blocker(engine) if getattr(error.orig, "pgcode", "") == LOCK_NOT_AVAILABLE else ""
        engine.dispose()
        if blocker:
            raise StoreError(
                f"The database {shown} cannot be brought up to date: {blocker} holds a lock on it.",
                "Let that end its work, or end it: SELECT pg_terminate_backend of its number.",
            ) from None
        reason = str(error.orig).strip().splitlines()[0]
        raise StoreError(
            f"The database {shown} cannot be used: {reason}.", "Check AVA_DATABASE_URL."
        ) from None
    return Store(engine)


def _blocker(engine: sa.Engine) -> str:
    """Who holds the lock that was waited for, in words; "somebody" who has let go of it since."""
    with engine.connect() as connection:
        row = connection.execute(WHO_BLOCKS).first()
    if row is None:
        return "somebody, who has gone since,"
    number, user, program, host, state, seconds = row
    named = f" ({program})" if program else ""
    return f"session {number} of {user}{named} from {host}, {state} for {float(seconds or 0):.0f} s,"


def _prepare_sqlite(connection: Any, record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _upgrade(engine: sa.Engine, shown: str) -> None:
    config = _alembic_config()
    scripts = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        # One process upgrades, the others wait for it and then find nothing to do.
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
            connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})"))
        else:
            # SQLite changes a table by making it anew, which foreign keys to it would forbid.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        current = MigrationContext.configure(connection).get_current_revision()
        if sa.inspect(connection).has_table(DAGSTER_TABLE):
            raise StoreError(
                f"The database {shown} holds Dagster's own tables, whose names are like the platform's.",
                "Make a database for each: AVA_DATABASE_URL and AVA_DAGSTER_POSTGRES_URL.",
            )
        known = {script.revision for script in scripts.walk_revisions()}
        if current is not None and current not in known:
            raise StoreError(
                f"The database {shown} was made by a later version (schema {current}).",
                "Update this installation.",
            )
        if current != scripts.get_current_head():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        connection.commit()
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
