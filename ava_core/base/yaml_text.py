"""YAML that a stranger may have written: read within bounds, however small the file that asks for more."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from ava_core.base.errors import InputError

MAX_BYTES: Final = 1 << 18
"""Ten times the largest file of this project; PyYAML reads some hundred kilobytes a second."""

MAX_DEPTH: Final = 40
"""Lists in lists; what is read here lies six deep."""

MAX_VALUES: Final = 100_000
"""Values when everything that an alias repeats is counted again."""


class UnfitYamlError(yaml.YAMLError):
    """YAML that asks for more than a person would write."""


def read_text(path: Path) -> str:
    """A file of YAML as text. Raises `InputError` where it is too large, or no UTF-8."""
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path} is larger than {MAX_BYTES >> 10} KiB.", "Give the YAML file itself.")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text, at byte {error.start}.", "Save it as UTF-8.") from None


def load_yaml(text: str, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> Any:
    """The one document of `text`, by a safe loader. Raises `yaml.YAMLError` for all that cannot be read."""
    _measure(text)
    try:
        return yaml.load(text, Loader=loader)  # noqa: S506 - the caller's loader is a safe one
    except ValueError as error:  # a date or a number that is none
        raise UnfitYamlError(str(error)) from None


def _measure(text: str) -> None:
    """Count values and depth event by event, before anything is built."""
    if len(text) > MAX_BYTES:
        raise UnfitYamlError(f"it is longer than {MAX_BYTES} characters")
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = []
    count = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            open_.append((event.anchor, count))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_.pop()
            if anchor:
                sizes[anchor] = count - before
        elif isinstance(event, yaml.AliasEvent):
            count += sizes.get(event.anchor or "", 1)
        count += isinstance(event, yaml.NodeEvent)
        if count > MAX_VALUES:
            raise UnfitYamlError(f"it has more than {MAX_VALUES} values, including those that aliases repeat")
        if len(open_) > MAX_DEPTH:
            raise UnfitYamlError(f"its lists are nested more than {MAX_DEPTH} deep")
