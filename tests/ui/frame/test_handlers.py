"""Whether a handler takes arguments: as NiceGUI says, and without its way to find out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from nicegui.helpers import functions

from ava_ui import addresses
from ava_ui.frame.handlers import expects_arguments
from tests.support.site import Site


class Methods:
    def none(self) -> None: ...
    def one(self, event: object) -> None: ...
    def one_with_default(self, event: object = None) -> None: ...
    def any(*parts: object) -> None: ...
    def named(self, *, event: object) -> None: ...
    @classmethod
    def of_class(cls, event: object) -> None: ...
    @staticmethod
    def static(event: object) -> None: ...
    def __call__(self, event: object) -> None: ...


def _decorated() -> Callable[..., Any]:
    @functools.wraps(Methods.none)
    def same(*parts: object) -> None: ...

    return same


METHODS = Methods()
HANDLERS: list[Callable[..., Any]] = [
    METHODS.none, METHODS.one, METHODS.one_with_default, METHODS.any, METHODS.named, METHODS.of_class,
    METHODS.static, METHODS, Methods.none, Methods.one, Methods.any, Methods, _decorated(), print,
    lambda: None, lambda event: None, lambda event=1: None, lambda *events: None, lambda **events: None,
    lambda *, event=1: None, lambda event, /: None, lambda first, second=2: None,
    functools.partial(METHODS.one), functools.partial(METHODS.one, 1), functools.partial(lambda a, b: None, 1),
]  # fmt: skip


@pytest.mark.parametrize("handler", HANDLERS)
def test_it_says_what_niceguis_own_says(handler: Callable[..., Any]) -> None:
    assert expects_arguments(handler) == functions.expects_arguments(handler)


async def test_the_console_draws_without_signatures(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:

    def signature(handler: object) -> None:
        raise AssertionError(f"the signature of {handler} was asked for")

    monkeypatch.setattr(functions, "signature", signature)
    await site.enter("adam").open(addresses.OVERVIEW)
