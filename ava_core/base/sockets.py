"""Websockets that end with the session of the person who opened them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Send

LOOK_SECONDS: Final = 5.0
"""Time between two looks whether a session has ended: a page that stands open shows news no longer than that."""

SIGNED_OUT: Final = 4401
"""Code with which a websocket is closed that nobody is signed in for (4000 to 4999 are free to use, RFC 6455)."""


def while_signed_in(
    receive: Receive, send: Send, signed_in: Callable[[], bool], every: float = LOOK_SECONDS
) -> tuple[Receive, Send]:
    """A websocket's two ends, which close once `signed_in` says no; it is asked in a thread.

    The application meets what it meets when a browser goes away.
    """
    looked, over = time.monotonic(), False

    async def has_ended() -> bool:
        nonlocal looked, over
        if not over and time.monotonic() - looked >= every:
            over = not await asyncio.to_thread(signed_in)
            looked = time.monotonic()
            if over:
                await send({"type": "websocket.close", "code": SIGNED_OUT})
        return over

    async def receiving() -> Message:
        coming = asyncio.ensure_future(receive())
        try:
            while not await has_ended():
                done, _ = await asyncio.wait({coming}, timeout=max(0.0, looked + every - time.monotonic()))
                if done and not await has_ended():
                    return coming.result()
            return {"type": "websocket.disconnect", "code": SIGNED_OUT}
        finally:
            coming.cancel()

    async def sending(message: Message) -> None:
        if not over:
            await send(message)

    return receiving, sending
