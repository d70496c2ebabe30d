"""Every command, from the command line itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

import typer

from ava_assets.cli.main import app
from reference.markdown import code, table

HEAD = """# Commands

Generated from the command line itself; `ava COMMAND --help` shows the same. If you can fix the cause of an error,
the command prints one sentence on stderr and exits with code 1.

"""


def commands_page() -> str:
    """One section a command, groups with their commands below them."""
    root = typer.main.get_command(app)
    return HEAD + "\n\n".join(_section(path, command) for path, command in _below("ava", root)) + "\n"


def _below(path: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if hasattr(command, "commands"):
            yield from _below(f"{path} {name}", command)


def _section(path: str, command: Any) -> str:
    level = "#" * len(path.split())
    parts = [f"{level} {path}", command.help or ""]
    if not hasattr(command, "commands"):
        parts += [f"```sh\n{_usage(path, command)}\n```", _parameters(command)]
    return "\n\n".join(part for part in parts if part)


def _usage(path: str, command: Any) -> str:
    arguments = [each for each in command.params if _is_argument(each)]
    words = [_argument(each) for each in arguments]
    options = ["[OPTIONS]"] if len(arguments) < len(command.params) else []
    return " ".join([path, *options, *words])


def _parameters(command: Any) -> str:
    rows = [
        (
            _argument(each) if _is_argument(each) else ", ".join(map(code, each.opts + each.secondary_opts)),
            _kind(each),
            _default(each),
            each.help or "",
        )
        for each in command.params
        if not getattr(each, "hidden", False)
    ]
    return table(["", "takes", "default", ""], rows) if rows else ""


def _is_argument(parameter: Any) -> bool:
    return not parameter.opts[0].startswith("-")


def _argument(parameter: Any) -> str:
    name = (parameter.metavar or parameter.name).upper()
    many = "..." if parameter.nargs == -1 else ""
    return f"{name}{many}" if parameter.required else f"[{name}]{many}"


def _kind(parameter: Any) -> str:
    if getattr(parameter, "is_flag", False):
        return ""
    annotation = parameter.type_descriptor.annotation
    if get_origin(annotation) is list:
        (annotation,) = get_args(annotation)
    name = getattr(annotation, "__name__", str(annotation))
    text = {"Path": "path", "int": "whole number", "float": "number"}.get(name, "text")
    many = ", repeatable" if getattr(parameter, "multiple", False) else ""
    return text + many


def _default(parameter: Any) -> str:
    value = parameter.default
    return "" if value in (None, "", False, []) or callable(value) else code(str(value))
