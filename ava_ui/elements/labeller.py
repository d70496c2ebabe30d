"""The page for labelling one job, in the browser: keys to what is drawn never wait for the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui.element import Element


class Labelling(Element, component="labeller.js"):
    """Shows the job that is asked for below `source`, in the name of `user`, at a frame (0: where they were).

    `finished` is called once the job is completed.
    """

    def __init__(self, source: str, user: str, *, frame: int = 0, finished: Callable[[], Any]) -> None:
        super().__init__()
        self._props["source"] = source
        self._props["user"] = user
        self._props["frame-wanted"] = frame
        self.on("finished", finished)
