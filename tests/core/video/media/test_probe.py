"""Probing: what every container and codec that is taken in looks like, and why others are refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ava_core.base.errors import MediaError
from ava_core.video.media.probe import probe

MakeVideo = Callable[..., Path]

KINDS: dict[str, dict[str, Any]] = {
    "h264.mp4": {"codec": "libx264"},
    "h264.mov": {"codec": "libx264"},
    "h264.mkv": {"codec": "libx264", "audio": "aac"},
    "h264_reordered.avi": {"codec": "libx264", "options": {"preset": "medium", "bf": "3"}},
    "hevc.mp4": {"codec": "libx265"},
    "hevc_10bit.mkv": {"codec": "libx265", "pixel_format": "yuv420p10le"},
    "h264_10bit.mp4": {"codec": "libx264", "pixel_format": "yuv420p10le"},
    "mpeg4.avi": {"codec": "mpeg4"},
    "mpeg4.mp4": {"codec": "mpeg4", "audio": "aac"},
    "mjpeg.avi": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
    "mjpeg.mov": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "vp9.mkv": {"codec": "libvpx-vp9"},
    "odd.avi": {"codec": "mjpeg", "pixel_format": "yuvj444p", "size": (161, 121)},
}
CODECS = {
    "libx264": "h264",
    "libx265": "hevc",
    "mpeg4": "mpeg4",
    "mjpeg": "mjpeg",
    "libvpx-vp9": "vp9",
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_known_for_what_it_is(name: str, tmp_path: Path, make_video: MakeVideo) -> None:
    info = probe(make_video(tmp_path / name, seconds=1.0, **KINDS[name]))
    assert info.codec == CODECS[KINDS[name]["codec"]]
    assert (info.width, info.height) == KINDS[name].get("size", (160, 120))
    assert info.fps == pytest.approx(25)
    assert not info.variable_rate
    assert info.duration_s == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(("degrees", "size"), [(90, (120, 160)), (180, (160, 120)), (270, (120, 160))])
def test_size_is_the_one_shown(
    degrees: int, size: tuple[int, int], tmp_path: Path, make_video: MakeVideo
) -> None:
    info = probe(make_video(tmp_path / "turned.mp4", seconds=1.0, rotation=degrees))
    assert info.rotation == degrees
    assert (info.width, info.height) == size


def test_a_variable_rate_is_noticed(tmp_path: Path, make_video: MakeVideo) -> None:
    info = probe(make_video(tmp_path / "variable.mkv", times_ms=[0, 40, 80, 400, 440, 1000, 2000]))
    assert info.variable_rate


def test_the_length_is_counted_where_the_file_does_not_say(tmp_path: Path, make_video: MakeVideo) -> None:
    class Pipe:
        """A target without seeking: no length can be written back into the header."""

        def __init__(self) -> None:
            self.data = io.BytesIO()

        def write(self, data: bytes) -> int:
            return self.data.write(data)

    pipe, path = Pipe(), tmp_path / "live.mkv"
    make_video(path, seconds=12.0, target=pipe, container_format="matroska")
    path.write_bytes(pipe.data.getvalue())
    assert probe(path).duration_s == pytest.approx(12.0, abs=0.1)


def test_a_wrong_extension_does_not_matter(tmp_path: Path, make_video: MakeVideo) -> None:
    made = make_video(tmp_path / "video.mkv", seconds=1.0)
    assert probe(made.rename(tmp_path / "video.avi")).container.startswith("matroska")


def test_what_is_no_video_says_why(tmp_path: Path, make_video: MakeVideo, make_sound: MakeVideo) -> None:
    whole = make_video(tmp_path / "whole.mp4", seconds=2.0).read_bytes()
    broken = {
        "empty": (b"", "empty"),
        "text": (b"this is no video at all " * 50, "cannot be read"),
        "cut": (whole[: len(whole) // 2], "cannot be read|no frame of it can be decoded"),
        "sound": (make_sound(tmp_path / "sound.mp4").read_bytes(), "sound but no picture"),
        "still": (make_video(tmp_path / "still.mkv", times_ms=[0]).read_bytes(), "only one frame"),
    }
    for name, (content, reason) in broken.items():
        path = tmp_path / f"{name}.mp4"
        path.write_bytes(content)
        with pytest.raises(MediaError, match=reason):
            probe(path)


def test_a_video_in_an_audio_container_is_read(tmp_path: Path, make_video: MakeVideo) -> None:
    made = make_video(tmp_path / "video.mp4", seconds=1.0, audio="aac")
    assert probe(made.rename(tmp_path / "video.m4a")).codec == "h264"
