"""Whether a command that somebody is told to type is one: its words go through the parser of `ava` itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import typer

from ava_assets.cli.main import app

LEFT_OPEN = "…"
"""Stands in texts for what the reader fills in."""
SHOWS_ITSELF = ("--help", "--version", LEFT_OPEN)


def command_problem(words: Sequence[str]) -> str:
    """What is wrong with the words that follow `ava`, "" where nothing is.

    A command without any words is only named, and may lack what it needs.
    """
    command = _root()
    rest = list(words)
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]
    if not rest or rest[0] in SHOWS_ITSELF:
        return ""
    if hasattr(command, "commands"):
        return f"`{command.name}` has no command {rest[0]!r}"
    try:
        given, left, _ = command.make_parser(command.context_class(command)).parse_args(list(rest))
    except Exception as error:  # the parser's own kind, which typer may bring along or take from click
        return str(getattr(error, "message", error))
    if LEFT_OPEN in rest:
        return ""
    lacking = [each.name for each in command.params if each.required and given.get(each.name) in (None, ())]
    if lacking:
        return f"`{command.name}` needs {', '.join(lacking)}"
    return f"`{command.name}` takes no {left[0]!r}" if left else ""


def every_option() -> set[str]:
    """Options of all commands, with both dashes."""
    return set(_options(_root()))


@cache
def _root() -> Any:
    return typer.main.get_command(app)


def _options(command: Any) -> list[str]:
    own = [name for each in command.params for name in (*each.opts, *each.secondary_opts)]
    below = getattr(command, "commands", {}).values()
    return ["--help", *own, *(name for each in below for name in _options(each))]
