"""Only the newest answer is shown, however long an older one took; what is wrong is said."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from ava_core.base.errors import AvaError, InputError
from ava_ui.elements.newest import Newest


class Page:
    """What is shown of questions that are answered one after the other."""

    def __init__(self, *answers: Callable[[], str]) -> None:
        self.answers = iter(answers)
        self.shown: list[str] = []
        self.refused: list[str] = []

    def newest(self) -> Newest[str]:
        """Asks them in their order."""

        def refuse(error: AvaError) -> None:
            self.refused.append(error.message)

        return Newest(lambda: next(self.answers)(), self.shown.append, refuse)


class Slow:
    """An answer that waits until it may come."""

    def __init__(self, answer: Callable[[], str]) -> None:
        self.answer = answer
        self.begun, self.may_come = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.may_come.wait(10)
        return self.answer()


def refusing() -> str:
    raise InputError("Nobody is chosen.", "Choose somebody.")


async def ask_twice(page: Page, slow: Slow) -> None:
    """Ask, ask again before the answer has come, and let the first answer come last."""
    newest = page.newest()
    first = asyncio.create_task(newest.ask())
    assert await asyncio.to_thread(slow.begun.wait, 10)
    await newest.ask()
    slow.may_come.set()
    await first


async def test_an_answer_is_shown() -> None:
    page = Page(lambda: "one")
    await page.newest().ask()
    assert (page.shown, page.refused) == (["one"], [])


async def test_an_older_answer_that_comes_later_is_dropped() -> None:
    slow = Slow(lambda: "old")
    page = Page(slow, lambda: "new")
    await ask_twice(page, slow)
    assert page.shown == ["new"]


async def test_an_older_problem_that_comes_later_is_dropped() -> None:
    slow = Slow(refusing)
    page = Page(slow, lambda: "new")
    await ask_twice(page, slow)
    assert (page.shown, page.refused) == (["new"], [])


async def test_a_newer_problem_stands_instead_of_an_older_answer() -> None:
    slow = Slow(lambda: "old")
    page = Page(slow, refusing)
    await ask_twice(page, slow)
    assert (page.shown, page.refused) == ([], ["Nobody is chosen."])


async def test_what_is_no_error_for_people_is_raised() -> None:
    def breaking() -> str:
        raise RuntimeError("a bug")

    page = Page(breaking)
    with pytest.raises(RuntimeError, match="a bug"):
        await page.newest().ask()
    assert (page.shown, page.refused) == ([], [])
