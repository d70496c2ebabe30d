"""What the platform writes is its user's alone."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

PRIVATE_UMASK: Final = 0o077
"""New files are 0600, new folders 0700."""


def write_privately() -> None:
    """From now on nobody else may read what this process and its children write."""
    os.umask(PRIVATE_UMASK)


def close_home(home: Path) -> None:
    """Make the home, and close it for others; what lies in it from earlier is out of their reach then, too."""
    write_privately()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(PermissionError):  # somebody else's folder, who decides about it
        home.chmod(0o700)


def secret_file(path: Path, make: Callable[[], str]) -> str:
    """The secret in a file that its owner alone may read; made where it is missing, once, whoever comes first."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        try:
            os.link(temporary, path)  # fails where another process was faster: then its secret holds
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return path.read_text().strip()


def dagster_token(home: Path) -> str:
    """By this the platform's own programs are known to Dagster's webserver; whoever may read HOME may use it."""
    return secret_file(home / "dagster_token", lambda: secrets.token_urlsafe(32))
