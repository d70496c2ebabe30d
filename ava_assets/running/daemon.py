"""`python -m ava_assets.running.daemon`: Dagster's daemon, which looks less often at what seldom changes.

It takes the daemon's own options.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from dagster._daemon import sensor
from dagster._daemon.cli import main
from dagster._grpc import server_watcher

from ava_core.base.settings import load_settings

WATCH_SECONDS: Final = 5
"""Between two such questions. Dagster's own second costs an idle machine more than all that it is asked for."""
WATCHES: Final = 2
"""That many without an answer, and the code server counts as away: after ten seconds, as with Dagster."""
ENGINES: Final = 8
"""More than there are databases that are asked again and again."""


def watch_calmly() -> None:
    """Let this process ask the code server at these intervals: Dagster has no setting for them."""
    server_watcher.WATCH_INTERVAL = WATCH_SECONDS
    server_watcher.MAX_RECONNECT_ATTEMPTS = WATCHES


def look_calmly(look_seconds: float) -> None:
    """Let this process go through its sensors twice in the time between two of their looks, at most every 5 s.

    Dagster goes through them every 5 s, whatever time they have, and opens its database four times with each.
    """
    sensor.MIN_INTERVAL_LOOP_TIME = max(sensor.MIN_INTERVAL_LOOP_TIME, look_seconds / 2)  # type: ignore[assignment]


def keep_engines() -> None:
    """Let this process make the engine of each SQLite database once.

    Dagster makes one for every question, which costs as much as the question. They keep no connection.
    """
    for module in (sqlite_schedule_storage, sqlite_run_storage):
        module.create_engine = lru_cache(ENGINES)(module.create_engine)  # type: ignore[attr-defined]


if __name__ == "__main__":
    watch_calmly()
    keep_engines()
    look_calmly(load_settings().look_seconds)
    main()
