"""Encoders: what each is told, and that software writes what it always wrote."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from ava_core.base.errors import MediaError
from ava_core.base.settings import Settings
from ava_core.video.media.encoding import ENCODERS, SOFTWARE, H264File, made_with
from tests.support.videos import picture_of


def pictures(count: int) -> list[Any]:
    return [
        av.VideoFrame.from_ndarray(picture_of(number, 320, 240), format="rgb24").reformat(format="yuv420p")
        for number in range(count)
    ]


def test_the_settings_name_the_encoders_of_the_table() -> None:
    assert set(Settings.model_fields["video_encoder"].annotation.__args__) == set(ENCODERS)  # type: ignore[union-attr]


def test_software_writes_byte_for_byte_what_it_always_wrote(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "then.mp4"), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.time_base, stream.codec_context.gop_size = Fraction(1, 30), 30
        stream.options = {"crf": "24", "preset": "ultrafast"}
        for number, frame in enumerate(pictures(70)):
            if number == 0:
                for tag in ("color_range", "colorspace", "color_primaries", "color_trc"):
                    setattr(stream.codec_context, tag, getattr(frame, tag))
            frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, 30), 0
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file = H264File(tmp_path / "now.mp4", 320, 240)
    for number, frame in enumerate(pictures(70)):
        file.add(frame, number)
    file.finish()
    assert (tmp_path / "now.mp4").read_bytes() == (tmp_path / "then.mp4").read_bytes()
    assert made_with(SOFTWARE) == [24, "ultrafast"]


class FakeContainer:
    """Takes the place of the file that an encoder of this name would write."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.frames: list[Any] = []
        self.stream = SimpleNamespace(codec_context=SimpleNamespace(), encode=self.encode)

    def opened(self, path: str, mode: str, **asked: Any) -> FakeContainer:
        self.asked = asked
        return self

    def add_stream(self, name: str, **asked: Any) -> Any:
        self.asked |= {"name": name, **asked}
        return self.stream

    def encode(self, frame: Any) -> list[Any]:
        self.frames.append(frame)
        return []

    def mux(self, packets: Any) -> None:
        assert packets == []


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_every_encoder_is_told_the_same_of_rate_keyframes_colours_and_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeContainer()
    (frame,) = pictures(1)
    monkeypatch.setattr("av.open", fake.opened)
    frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc = 2, 1, 1, 1
    before = frame.to_ndarray()
    H264File(tmp_path / "clip.mp4", 320, 240, name).add(frame, 0)
    encoder, context = ENCODERS[name], fake.stream.codec_context
    assert (fake.asked["name"], fake.asked["rate"], fake.asked["format"]) == (name, 30, "mp4")
    assert fake.asked["options"] == {"movflags": "+faststart"}
    assert (fake.stream.width, fake.stream.height, fake.stream.time_base) == (320, 240, Fraction(1, 30))
    assert context.gop_size == 30
    assert (context.color_range, context.colorspace, context.color_primaries, context.color_trc) == (
        2,
        1,
        1,
        1,
    )
    assert fake.stream.options == {option: str(value) for option, value in encoder.options.items()}
    assert (fake.asked["hwaccel"] is None) == (encoder.device is None)
    (given,) = fake.frames
    assert fake.stream.pix_fmt == given.format.name == encoder.pixel_format
    assert np.array_equal(given.reformat(format="yuv420p", dst_color_range=2).to_ndarray(), before)
    if name != SOFTWARE:
        # Frames are shown in the order in which they are coded, as those of software are: `ultrafast` has no B-frames.
        assert encoder.options["bf"] == 0


@pytest.mark.parametrize("name", sorted(set(ENCODERS) & av.codecs_available))
def test_the_options_and_their_values_are_such_as_the_encoder_knows(name: str) -> None:
    known = av.codec.CodecContext.create(name, "w").supported_options
    options = {option.name: option for option in (*known.generic, *known.private)}
    for name_of_option, value in ENCODERS[name].options.items():
        choices = {choice.name for choice in options[name_of_option].choices}
        assert isinstance(value, int) or not choices or value.removeprefix("+") in choices


@pytest.mark.parametrize("tags", [(2, 1, 1, 1), (1, 9, 9, 14), (0, 2, 2, 2)])
def test_pictures_are_repacked_for_a_gpu_without_a_change(tags: tuple[int, ...], tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (360, 320), dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(values, format="yuv420p")
    frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc = tags
    file = H264File.__new__(H264File)
    file.encoder = ENCODERS["h264_vaapi"]
    packed = file._taken(frame).to_ndarray()
    assert np.array_equal(packed[:240], values[:240])
    chroma = packed[240:].reshape(-1, 2)
    assert np.array_equal(chroma[:, 0], values[240:300].reshape(-1))
    assert np.array_equal(chroma[:, 1], values[300:].reshape(-1))


def test_a_size_that_an_encoder_refuses_is_said_in_a_sentence(tmp_path: Path) -> None:
    file = H264File(tmp_path / "clip.mp4", 321, 241)
    with pytest.raises(MediaError, match=r"libx264 cannot encode pictures of 321×241 \(.+\)"):
        file.add(pictures(1)[0], 0)
    file.close()


def test_each_encoder_makes_clips_of_its_own() -> None:
    made = [tuple(made_with(name)) for name in ENCODERS]
    assert len(set(made)) == len(ENCODERS)
