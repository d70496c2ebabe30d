"""What the embedded server lets happen: handed to it when it starts, never read from the environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
"""Names by which a machine calls itself."""
CONSOLE_PORT: Final = 8501
"""Where the console takes webhooks unless it is told otherwise."""


def console_at(port: int) -> tuple[str, ...]:
    """The console of this machine, as receiver of webhooks."""
    return tuple(f"{name}:{port}" for name in LOOPBACK)


@dataclass(frozen=True)
class Options:
    """Doors and limits of the server.

    `registration`: whether strangers may make accounts; an administrator always may. `hosts`: names beyond
    loopback by which the server may be called. `webhook_receivers`: private addresses that webhooks may call, as
    `host` or `host:port`; public ones they always may. `task_bytes`: what the media of one task may take.
    """

    registration: bool = False
    hosts: tuple[str, ...] = ()
    webhook_receivers: tuple[str, ...] = console_at(CONSOLE_PORT)
    task_bytes: int = 20 * 2**30
