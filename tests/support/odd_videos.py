"""Videos that are broken or odd in one way each, made of sound ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.videos import picture_of, write_video

GROUPS = {"preset": "ultrafast", "crf": "18", "g": "30", "bf": "0", "sc_threshold": "0"}
"""H.264 with a keyframe each 30 frames and no reordered ones."""


def restamped(path: Path, target: Path, stamp: Callable[[int], int | None], *, rate: int = 1000) -> Path:
    """The video with other presentation times, in units of `1/rate` s; `None` leaves a packet out."""
    import av

    with av.open(str(path)) as source, av.open(str(target), "w") as sink:
        stream = source.streams.video[0]
        copied = sink.add_stream_from_template(stream)
        copied.time_base = Fraction(1, rate)
        packets = [packet for packet in source.demux(stream) if packet.size]
        for number, packet in enumerate(packets):
            pts = stamp(number)
            if pts is None:
                continue
            packet.stream, packet.time_base = copied, Fraction(1, rate)
            packet.pts, packet.dts = (
                pts,
                min(pts, round(number * rate / 30)) if target.suffix == ".mp4" else pts,
            )
            packet.duration = 1
            sink.mux(packet)
    return target


def damaged(path: Path, packets: Iterable[int], content: Callable[[int], bytes] = os.urandom) -> Path:
    """Overwrite these packets of the file."""
    import av

    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for number in packets:
        at, size = places[number]
        data[at : at + size] = content(size)
    path.write_bytes(data)
    return path


def with_matrix(path: Path, matrix: Sequence[float]) -> Path:
    """Set the display matrix `a, b, c, d` of an mp4's track header (ISO 14496-12, 8.3.2)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    for place, value in zip((0, 4, 12, 16), matrix, strict=True):
        data[at + place : at + place + 4] = round(value * 0x10000).to_bytes(4, "big", signed=True)
    path.write_bytes(data)
    return path


def write_interlaced(path: Path, frames: int = 50, size: tuple[int, int] = (160, 120)) -> Path:
    """25 frames a second of two half pictures each, 20 ms apart: lines of picture 2n and of 2n + 1."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25, options={"flags": "+ildct+ilme", "q": "2"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.qmin = 2
        for number in range(frames):
            woven = picture_of(2 * number, *size)
            woven[1::2] = picture_of(2 * number + 1, *size)[1::2]
            container.mux(stream.encode(_interlaced(woven)))
        container.mux(stream.encode(None))
    return path


def _interlaced(picture: np.ndarray) -> Any:
    """The picture as a frame that is marked as interlaced, upper lines first."""
    import av

    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=picture.shape[1], height=picture.shape[0], format="yuv420p", time_base=Fraction(1, 25)
    )
    mark = graph.add("setfield", "tff")
    source.link_to(mark)
    mark.link_to(graph.add("buffersink"))
    graph.configure()
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
    frame.pts, frame.time_base = None, Fraction(1, 25)
    graph.push(frame)
    return graph.pull()


def write_two_tracks(path: Path) -> Path:
    """A small preview as the first track, the recording as the second."""
    import av

    with av.open(str(path), "w") as container:
        streams = []
        for size in ((80, 60), (320, 240)):
            stream = container.add_stream("libx264", rate=30, options=GROUPS)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            streams.append((stream, size))
        for number in range(60):
            for stream, size in streams:
                frame = av.VideoFrame.from_ndarray(picture_of(number, *size), format="rgb24")
                frame = frame.reformat(format="yuv420p")
                frame.pts, frame.time_base = number, Fraction(1, 30)
                container.mux(stream.encode(frame))
        for stream, _ in streams:
            container.mux(stream.encode(None))
    return path


def write_two_sizes(folder: Path) -> Path:
    """Bare H.264 at 30 fps whose picture changes from 320×240 to 160×120 after a second."""
    parts = []
    for name, size in (("a.h264", (320, 240)), ("b.h264", (160, 120))):
        made = write_video(
            folder / name, size=size, fps=30, seconds=1.0, container_format="h264", options=GROUPS
        )
        parts.append(made.read_bytes())
    (folder / "v.h264").write_bytes(b"".join(parts))
    return folder / "v.h264"
