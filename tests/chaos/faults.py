"""What happens to a platform: each fault is a function of the platform and a seeded generator, over when it returns."""

from __future__ import annotations

import random
import resource
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import psutil
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from ava_core.base.settings import with_driver
from tests.chaos.platform import Platform

Fault = Callable[[Platform, random.Random], None]

SERVICES = ("annotation server", "console", "code server", "daemon", "webserver")
SMALL_BYTES = 4096
"""To a process that may write no more than this, a disk is full."""


def kill(*names: str) -> Fault:
    """End processes as the system does that is out of memory."""

    def fault(platform: Platform, draw: random.Random) -> None:
        found = [platform.process(name) for name in names]
        for process in filter(None, found):
            with suppress(psutil.Error):
                process.kill()

    return fault


def freeze(name: str, seconds: tuple[float, float]) -> Fault:
    """Let a process stand still for a while: a server that is down or slow, a launch that takes its time."""

    def fault(platform: Platform, draw: random.Random) -> None:
        process = platform.process(name)
        if process is None:
            return
        with suppress(psutil.Error):
            process.send_signal(signal.SIGSTOP)
            time.sleep(draw.uniform(*seconds))
            process.send_signal(signal.SIGCONT)

    return fault


def full_disk(platform: Platform, draw: random.Random) -> None:
    """No process may write more than a page to any file for a while, new ones included."""
    before = {}
    for process in platform.everything():
        with suppress(psutil.Error, OSError):
            before[process] = process.rlimit(resource.RLIMIT_FSIZE)
            process.rlimit(resource.RLIMIT_FSIZE, (SMALL_BYTES, before[process][1]))
    time.sleep(draw.uniform(2, 6))
    for process in {*before, *platform.everything()}:
        with suppress(psutil.Error, OSError):
            process.rlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def read_only_files(platform: Platform, draw: random.Random) -> None:
    """The folder of all files cannot be written for a while; its rights are taken where nobody may mount."""
    folder = platform.home / "storage"
    folder.mkdir(exist_ok=True)
    if subprocess.run(["mount", "--bind", str(folder), str(folder)], capture_output=True).returncode:
        folder.chmod(0o500)
        time.sleep(draw.uniform(2, 6))
        folder.chmod(0o700)
        return
    subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
    time.sleep(draw.uniform(2, 6))
    subprocess.run(["umount", "-l", str(folder)], check=True)


def locked_database(platform: Platform, draw: random.Random) -> None:
    """Somebody else holds the platform's database, or Dagster's, for a while."""
    dagster = platform.settings.dagster_home / "history" / "runs.db"
    file = draw.choice([platform.home / "ava.db", dagster])
    if not file.exists():
        return
    connection = sqlite3.connect(file, timeout=10, isolation_level=None)
    with suppress(sqlite3.OperationalError):
        connection.execute("BEGIN EXCLUSIVE")
        time.sleep(draw.uniform(2, 8))
        connection.execute("ROLLBACK")
    connection.close()


def locked_tables(platform: Platform, draw: random.Random) -> None:
    """The same of a PostgreSQL: somebody changes a table there for a while, and all who ask for it wait."""
    settings = platform.settings
    assert settings.dagster_postgres_url is not None
    dagster = settings.dagster_postgres_url.get_secret_value()
    url, name = draw.choice([(settings.database_url, "batches"), (dagster, "runs")])
    engine = sa.create_engine(with_driver(url), poolclass=sa.NullPool)
    with suppress(SQLAlchemyError), engine.begin() as connection:
        connection.exec_driver_sql(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
        time.sleep(draw.uniform(2, 8))


def postgres_away(*, killed: bool) -> Fault:
    """The database's server ends, orderly or not, and is there again some seconds later."""

    def fault(platform: Platform, draw: random.Random) -> None:
        server = platform.postgres
        assert server is not None
        server.kill() if killed else server.stop()
        time.sleep(draw.uniform(0.5, 6))
        server.start()

    return fault


def clock_step(platform: Platform, draw: random.Random) -> None:
    """The clock is set forward by up to two hours, or back by up to half a minute, and stays so.

    Set back by more, Dagster looks at nothing until the clock is where it was.
    """
    before = float(platform.clock_file.read_text()) if platform.clock_file.exists() else 0.0
    platform.clock_file.write_text(str(before + draw.choice([draw.uniform(0, 7200), draw.uniform(-30, 0)])))


FAULTS: dict[str, Fault] = {
    **{f"{name} killed": kill(name) for name in SERVICES},
    "run killed": kill("run"),
    "run killed at once with the code server": kill("run", "code server"),
    "guard killed": kill("guard"),
    "ava up killed": kill("up"),
    "ava up and guard killed": kill("guard", "up"),
    "all killed": kill("guard", "up", *SERVICES),
    "annotation server down": freeze("annotation server", (3, 10)),
    "slow launch": freeze("code server", (4, 12)),
    "daemon stands still": freeze("daemon", (3, 10)),
    "run stands still": freeze("run", (2, 8)),
    "disk full": full_disk,
    "files read-only": read_only_files,
    "database locked": locked_database,
    "clock set": clock_step,
}
"""By name; a plan draws from all of them in turn, so that none is left out."""

FAULTS_ON_POSTGRES: dict[str, Fault] = {
    **FAULTS,
    "database locked": locked_tables,
    "PostgreSQL restarted": postgres_away(killed=False),
    "PostgreSQL killed": postgres_away(killed=True),
}
"""Those of a platform whose databases lie there."""


def plan(seed: int, number: int, kinds: Mapping[str, Fault] = FAULTS) -> list[str]:
    """So many faults in a seeded order, each kind about as often as the others."""
    draw, names = random.Random(seed), []
    while len(names) < number:
        turn = list(kinds)
        draw.shuffle(turn)
        names += turn
    return names[:number]
