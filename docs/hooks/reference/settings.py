"""Every setting, from the settings' model."""

from __future__ import annotations

import inspect
import re
from typing import Any, Literal, get_args, get_origin

from ava_core.base.settings import Settings, variable_of
from reference.markdown import code, table

HEAD = """# Settings

Generated from `ava_core/base/settings.py`. Set them as environment variables, or as lines of `.env` in the
folder in which you start `ava`. Times are in seconds, sizes in pixels, rates in frames per second. You can set most of
them for a single batch, too: `ava batch add VIDEOS.zip --option overlap=0.3`.

"""
GROUP = re.compile(r"^    # (.+)$")
FIELD = re.compile(r"^    (\w+): ")


def settings_page() -> str:
    """One table a group of settings, in the order of the model."""
    parts = [f"## {group.capitalize()}\n\n{table(HEADS, map(_row, names))}" for group, names in _groups()]
    return HEAD + "\n\n".join(parts) + "\n"


HEADS = ("variable", "takes", "default", "")


def _groups() -> list[tuple[str, list[str]]]:
    """Names of settings below the comments that stand over them."""
    groups: list[tuple[str, list[str]]] = []
    for line in inspect.getsource(Settings).splitlines():
        if heading := GROUP.match(line):
            groups.append((heading[1], []))
        elif (field := FIELD.match(line)) and field[1] in Settings.model_fields:
            groups[-1][1].append(field[1])
    return groups


def _row(name: str) -> tuple[str, str, str, str]:
    field = Settings.model_fields[name]
    default = "" if field.default is None else str(field.default)
    return code(variable_of(name)), _kind(field.annotation), code(default), field.description or ""


def _kind(annotation: Any) -> str:
    """What a value looks like, in words."""
    if get_origin(annotation) is Literal:
        return ", ".join(code(str(choice)) for choice in get_args(annotation))
    inner = [each for each in get_args(annotation) if each is not type(None)]
    name = (inner[0] if inner else annotation).__name__
    words = {"str": "text", "int": "whole number", "float": "number", "Path": "path", "SecretStr": "secret"}
    return words.get(name, "true or false" if name == "bool" else name)
