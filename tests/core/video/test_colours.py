"""Colours as they were filmed: tags of the source on the clip, and one picture for player, keyframe and detector."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.video.cutting import cut_clips
from ava_core.video.intake.source_videos import take_in_sources
from tests.support.counting_detector import Counting

Picture = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 320, 240
COLOURS = ((230, 40, 40), (40, 200, 60), (50, 60, 220), (240, 240, 240), (10, 10, 10))
TAGS = ("color_range", "colorspace", "color_primaries", "color_trc")
BT709_FULL = (2, 1, 1, 1)
BT2020 = (1, 9, 9, 14)
"""FFmpeg's numbers, in the order of `TAGS`; the second is limited, as broadcasts are."""


def columns() -> Picture:
    return np.repeat(np.array([COLOURS], np.uint8), WIDTH // len(COLOURS), axis=1).repeat(HEIGHT, axis=0)


def write(path: Path, tags: Sequence[int]) -> Path:
    """Two seconds of coloured columns."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "10"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(columns(), format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range=tags[0])
            for name, value in zip(TAGS, tags, strict=True):
                setattr(frame, name, value)
                setattr(stream.codec_context, name, value)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


class Looking(Counting):
    """A detector that keeps the first frame it was given."""

    pixel_format = "rgb24"

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Picture] = []

    def detect(self, frames: Sequence[Picture]) -> list[Any]:
        self.seen.append(frames[0].copy())
        return super().detect(frames)


def first_frame(path: Path) -> Any:
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


def in_columns(picture: Picture) -> npt.NDArray[np.float64]:
    """The colour of each column, without its edges, where JPEG and halved colour planes mix neighbours."""
    wide = WIDTH // len(COLOURS)
    means: npt.NDArray[np.float64] = picture.reshape(HEIGHT, len(COLOURS), wide, 3)[16:-16, :, 16:-16].mean(
        (0, 2)
    )
    return means


@pytest.mark.parametrize("tags", [BT709_FULL, BT2020])
def test_a_clip_is_tagged_as_its_source_and_keyframe_and_detector_see_what_a_player_shows(
    tags: tuple[int, ...], tmp_path: Path, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = Looking()
    monkeypatch.setattr("ava_core.video.cutting.make_detector", lambda settings: detector)
    source = write(tmp_path / "v.mp4", tags)
    at = BatchContext("b", load_settings(clip_seconds=2.0, clip_min_seconds=1.0), storage=storage)
    clips = cut_clips(at, take_in_sources(at, source))
    frame = first_frame(storage.local(storage.path(clips["path"][0])))
    assert tuple(int(getattr(frame, name)) for name in TAGS) == tags
    shown = in_columns(frame.to_ndarray(format="rgb24"))
    (keyframe,) = (at.folder("clips") / "keyframes" / "b_v_000").glob("0000.jpg")
    stored = cv2.imdecode(np.frombuffer(keyframe.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert in_columns(cv2.cvtColor(stored, cv2.COLOR_BGR2RGB)) == pytest.approx(shown, abs=2)
    assert in_columns(detector.seen[0]) == pytest.approx(shown, abs=2)
    assert in_columns(first_frame(source).to_ndarray(format="rgb24")) == pytest.approx(shown, abs=2)
    if tags == BT709_FULL:
        # Its planes were made with the matrix that it is tagged with, so the colours are those that were filmed.
        assert shown == pytest.approx(np.array(COLOURS), abs=3)
