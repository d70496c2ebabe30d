"""The one way to open a video and read its packets and frames; damage costs only what it hit.

Videos are untrusted and often broken: names in any encoding, packets lost or overwritten, times that make no sense.
Only containers that hold pictures themselves are opened, never ones that point to other files. Nothing here seeks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ava_core.base.errors import MediaError

CONTAINERS: Final = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,live_flv,asf,h264,hevc,h263,m4v,vc1,av1,obu,ivf,mjpeg,mpjpeg,"
    "mjpeg_2000,dhav,dv,mxf,gxf,ogg,rm,nut,nsv,wtv,yuv4mpegpipe,cavsvideo,avs,avs2,avs3,gif,swf,r3d,lxf,mlv"
)
"""Demuxers that may open a file. Left out are playlists, which read other files, pictures, and text as pictures."""
RAW_CONTAINERS: Final = ("h264", "hevc", "m4v", "mpegvideo", "vc1", "cavsvideo", "h263", "obu")
"""Bare streams: what times FFmpeg gives their frames are guesses at 25 a second."""
USUAL_RATE: Final = 25.0
"""Frames a second where nothing says how many."""
SANE_RATES: Final = (0.05, 500.0)
HEAD_BYTES: Final = 1 << 20
"""How far behind a recorder's own header its stream is looked for."""
MAX_BROKEN_READS: Final = 100
"""Reads in a row that may fail before a file counts as broken off."""
HEALED_FRAMES: Final = 300
"""A stream without keyframes refreshes itself bit by bit: after so many sound frames damage is gone."""
INTER_CODED: Final = ("h264", "hevc")
"""Codecs whose decoders leave out frames without an error when packets before them were lost."""
NOT_FILM: Final = 0x400 | 0x800 | 0x100000
"""Dispositions of tracks that are no recording: cover art, thumbnails, a still picture."""
DEFAULT_TRACK: Final = 0x1
SOFTWARE: Final = "software"
PREVIEW: Final = 0.5
"""A track with less than this share of the largest one's pixels is a preview of it, default or not."""


@dataclass(frozen=True)
class Decoded:
    """A sound frame.

    `after_loss`: between it and the one before, frames were lost; `woven`: it was made of two half pictures.
    """

    frame: Any
    after_loss: bool = False
    woven: bool = False


class Reading:
    """An open video and the track of it that is read.

    `decoded` counts frames that came out of the decoder, `damaged` those of them that were left out or never came.
    """

    def __init__(self, container: Any, stream: Any) -> None:
        self.container, self.stream = container, stream
        self.decoded = self.damaged = 0

    @property
    def stores_times(self) -> bool:
        """Whether the times of packets are true: AVI stores none, and bare streams have none."""
        return self.container.format.name != "avi" and not self.is_raw

    @property
    def is_raw(self) -> bool:
        """Whether it is a bare stream without a container."""
        return self.container.format.name in RAW_CONTAINERS

    @property
    def rate(self) -> float:
        """Frames a second as the file says; a usual one where it says none."""
        stated = (self.stream.guessed_rate, self.stream.average_rate)
        for rate in stated if self.is_raw else reversed(stated):
            if rate and SANE_RATES[0] <= rate <= SANE_RATES[1]:
                return float(rate)
        return USUAL_RATE

    def packets(self) -> Iterator[Any]:
        """All packets that can be read, then those that make the decoder give up what it still holds."""
        import av

        broken = 0
        reading = self.container.demux(self.stream)
        while broken < MAX_BROKEN_READS:
            try:
                packet = next(reading, None)
            except (av.FFmpegError, EOFError):
                broken += 1
                reading = self.container.demux(self.stream)
                continue
            if packet is None:
                return
            broken = 0
            yield packet

    def frames(self) -> Iterator[Decoded]:
        """All sound frames in the order in which they are shown; those that lean on damaged ones are left out."""
        import av

        self.stream.thread_type = "AUTO"
        health = _Health(self)
        for packet in self.packets():
            health.sees(packet)
            try:
                frames = packet.decode()
            except (av.FFmpegError, EOFError):
                health.fails()
                continue
            for frame in frames:
                if health.is_sound(frame):
                    yield Decoded(frame, health.told_loss())


class _Health:
    """Tells sound frames from those that lean on lost or damaged ones: after damage, only a keyframe is trusted."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self._sound: bool | None = None
        self._lost = False
        self._since = 0
        name = reading.stream.codec_context.name
        self._swallows = name in INTER_CODED and reading.stores_times
        self._order = 0
        self._pending: dict[int, int] = {}

    def sees(self, packet: Any) -> None:
        """A packet goes into the decoder."""
        if self._sound is None and packet.size:
            self._sound = bool(packet.is_keyframe)
        if self._swallows and packet.size and packet.pts is not None and not packet.is_discard:
            self._pending[packet.pts] = self._order
            self._order += 1

    def fails(self) -> None:
        """A packet could not be decoded."""
        # Where packets are waited for, those that never come out are counted then.
        self.reading.damaged += not self._swallows
        self._damage()

    def is_sound(self, frame: Any) -> bool:
        """Whether a frame shows what was filmed."""
        self.reading.decoded += 1
        swallowed = self._swallowed(frame)
        self.reading.damaged += swallowed
        if swallowed or frame.is_corrupt:
            self._damage()
        if frame.key_frame and not frame.is_corrupt:
            self._sound = True
        self._since += 1
        if not self._sound and self._since <= HEALED_FRAMES:
            self.reading.damaged += 1
            self._lost = True
            return False
        self._sound = True
        return True

    def told_loss(self) -> bool:
        """Whether frames were lost since this was asked last."""
        lost, self._lost = self._lost, False
        return lost

    def _damage(self) -> None:
        self._sound, self._lost, self._since = False, True, 0

    def _swallowed(self, frame: Any) -> int:
        """Packets before this frame's, in decoding as in showing, that never came out."""
        own = self._pending.pop(frame.pts, None)
        if own is None or frame.interlaced_frame:
            return 0
        gone = [pts for pts, order in self._pending.items() if order < own and pts < frame.pts]
        for pts in gone:
            del self._pending[pts]
        return len(gone)


@contextmanager
def opened(path: Path, decoder: str = SOFTWARE) -> Iterator[Reading]:
    """The video at `path`. Raises `MediaError` where it is none, or none that can be decoded.

    `decoder`: `software`, or FFmpeg's name of a device that decodes what it can; the rest is decoded in software.
    """
    container, stream = _open(path, decoder)
    with container:
        yield Reading(container, stream)


def _open(path: Path, decoder: str) -> tuple[Any, Any]:
    """The container and the track to read; a bare stream behind a header of a recorder's own is found too."""
    reasons = []
    for demuxer in (None, *_bare_streams(path)):
        try:
            return _open_as(path, demuxer, decoder)
        except MediaError as error:
            reasons.append(error)
    raise reasons[0]


def _open_as(path: Path, demuxer: str | None, decoder: str) -> tuple[Any, Any]:
    import av
    from av.codec.hwaccel import HWAccel

    try:
        container = av.open(
            # An absolute path is never taken for a protocol, whatever colons are in it.
            str(path.absolute()),
            format=demuxer,
            container_options={"format_whitelist": CONTAINERS},
            metadata_errors="replace",
            hwaccel=None if decoder == SOFTWARE else HWAccel(decoder, allow_software_fallback=True),
        )
    except (av.FFmpegError, EOFError, ValueError) as error:
        raise MediaError(f"it cannot be read as video ({_words(error)})") from None
    try:
        return container, _best_track(container)
    except BaseException:
        container.close()
        raise


def _words(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return "its format contains no video" if text == "Invalid argument" else text


def _best_track(container: Any) -> Any:
    """The recording: of the tracks that are large enough, the default one, or the largest; never cover art."""
    videos = [one for one in container.streams.video if not int(one.disposition) & NOT_FILM]
    if not videos:
        raise MediaError(
            "it contains sound but no picture" if container.streams.audio else "it contains no video"
        )
    known = [one for one in videos if one.codec_context is not None]
    if not known:
        raise MediaError("its codec is not supported")
    sizes = {one.index: one.codec_context.width * one.codec_context.height for one in known}
    recordings = [one for one in known if sizes[one.index] >= PREVIEW * max(sizes.values())]
    return max(
        recordings, key=lambda one: (bool(int(one.disposition) & DEFAULT_TRACK), sizes[one.index], -one.index)
    )


def _bare_streams(path: Path) -> list[str]:
    """Bare streams whose parameters stand near the file's beginning, behind start codes (H.264 annex B)."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    found = []
    if any(b"\x00\x00\x01" + kind in head for kind in (b"\x67", b"\x27", b"\x47")):
        found.append("h264")
    if b"\x00\x00\x01\x40\x01" in head:
        found.append("hevc")
    return found
