"""One server a folder: the folder is locked while a server runs on it, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class HomeInUse(Exception):
    """Another server runs on the folder."""


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold a folder for the time of the block. Raises `HomeInUse`, whose sentence names the process that has it."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (home / "server.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise HomeInUse(
                f"An annotation server runs on {home} already: process {holder}. "
                "End that one, or give this one another --home."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
