"""H.264 that browsers and CVAT play, in software or on a GPU: what each encoder is told, and writing with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from ava_core.base.errors import MediaError
from ava_core.base.schemas import CLIP_FPS
from ava_core.video.media.geometry import COLOUR_TAGS
from ava_core.video.media.stream_copy import MP4

SOFTWARE: Final = "libx264"
ENCODER_THREADS: Final = 2
"""Threads of x264, whatever the machine: their number changes the bytes. With two, encoding runs beside decoding."""


@dataclass(frozen=True)
class Encoder:
    """What an encoder is told beside rate, size and colours, which are the same for all.

    `pixel_format`: what it takes, of 8 bits and 4:2:0; `device`: FFmpeg's name of the device whose memory pictures have
    to lie in, where they do; `needs`: what a machine must have for it.
    """

    options: Mapping[str, str | int]
    pixel_format: str = "yuv420p"
    device: str | None = None
    needs: str = ""


ENCODERS: Final[Mapping[str, Encoder]] = MappingProxyType({
    # At CRF 24 as good as veryfast at 20 (44 dB) in 60 % of its CPU time, for a third more bytes.
    SOFTWARE: Encoder({"crf": 24, "preset": "ultrafast"}, needs="PyAV from its binary wheel"),
    # The others: constant quality at the same number where there is one, and frames in the order in which they are
    # shown, as ultrafast leaves them. `b` 0: no bit rate that quality would have to keep to.
    "h264_nvenc": Encoder(
        {"preset": "p4", "tune": "hq", "profile": "high", "rc": "vbr", "cq": 24, "b": 0, "bf": 0},
        needs="an NVIDIA GPU that has an encoder (A100, H100 and H200 have none), and its driver",
    ),
    "h264_vaapi": Encoder(
        {"profile": "high", "rc_mode": "CQP", "qp": 24, "bf": 0},
        pixel_format="nv12",
        device="vaapi",
        needs="Linux, an Intel or AMD GPU with its VA-API driver, and a PyAV that was built with VA-API",
    ),
    # Quality counts from 0 to 100 in steps of 118 (FFmpeg's FF_QP2LAMBDA); `allow_sw` 0: never Apple's software.
    "h264_videotoolbox": Encoder(
        {"profile": "high", "flags": "+qscale", "global_quality": 65 * 118, "allow_sw": 0, "bf": 0},
        needs="a Mac with Apple silicon",
    ),
})  # fmt: skip
"""H.264 encoders by FFmpeg's name. The options of those on a GPU follow FFmpeg's documentation of each."""


def made_with(name: str) -> list[str | int]:
    """What decides how an encoder's clips look: where it changes, clips are cut anew.

    Software is told by its options alone, as ever: clips of earlier versions stay.
    """
    options = list(ENCODERS[name].options.values())
    return options if name == SOFTWARE else [name, *options]


class H264File:
    """An mp4 that is being written: constant 30 fps, a keyframe each second, colours tagged as filmed."""

    def __init__(self, path: Path, width: int, height: int, name: str = SOFTWARE) -> None:
        import av
        from av.codec.hwaccel import HWAccel

        self.name, self.encoder = name, ENCODERS[name]
        device = HWAccel(self.encoder.device) if self.encoder.device else None
        self.container = av.open(str(path), "w", format="mp4", options=dict(MP4))
        try:
            self.stream = self.container.add_stream(name, rate=CLIP_FPS, hwaccel=device)
        except BaseException:
            self.container.close()
            raise
        self.stream.width, self.stream.height = width, height
        self.stream.pix_fmt = self.encoder.pixel_format
        self.stream.time_base = Fraction(1, CLIP_FPS)
        # A keyframe each second: players and CVAT jump to AVA's seconds without decoding from the start.
        self.stream.codec_context.gop_size = CLIP_FPS
        if name == SOFTWARE:
            self.stream.codec_context.thread_count = ENCODER_THREADS
        self.stream.options = {option: str(value) for option, value in self.encoder.options.items()}

    def add(self, frame: Any, number: int) -> None:
        """Append a frame, yuv420p; the first one says what range and matrix its colours have.

        Raises `MediaError` where the encoder refuses pictures of this size.
        """
        if number == 0:
            for tag in COLOUR_TAGS:
                setattr(self.stream.codec_context, tag, getattr(frame, tag))
        frame = self._taken(frame)
        frame.pts, frame.time_base = number, Fraction(1, CLIP_FPS)
        # The source's picture types are its own encoder's choice.
        frame.pict_type = 0
        self.container.mux(self._encoded(frame))

    def _encoded(self, frame: Any) -> Any:
        import av

        try:
            return self.stream.encode(frame)
        except av.FFmpegError as error:
            if isinstance(error, MemoryError):
                raise
            size = f"{self.stream.width}×{self.stream.height}"
            raise MediaError(f"{self.name} cannot encode pictures of {size} ({error.strerror})") from None

    def _taken(self, frame: Any) -> Any:
        """The frame in the encoder's format, its values and their range as they are."""
        if self.encoder.pixel_format == "yuv420p":
            return frame
        return frame.reformat(format=self.encoder.pixel_format, dst_color_range=frame.color_range)

    def finish(self) -> None:
        """Write what is still held back."""
        self.container.mux(self._encoded(None))
        self.close()

    def close(self) -> None:
        """Close the file as it is."""
        self.container.close()
