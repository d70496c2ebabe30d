"""`python -m ava_assets.running.daemon`: Dagster's daemon, which asks the code server less often whether it is new.

It takes the daemon's own options.
"""

from __future__ import annotations

from typing import Final

from dagster._daemon.cli import main
from dagster._grpc import server_watcher

WATCH_SECONDS: Final = 5
"""Between two such questions. Dagster's own second costs an idle machine more than all that it is asked for."""
WATCHES: Final = 2
"""That many without an answer, and the code server counts as away: after ten seconds, as with Dagster."""


def watch_calmly() -> None:
    """Let this process ask the code server at these intervals: Dagster has no setting for them."""
    server_watcher.WATCH_INTERVAL = WATCH_SECONDS
    server_watcher.MAX_RECONNECT_ATTEMPTS = WATCHES


if __name__ == "__main__":
    watch_calmly()
    main()
