"""Keeping a database's schema at the version that this code knows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ava_core.base.errors import StoreError

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"

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

VERSION_TABLE = "alembic_version"
"""Where Alembic notes the version."""

DAGSTER_TABLE = "event_logs"
"""A table by which Dagster's storage is known."""


def bring_up_to_date(engine: sa.Engine, shown: str) -> None:
    """Make the tables, or change them into those that this code knows.

    `shown`: the database's address as people may read it.

    Raises `StoreError` where it was made by a later version of this code, or holds Dagster's own tables.
    """
    if _version(engine) == newest_version():
        return  # Alembic takes a third of a second to import: only a schema that has to change pays for it.
    _migrate(engine, shown)


def newest_version() -> str:
    """The number of the last migration: files are named after theirs, one following upon the other."""
    return max(file.name.split("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _version(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        names = set(sa.inspect(connection).get_table_names())
        if VERSION_TABLE not in names or DAGSTER_TABLE in names:
            return None
        return connection.scalar(
            sa.select(sa.column("version_num", sa.String)).select_from(sa.table(VERSION_TABLE))
        )


def _migrate(engine: sa.Engine, shown: str) -> None:
    from alembic import command
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = alembic_config()
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
                f"The database {shown} contains Dagster's tables, whose names clash with the platform's.",
                "Create a database for each: AVA_DATABASE_URL and AVA_DAGSTER_POSTGRES_URL.",
            )
        known = {script.revision for script in scripts.walk_revisions()}
        if current is not None and current not in known:
            raise StoreError(
                f"The database {shown} was created by a newer version (schema {current}).",
                "Update this installation.",
            )
        if current != scripts.get_current_head():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        connection.commit()
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def blocker_of(engine: sa.Engine) -> str:
    """Who holds the lock that was waited for, in words; "somebody" who has let go of it since."""
    with engine.connect() as connection:
        row = connection.execute(WHO_BLOCKS).first()
    if row is None:
        return "a session that has ended since"
    number, user, program, host, state, seconds = row
    named = f" ({program})" if program else ""
    return f"session {number} of {user}{named} from {host}, {state} for {float(seconds or 0):.0f} s,"


def alembic_config() -> Config:
    """Alembic's settings: where the migrations are."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
