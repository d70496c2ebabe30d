"""Ask, compute in a thread, show only the newest answer: for what people change faster than it is computed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from nicegui import ui

from ava_core.base.errors import AvaError
from ava_ui.frame import theme

Answer = TypeVar("Answer")


class Newest(Generic[Answer]):
    """`compute` runs in a thread; `show` gets its answer, `refuse` what is wrong for people to read.

    An answer that comes after somebody has asked again is dropped: it is no longer of what stands on the page.
    """

    def __init__(
        self,
        compute: Callable[[], Answer],
        show: Callable[[Answer], object],
        refuse: Callable[[AvaError], object],
    ) -> None:
        self.compute, self.show, self.refuse = compute, show, refuse
        self._asked = 0

    async def ask(self) -> None:
        """Ask once more."""
        self._asked = mine = self._asked + 1
        try:
            answer = await asyncio.to_thread(self.compute)
        except AvaError as error:
            if mine == self._asked:
                self.refuse(error)
            return
        if mine == self._asked:
            self.show(answer)


def newest_in(
    place: ui.column, compute: Callable[[], Answer], draw: Callable[[Answer], object]
) -> Newest[Answer]:
    """The newest answer in a place of the page, and what is wrong in the same place."""

    def show(answer: Answer) -> None:
        place.clear()
        with place:
            draw(answer)

    def refuse(error: AvaError) -> None:
        place.clear()
        with place:
            theme.problem(error)

    return Newest(compute, show, refuse)
