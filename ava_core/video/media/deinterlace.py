"""Interlaced frames as whole pictures: two half pictures of two moments make combs of whoever moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from ava_core.video.media.reading import Decoded

FILTER: Final = ("bwdif", "mode=send_frame:deint=interlaced")
"""One picture a frame, of its first moment; frames that are marked as whole pass as they are."""


def deinterlaced(frames: Iterator[Decoded]) -> Iterator[Decoded]:
    """The same frames, those that are interlaced as whole pictures; nothing is done before the first of them."""
    weaver: _Weaver | None = None
    for one in frames:
        if weaver is None and not one.frame.interlaced_frame:
            yield one
            continue
        layout = (one.frame.width, one.frame.height, one.frame.format.name)
        if weaver is None or weaver.layout != layout:
            if weaver is not None:
                yield from weaver.rest()
            weaver = _Weaver(one.frame, layout)
        yield from weaver.push(one)
    if weaver is not None:
        yield from weaver.rest()


class _Weaver:
    """The filter for frames of one size and format; it holds one back."""

    def __init__(self, frame: Any, layout: tuple[int, int, str]) -> None:
        import av.filter

        self.layout = layout
        self._graph = av.filter.Graph()
        source = self._graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
        )
        weave = self._graph.add(*FILTER)
        source.link_to(weave)
        weave.link_to(self._graph.add("buffersink"))
        self._graph.configure()
        self._waiting: list[Decoded] = []

    def push(self, one: Decoded) -> Iterator[Decoded]:
        """Put a frame in; gives what comes out."""
        self._waiting.append(one)
        self._graph.push(one.frame)
        yield from self._pull()

    def rest(self) -> Iterator[Decoded]:
        """What is still held back."""
        self._graph.push(None)
        yield from self._pull()

    def _pull(self) -> Iterator[Decoded]:
        import av

        while True:
            try:
                whole = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            # Frames come out in the order in which they went in; the filter counts time in halves.
            one = self._waiting.pop(0)
            whole.pts, whole.time_base = one.frame.pts, one.frame.time_base
            yield replace(one, frame=whole, woven=True)
