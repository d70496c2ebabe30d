"""A websocket lives as long as the session of the person who opened it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ava_core.base.sockets import SIGNED_OUT, while_signed_in

NEWS = {"type": "websocket.receive", "text": "news"}
GONE = {"type": "websocket.disconnect", "code": SIGNED_OUT}
CLOSED = {"type": "websocket.close", "code": SIGNED_OUT}


class Browser:
    """The other end: sends `NEWS` where there is any, and keeps what it was sent."""

    def __init__(self, news: int) -> None:
        self.news, self.sent = news, []  # type: int, list[Any]

    async def receive(self) -> Any:
        if not self.news:
            await asyncio.Event().wait()
        self.news -= 1
        return NEWS

    async def send(self, message: Any) -> None:
        self.sent.append(message)


async def test_what_comes_passes_while_somebody_is_signed_in() -> None:
    browser = Browser(news=3)
    receive, send = while_signed_in(browser.receive, browser.send, lambda: True, every=0.0)
    assert [await receive() for _ in range(3)] == [NEWS] * 3
    await send(NEWS)
    assert browser.sent == [NEWS]


@pytest.mark.parametrize("news", [0, 9], ids=["a silent one", "a busy one"])
async def test_it_is_closed_once_the_session_has_ended(news: int) -> None:
    browser = Browser(news)
    receive, send = while_signed_in(browser.receive, browser.send, lambda: False, every=0.001)
    while (met := await receive()) == NEWS:
        await asyncio.sleep(0.001)
    await send(NEWS)
    assert (met, await receive(), browser.sent) == (GONE, GONE, [CLOSED])


async def test_a_message_that_was_awaited_is_not_lost_when_the_application_stops_waiting() -> None:
    browser = Browser(news=0)
    receive, _ = while_signed_in(browser.receive, browser.send, lambda: True)
    waiting = asyncio.ensure_future(receive())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    browser.news = 1
    assert await receive() == NEWS
