"""A web server that wakes up seldom: on an idle machine, uvicorn's looks whether it is to end cost a quarter of all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import uvicorn

WAKE_SECONDS: Final = 0.5
"""Between two looks; uvicorn's own tenth of a second has no setting. A server ends so much later at most."""
TICKS: Final = 10
"""So many of its own are the second after which uvicorn renews what it says of the time: here with each look."""


async def _until_told(server: uvicorn.Server) -> None:
    ticks = 0
    while not await server.on_tick(ticks):
        ticks += TICKS
        await asyncio.sleep(WAKE_SECONDS)


def wake_seldom() -> None:
    """Let the servers of this process look at these intervals whether they are to end."""
    import uvicorn

    uvicorn.Server.main_loop = _until_told  # type: ignore[assignment,method-assign]
