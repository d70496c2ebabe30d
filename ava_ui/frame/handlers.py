"""Whether an event handler takes arguments, without asking `inspect` for each.

NiceGUI asks three times for every element of a page, and builds a whole signature each time: a quarter of what a page
costs. Plain functions and methods say it in their code.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any, Final

from nicegui import helpers

_BY_SIGNATURE: Final = helpers.expects_arguments


def expects_arguments(func: Callable[..., Any]) -> bool:
    """As NiceGUI's: whether a parameter that takes one value has no default."""
    plain = func.__func__ if isinstance(func, MethodType) else func
    # What a decorator noted of another signature lies in the function's own dictionary.
    if not isinstance(plain, FunctionType) or plain.__dict__:
        return _BY_SIGNATURE(func)
    code, bound = plain.__code__, plain is not func
    positional = code.co_argcount - bound - len(plain.__defaults__ or ())
    return positional > 0 or code.co_kwonlyargcount > len(plain.__kwdefaults__ or ())


def ask_quickly() -> None:
    """Let NiceGUI ask here: it looks its own function up by name whenever it asks."""
    helpers.expects_arguments = expects_arguments
