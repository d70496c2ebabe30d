"""Uploads files of any size in pieces, with progress, cancel and resume."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments


class Uploader(Element, component="uploader.js"):
    """A place to drop or choose files. `on_uploaded` gets the finished uploads' names by key."""

    def __init__(self, on_uploaded: Callable[[dict[str, str]], Any]) -> None:
        super().__init__()

        def uploaded(event: GenericEventArguments) -> Any:
            return on_uploaded({str(key): str(name) for key, name in event.args})

        self.on("uploaded", uploaded)
