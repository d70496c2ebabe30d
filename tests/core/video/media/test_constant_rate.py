"""Pictures at 30 a second, by the times at which a video shows its frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ava_core.video.media.constant_rate import shown_at_constant_rate
from ava_core.video.media.geometry import Lie, fit_picture
from ava_core.video.media.probe import probe

MakeVideo = Callable[..., Path]
ShownNumber = Callable[[Any], int]

KINDS: dict[str, dict[str, Any]] = {
    "h264.mp4": {"codec": "libx264"},
    "h264_reordered.avi": {"codec": "libx264", "options": {"preset": "medium", "bf": "3"}},
    "hevc_10bit.mkv": {"codec": "libx265", "pixel_format": "yuv420p10le"},
    "mpeg4.avi": {"codec": "mpeg4"},
    "mpeg4_reordered.avi": {"codec": "mpeg4", "options": {"bf": "2", "q": "3"}},
    "mjpeg.mov": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "odd.avi": {"codec": "mjpeg", "pixel_format": "yuvj444p", "size": (161, 121)},
}


def pictures_of(path: Path) -> list[np.ndarray]:
    return [picture for _, picture in numbered_pictures_of(path)]


def numbered_pictures_of(path: Path) -> list[tuple[int, np.ndarray]]:
    info = probe(path)
    lie = Lie(info.mirrored, info.rotation, info.pixel_aspect)
    fit = fit_picture(info.width, info.height, 1280, 720, "scale", lie)
    return [
        (number, shown.picture.to_ndarray(format="rgb24"))
        for number, shown in shown_at_constant_rate(path, fit)
    ]


def on_screen(times_s: list[float], moment: float) -> int:
    """The frame that is shown at `moment`: the last one whose time has come, to the millisecond."""
    return max(number for number, time in enumerate(times_s) if time <= moment + 0.001)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("fps", [10, 25, 60])
def test_each_picture_is_what_was_shown_then(
    name: str, fps: int, tmp_path: Path, make_video: MakeVideo, shown_number: ShownNumber
) -> None:
    path = make_video(tmp_path / name, fps=fps, seconds=2.0, **KINDS[name])
    times = [n / fps for n in range(2 * fps)]
    shown = [shown_number(picture) for picture in pictures_of(path)]
    assert shown == [on_screen(times, n / 30) for n in range(60)]


def test_a_variable_rate_keeps_its_times(
    tmp_path: Path, make_video: MakeVideo, shown_number: ShownNumber
) -> None:
    times_ms = [0, 33, 400, 900, 1000, 1050, 2000, 3500, 5000]
    path = make_video(tmp_path / "variable.mkv", times_ms=times_ms)
    shown = [shown_number(picture) for picture in pictures_of(path)]
    times = [ms / 1000 for ms in times_ms]
    assert shown[:150] == [on_screen(times, n / 30) for n in range(150)]
    assert len(shown) in (151, 152)


def test_times_that_do_not_begin_at_zero_are_counted_from_the_first_frame(
    tmp_path: Path, make_video: MakeVideo, shown_number: ShownNumber
) -> None:
    path = make_video(tmp_path / "late.mkv", times_ms=[5000 + 40 * n for n in range(50)])
    shown = [shown_number(picture) for picture in pictures_of(path)]
    assert shown[0] == 0
    assert len(shown) == pytest.approx(60, abs=1)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_applied(
    degrees: int, tmp_path: Path, make_video: MakeVideo, shown_number: ShownNumber
) -> None:
    path = make_video(tmp_path / "turned.mp4", seconds=1.0, rotation=degrees)
    upright = [np.rot90(picture, degrees // 90) for picture in pictures_of(path)]
    assert [shown_number(picture) for picture in upright][:7] == [0, 0, 1, 2, 3, 4, 5]


def broken_mjpeg(path: Path, make_video: MakeVideo, lost: range) -> Path:
    """100 frames at 25 a second, of which these are zeros."""
    make_video(path, codec="mjpeg", pixel_format="yuvj420p", seconds=4.0)
    data = bytearray(path.read_bytes())
    first = data.index(b"movi")
    frames = [at for at in range(first, len(data)) if data[at : at + 4] == b"00dc"][:100]
    for at in (frames[number] for number in lost):  # length stays, content goes
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        data[at + 8 : at + 8 + size] = bytes(size)
    path.write_bytes(data)
    return path


def test_a_damaged_stretch_is_left_out_and_what_follows_keeps_its_time(
    tmp_path: Path, make_video: MakeVideo, shown_number: ShownNumber
) -> None:
    found = numbered_pictures_of(broken_mjpeg(tmp_path / "v.avi", make_video, range(40, 50)))
    times = [n / 25 for n in range(100)]
    assert [number for number, _ in found] == [*range(48), *range(60, 120)]
    assert [shown_number(picture) for _, picture in found] == [
        on_screen(times, number / 30) for number, _ in found
    ]


def test_over_a_single_lost_frame_the_one_before_stays(
    tmp_path: Path, make_video: MakeVideo, shown_number: ShownNumber
) -> None:
    found = numbered_pictures_of(broken_mjpeg(tmp_path / "v.avi", make_video, range(40, 41)))
    assert [number for number, _ in found] == list(range(120))
    assert shown_number(found[48][1]) == 39


def test_a_file_that_breaks_off_keeps_what_came_before(
    tmp_path: Path, make_video: MakeVideo, shown_number: ShownNumber
) -> None:
    path = make_video(tmp_path / "cut.mkv", seconds=4.0, options={"preset": "ultrafast", "g": "10"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    shown = [shown_number(picture) for picture in pictures_of(path)]
    assert 40 < len(shown) < 80
    assert shown[:40] == [on_screen([n / 25 for n in range(100)], n / 30) for n in range(40)]


def test_a_last_time_hours_ahead_is_a_bad_stamp(tmp_path: Path, make_video: MakeVideo) -> None:
    path = make_video(tmp_path / "leap.mkv", times_ms=[0, 40, 80, 120, 90_000_000])
    assert len(pictures_of(path)) == 6
