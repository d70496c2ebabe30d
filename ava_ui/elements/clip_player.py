"""Plays a clip with boxes drawn over it, layer by layer; labels side by side; conflicts to jump to."""

from __future__ import annotations

from nicegui.element import Element


class ClipPlayer(Element, component="clip_player.js"):
    """Shows the document at `source` (`documents.review_document` or `track_document`).

    `frame` is where it stands at first. Everything happens in the browser, so that playing and jumping never
    wait for the server.
    """

    def __init__(self, source: str, *, frame: int = 0) -> None:
        super().__init__()
        self._props["source"] = source
        self._props["frame-wanted"] = frame
