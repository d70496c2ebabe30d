"""Clips without encoding: where a source's own frames are what the clip should hold, they are copied.

That is so for H.264 of 8 bits and 4:2:0 at exactly 30 fps, neither scaled nor turned, from one of its own keyframes
on. Nothing is lost, and it costs next to nothing; browsers and CVAT play it like the clips that are encoded.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from ava_core.base.schemas import CLIP_FPS
from ava_core.video.media.constant_rate import REORDERED

CONTAINERS: Final = ("mov,mp4", "matroska")
"""Containers that store presentation times; AVI does not."""
TIME_TOLERANCE_S: Final = 0.002
"""How far a time may be off: Matroska rounds to milliseconds."""


def copyable_clips(path: Path, source: dict[str, Any], frames_per_clip: int) -> dict[int, float]:
    """Clips of a source (a row of `schemas.SOURCE_VIDEOS`) that can be copied: index → time of its first frame, s.

    Whether its picture fits as it is, the caller knows. Reads the file without decoding it.
    """
    import av

    plain = source["codec"] == "h264" and source["pixel_format"] == "yuv420p" and not source["rotation"]
    if not plain or source["variable_rate"] or not source["container"].startswith(CONTAINERS):
        return {}
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            packets = [
                (float(packet.pts * stream.time_base), packet.is_keyframe)
                for packet in container.demux(stream)
                if packet.pts is not None and packet.size
            ]
    except av.FFmpegError:
        return {}
    return dict(_whole_clips(packets, frames_per_clip))


def copy_clip(path: Path, target: Path, first_s: float, frames: int) -> None:
    """Write the `frames` frames of `path` from `first_s` on as an mp4 of exactly 30 fps."""
    import av

    with av.open(str(path)) as source, av.open(str(target), "w", options={"movflags": "+faststart"}) as sink:
        stream = source.streams.video[0]
        copied = sink.add_stream_from_template(stream)
        copied.time_base = Fraction(1, CLIP_FPS)
        source.seek(round(first_s / stream.time_base), stream=stream, backward=True)
        numbered = ((_number(packet, stream, first_s), packet) for packet in source.demux(stream))
        near = itertools.takewhile(lambda one: one[0] < frames + REORDERED, numbered)
        own = [(number, packet) for number, packet in near if 0 <= number < frames]
        # Reordered frames are decoded earlier than they are shown; by how much, the worst of them says.
        lead = max(order - number for order, (number, _) in enumerate(own))
        for order, (number, packet) in enumerate(own):
            packet.stream, packet.time_base = copied, Fraction(1, CLIP_FPS)
            packet.pts, packet.dts, packet.duration = number, order - lead, 1
            sink.mux(packet)


def _number(packet: Any, stream: Any, first_s: float) -> int:
    """The clip's frame that a packet holds; -1 for none."""
    if packet.pts is None or not packet.size:
        return -1
    return round((float(packet.pts * stream.time_base) - first_s) * CLIP_FPS)


def _whole_clips(packets: list[tuple[float, bool]], frames_per_clip: int) -> Iterator[tuple[int, float]]:
    """Clips that begin with a keyframe, hold every frame at its time, and need none of another clip."""
    if not packets:
        return
    start = min(time for time, _ in packets)

    def index_of(packet: tuple[float, bool]) -> int:
        return round((packet[0] - start) * CLIP_FPS) // frames_per_clip

    runs = [(index, list(run)) for index, run in itertools.groupby(packets, key=index_of)]
    pieces = Counter(index for index, _ in runs)
    for index, run in runs:
        times = sorted(time for time, _ in run)
        exact = all(
            abs(time - start - (index * frames_per_clip + n) / CLIP_FPS) <= TIME_TOLERANCE_S
            for n, time in enumerate(times)
        )
        # Packets come in the order of decoding: a clip in two pieces is tangled with its neighbour.
        if pieces[index] == 1 and run[0] == (times[0], True) and exact:
            yield index, times[0]
