"""The schema: made once, by however many processes; the older columns are there; errors are sentences."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from ava_core.errors import StoreError
from ava_core.store import Store, open_store
from ava_core.store.tables import Base

OLDER_COLUMNS = {
    "projects": {"project_id", "name", "created_at"},
    "tasks": {"task_id", "project_id", "name", "status", "assignee", "retrieved_at", "qc_status"},
    "annotations": {
        "annotation_id", "task_id", "job_id", "track_id", "frame", "xtl", "ytl", "xbr", "ybr",
        "outside", "attributes", "annotator",
    },
}  # fmt: skip


def test_migrations_give_what_the_models_say(store: Store) -> None:
    with store.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert differences == []


@pytest.mark.parametrize("table", OLDER_COLUMNS)
def test_the_older_columns_are_kept(store: Store, table: str) -> None:
    columns = {column["name"] for column in sa.inspect(store.engine).get_columns(table)}
    assert columns >= OLDER_COLUMNS[table]


def test_a_database_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'later.db'}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('9999_future')")
    with pytest.raises(StoreError, match="later version"):
        open_store(url)


def test_a_database_of_dagsters_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'dagster.db'}"
    with sa.create_engine(url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE event_logs (id INTEGER)")
    with pytest.raises(StoreError, match="Make a database for each"):
        open_store(url)


def test_an_unreachable_database_is_one_sentence_without_the_password() -> None:
    with pytest.raises(StoreError, match="AVA_DATABASE_URL") as caught:
        open_store("postgresql://someone:secret-word@127.0.0.1:1/nothing")
    assert "secret-word" not in str(caught.value)


def test_processes_that_start_together_make_one_schema(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    program = "import sys; from ava_core.store import open_store; open_store(sys.argv[1])"
    started = [
        subprocess.Popen([sys.executable, "-c", program, url], stderr=subprocess.PIPE) for _ in range(4)
    ]
    errors = [process.communicate(timeout=60)[1].decode() for process in started]
    assert [process.returncode for process in started] == [0] * 4, errors
