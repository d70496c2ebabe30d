"""Waits until the process that started it is gone, then ends that one's services. See `family.Guard`."""

from __future__ import annotations

import signal
import sys

from ava_assets.running.family import Family

OVER = "over"
"""What the parent says last where it has ended the services itself."""


def main() -> None:
    """The mark is the argument; a line of the input is a service: its number and when it started."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends when its parent does
    family = Family(sys.argv[1])
    for line in sys.stdin:
        if line.strip() == OVER:
            return
        pid, _, since = line.strip().partition(" ")
        family.leaders[int(pid)] = since
    family.end()


if __name__ == "__main__":
    main()
