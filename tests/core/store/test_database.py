"""The schema: made once, by however many processes; the older columns are there; errors are sentences."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from ava_core.base.errors import InputError, StoreError
from ava_core.store import Store, batches, open_store, schema, tasks
from ava_core.store.schema import alembic_config, newest_version
from ava_core.store.tables import Base, Batch, Task

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


def test_the_newest_version_is_known_without_alembic(store: Store) -> None:
    assert newest_version() == ScriptDirectory.from_config(alembic_config()).get_current_head()
    again = (
        "import sys; from ava_core.store import open_store; "
        "open_store(sys.argv[1]); assert 'alembic' not in sys.modules"
    )
    url = store.engine.url.render_as_string(hide_password=False)
    subprocess.run([sys.executable, "-c", again, url], check=True)


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
    with pytest.raises(StoreError, match="newer version"):
        open_store(url)


def test_a_database_of_dagsters_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'dagster.db'}"
    with sa.create_engine(url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE event_logs (id INTEGER)")
    with pytest.raises(StoreError, match="Create a database for each"):
        open_store(url)


def test_an_id_that_two_batches_share_belongs_to_the_first(tmp_path: Path) -> None:
    """Under older schemas nothing forbade it; both keep their tasks, and no third one joins them."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        for batch in ("a", "b"):
            connection.exec_driver_sql(
                "INSERT INTO batches (name, source_path, options, note, created_at) "
                f"VALUES ('{batch}', 'x', '{{}}', '', '2026-01-01 00:00:00')"
            )
        connection.exec_driver_sql(
            "INSERT INTO projects (project_id, name, created_at) VALUES (1, 'ava', '2026-01-01 00:00:00')"
        )
        for number, name, batch, clip in ((10, "c", "b", "c"), (11, "C", "a", "C"), (12, "d", "a", "d")):
            connection.exec_driver_sql(
                "INSERT INTO tasks (task_id, project_id, name, status, qc_status, batch, clip_id) "
                f"VALUES ({number}, 1, '{name}', 'annotation', 'pending', '{batch}', '{clip}')"
            )
    engine.dispose()
    store = open_store(url)
    tasks.claim_clips(store, "b", ["c", "e"])
    tasks.claim_clips(store, "a", ["d"])
    for batch, clip in (("a", "C"), ("b", "D"), ("a", "e")):
        with pytest.raises(InputError, match=f"{clip} of batch {batch} has the id"):
            tasks.claim_clips(store, batch, ["f", clip])
    assert [task.clip_id for task in tasks.tasks_of(store, "a")] == ["C", "d"]
    tasks.claim_clips(store, "a", ["f"])
    store.close()


def test_names_of_batches_differ_in_more_than_the_case_of_letters(store: Store) -> None:
    batches.add(store, "Gate", "x", {})
    with pytest.raises(InputError, match="Gate already exists"):
        batches.add(store, "gate", "x", {})


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


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_an_older_schema_held_is_kept(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A batch with a task, jobs and a reading, made under the first schema; afterwards a clip may have more tasks."""
    url = f"sqlite:///{tmp_path / 'old.db'}" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in (
            "INSERT INTO batches (name, source_path, options, note, created_at) "
            "VALUES ('b', 'x', '{}', '', '2026-01-01 00:00:00')",
            "INSERT INTO projects (project_id, name, created_at) VALUES (1, 'ava', '2026-01-01 00:00:00')",
            "INSERT INTO tasks (task_id, project_id, name, status, qc_status, batch, clip_id) "
            "VALUES (10, 1, 'c', 'completed', 'approved', 'b', 'c')",
            "INSERT INTO jobs (job_id, task_id, batch, clip_id, job_type, annotator, stage, state, "
            "server_updated_at, frames, predrawn) "
            "VALUES (100, 10, 'b', 'c', 'annotation', 'mia', 'annotation', 'completed', 't', 60, '[]')",
            "INSERT INTO readings (reading_id, job_id, version, annotator, server_updated_at, content_hash, read_at) "
            "VALUES (5, 100, 1, 'mia', 't', 'h', '2026-01-01 00:00:00')",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    store = open_store(url)
    [job] = tasks.jobs_of(store, "b")
    assert (job.annotator, job.state) == ("mia", "completed")
    assert (job.created_at, job.started_at) == (None, None), "nobody knows"
    assert job.completed_at == datetime(2026, 1, 1, tzinfo=UTC), "it was completed when it was read"
    tasks.put_task(store, Task(task_id=11, project_id=1, name="c+tom", batch="b", clip_id="c"), [])
    assert [(t.name, t.qc_status) for t in tasks.tasks_of(store, "b")] == [
        ("c", "approved"),
        ("c+tom", "approved"),
    ]
    with pytest.raises(sa.exc.IntegrityError), store.session() as session:
        session.add(Task(task_id=12, project_id=1, name="c", batch="b", clip_id="c"))
    with pytest.raises(sa.exc.IntegrityError), store.session() as session:
        session.execute(sa.text("DELETE FROM tasks WHERE task_id = 10"))
    store.close()


def test_a_snapshot_sees_one_moment_and_holds_nobody_up(store: Store) -> None:
    batches.add(store, "before", "x", {})
    with store.snapshot() as session:
        assert session.scalars(sa.select(Batch.name)).all() == ["before"]
        batches.add(store, "meanwhile", "x", {})
        assert session.scalars(sa.select(Batch.name)).all() == ["before"]
    assert batches.names(store) == ["before", "meanwhile"]


def test_a_schema_that_waits_for_a_lock_gives_up_and_names_who_holds_it(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "LOCK_SECONDS", 1)
    engine = sa.create_engine(postgres_url, connect_args={"application_name": "somebody's report"})
    with engine.connect() as holder:
        holder.execute(sa.text(f"SELECT pg_advisory_xact_lock({schema.SCHEMA_LOCK})"))
        number = holder.scalar(sa.text("SELECT pg_backend_pid()"))
        said = rf"upgraded: session {number} of \w+ \(somebody's report\) from .*, idle in transaction"
        with pytest.raises(StoreError, match=said):
            open_store(postgres_url)
    engine.dispose()
    open_store(postgres_url).close()
