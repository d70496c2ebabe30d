"""Plays a clip with boxes drawn over it, layer by layer; labels side by side; conflicts to jump to."""

from __future__ import annotations

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from ava_core.base.schemas import CLIP_FPS


class ClipPlayer(Element, component="clip_player.js"):
    """Shows the document at `source` (one of `known.player`).

    `frame` is where it stands at first. Everything happens in the browser, so that playing and jumping never
    wait for the server. It tells `approve`, `reject`, `undo` and `skip` as keys are pressed; where `choosing`, the
    digits tell `choose` instead of hiding annotators. With `person`, that person's labels alone are listed, and
    everybody else's boxes are faint.
    """

    def __init__(self, source: str, *, frame: int = 0, choosing: bool = False, person: int = 0) -> None:
        super().__init__()
        self._props["source"] = source
        self._props["frame-wanted"] = frame
        self._props["choosing"] = choosing
        self._props["person"] = person
        self.frame = frame
        self.on("frame", self._moved)

    @property
    def second(self) -> int:
        """The second at which the picture stands."""
        return self.frame // CLIP_FPS

    def _moved(self, event: GenericEventArguments) -> None:
        self.frame = int(event.args)
