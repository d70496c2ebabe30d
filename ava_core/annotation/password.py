"""The embedded annotation server's administrator password: the platform makes it and hands it to the server."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def embedded_password(home: Path) -> str:
    """The administrator's password: made once, kept in `home/admin_password`, readable by its owner alone."""
    path = home / "admin_password"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f".admin_password.{secrets.token_hex(4)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(18))
        try:
            os.link(temporary, path)  # fails where another process was faster: then its password holds
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return path.read_text().strip()
