"""Clips without encoding: where a source's own frames are what the clip should hold, they are copied.

That is so for H.264 of 8 bits and 4:2:0 at exactly 30 fps whose picture stays as it is, from one of its own keyframes
on. Nothing is lost, and it costs next to nothing; browsers and CVAT play it like the clips that are encoded. Only
what was seen is copied: the caller names the frames that its decoder handed out, and the copy is read again.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from ava_core.base.errors import MediaError
from ava_core.base.schemas import CLIP_FPS
from ava_core.video.media.geometry import plane_pixels
from ava_core.video.media.reading import Reading, opened

CONTAINERS: Final = ("mov,mp4", "matroska")
"""Containers that store presentation times; AVI does not."""
PIXEL_FORMATS: Final = ("yuv420p", "yuvj420p")
TIME_TOLERANCE_S: Final = 0.002
"""How far a time may be off: Matroska rounds to milliseconds."""
SAMPLED_PIXELS: Final = 16
"""Every so many rows and columns a picture is looked at to tell whether it is the same."""

SAMPLED_STARTS: Final = 3
"""Every so many keyframes of a copy are decoded again: they are its dearest frames."""


class CannotCopyError(MediaError):
    """A clip would not be what was seen; it has to be encoded."""


class Copier:
    """Copies clips out of one source, each from a later frame than the one before it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamps: list[int] = []
        self._starts: set[int] = set()
        self._hidden: set[int] = set()
        with opened(path) as reading:
            self._base = Fraction(reading.stream.time_base)
            for packet in reading.packets():
                if packet.size and packet.pts is not None:
                    self._note(packet)
        self._place = {stamp: place for place, stamp in enumerate(self._stamps)}
        self._unique = len(self._place) == len(self._stamps)
        self._source = ExitStack()
        self._packets: Iterator[Any] | None = None
        self._template: Any = None

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _note(self, packet: Any) -> None:
        self._stamps.append(packet.pts)
        if packet.is_keyframe:
            self._starts.add(packet.pts)
        if packet.is_discard or packet.is_corrupt:
            self._hidden.add(packet.pts)

    def share(self, frames_per_clip: int) -> float:
        """Share of whole clips, one after another from the first frame shown, that can be copied."""
        shown = sorted(set(self._stamps) - self._hidden)
        starts = shown[::frames_per_clip][: len(shown) // frames_per_clip] or shown[:1]
        good = sum(self.can_begin(start, min(frames_per_clip, len(shown))) for start in starts)
        return good / len(starts) if starts else 0.0

    def can_begin(self, first: int, frames: int) -> bool:
        """Whether `frames` frames from the one stamped `first` on can be copied, as far as packets tell.

        Fewer where the source ends.
        """
        place = self._place.get(first)
        if place is None or first not in self._starts or not self._unique:
            return False
        return self._is_exact(sorted(self._stamps[place : place + frames]))

    def _is_exact(self, stamps: Sequence[int]) -> bool:
        """Whether these stamps are 1/30 s apart, all shown, and decoded by themselves."""
        if not stamps:
            return False
        first = stamps[0]
        place = self._place[first]
        own = self._stamps[place : place + len(stamps)]
        if set(own) != set(stamps) or not self._hidden.isdisjoint(own):
            return False
        return all(
            abs(float((stamp - first) * self._base) - number / CLIP_FPS) <= TIME_TOLERANCE_S
            for number, stamp in enumerate(stamps)
        )

    def copy(self, target: Path, stamps: Sequence[int | None], prints: Mapping[int, int]) -> None:
        """Write the frames of these stamps, in the order in which they are shown, as an mp4 of exactly 30 fps.

        `prints`: `fingerprint` of frames by number, as they were seen. Raises `CannotCopyError` where the copy
        does not hold the same.
        """
        import av

        known = [stamp for stamp in stamps if stamp in self._place]
        if len(known) != len(stamps) or not self._is_exact(known):
            raise CannotCopyError("its packets do not match its frames")
        number_of = {stamp: number for number, stamp in enumerate(known)}
        own = self._own(number_of)
        with av.open(str(target), "w", options=dict(MP4)) as sink:
            copied = sink.add_stream_from_template(self._template)
            copied.time_base = Fraction(1, CLIP_FPS)
            # Reordered frames are decoded earlier than they are shown; by how much, the worst of them says.
            lead = max(order - number_of[packet.pts] for order, packet in enumerate(own))
            for order, packet in enumerate(own):
                number = number_of[packet.pts]
                packet.stream, packet.time_base = copied, Fraction(1, CLIP_FPS)
                packet.pts, packet.dts, packet.duration = number, order - lead, 1
                sink.mux(packet)
        _verify(target, len(stamps), prints)

    def _own(self, wanted: Mapping[int, int]) -> list[Any]:
        """The packets of these stamps in decoding order; the file is read on from where the last clip ended."""
        if self._packets is None:
            reading = self._source.enter_context(opened(self._path))
            self._packets, self._template = reading.packets(), reading.stream
        own = []
        for packet in self._packets:
            if packet.pts in wanted:
                own.append(packet)
            if len(own) == len(wanted):
                return own
        raise CannotCopyError("its packets cannot be read again")


MP4: Final = (("movflags", "+faststart"),)
"""Options of every clip's container: players begin before they have all of it."""


def copier_of(path: Path, source: Mapping[str, Any]) -> Copier | None:
    """A copier for a source (a row of `schemas.SOURCE_VIDEOS`) that may be copied by what it is; else `None`.

    Whether its picture stays as it is, the caller knows.
    """
    plain = source["codec"] == "h264" and source["pixel_format"] in PIXEL_FORMATS and not source["interlaced"]
    upright = not source["rotation"] and not source["mirrored"] and source["pixel_aspect"] in (None, 1.0)
    if not plain or not upright or not source["container"].startswith(CONTAINERS):
        return None
    return Copier(path)


def fingerprint(picture: Any) -> int:
    """A number that tells pictures apart: of every sixteenth pixel of every sixteenth row, without colour."""
    pixels = plane_pixels(picture.planes[0])[::SAMPLED_PIXELS, ::SAMPLED_PIXELS]
    return zlib.crc32(pixels.tobytes())


def _verify(path: Path, frames: int, prints: Mapping[int, int]) -> None:
    """Decode every third keyframe of the copy and all from its last one on; compare them with what was seen.

    What lies between are the same bytes behind the same keyframes.
    """
    with opened(path) as reading:
        packets = [packet for packet in reading.packets() if packet.size]
        starts = [order for order, packet in enumerate(packets) if packet.is_keyframe]
        if len(packets) != frames or not starts or starts[0] != 0:
            raise CannotCopyError("the copy has other frames")
        chosen = [packets[order] for order in (*starts[:-1:SAMPLED_STARTS], *range(starts[-1], frames))]
        expected = {packet.pts: packet for packet in chosen}
        seen = dict(_decoded(reading, chosen))
        for pts in expected:
            number = round(pts * reading.stream.time_base * CLIP_FPS)
            if seen.get(pts) != prints[number]:
                raise CannotCopyError("the copy shows other pictures")


def _decoded(reading: Reading, packets: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """Stamps and fingerprints of the frames that come out of these packets. Raises `CannotCopyError` for none."""
    import av

    reading.stream.thread_type = "AUTO"
    try:
        for packet in (*packets, None):
            for frame in reading.stream.decode(packet):
                if not frame.is_corrupt:
                    yield frame.pts, fingerprint(frame)
    except av.FFmpegError as error:
        raise CannotCopyError(f"the copy cannot be decoded ({error.strerror})") from None
