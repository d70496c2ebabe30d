"""Uploads files of any size in pieces, with progress, cancel and resume."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from nicegui.element import Element
from nicegui.events import GenericEventArguments

PIECE: Final = 4 << 20
"""Bytes that go up at once. Larger ones go up no faster, and keep others waiting longer."""


class Uploader(Element, component="uploader.js"):
    """A place to drop or choose files that end in one of `suffixes`.

    `on_uploaded` gets the finished uploads' names by key; `on_chosen` the names of the chosen files, first
    the one that was chosen first, whenever one is chosen or removed.
    """

    def __init__(
        self,
        on_uploaded: Callable[[dict[str, str]], Any],
        on_chosen: Callable[[list[str]], Any],
        suffixes: Collection[str],
    ) -> None:
        super().__init__()
        self.props["suffixes"] = sorted(suffixes)
        self.props["piece"] = PIECE

        def uploaded(event: GenericEventArguments) -> Any:
            return on_uploaded({str(key): str(name) for key, name in event.args})

        self.on("uploaded", uploaded)
        self.on("chosen", lambda event: on_chosen([str(name) for name in event.args]))
