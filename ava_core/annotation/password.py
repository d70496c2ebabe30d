"""The embedded annotation server's administrator password: the platform makes it and hands it to the server."""

from __future__ import annotations

import secrets
from pathlib import Path

from ava_core.base.private import secret_file


def embedded_password(home: Path) -> str:
    """The administrator's password: made once, kept in `home/admin_password`, readable by its owner alone."""
    return secret_file(home / "admin_password", lambda: secrets.token_urlsafe(18))
