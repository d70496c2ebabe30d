"""Opening and reading whatever people have: odd names, several tracks, damage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ava_core.base.errors import MediaError
from ava_core.video.media.constant_rate import shown_at_constant_rate
from ava_core.video.media.geometry import fit_picture, plane_pixels
from ava_core.video.media.probe import probe
from ava_core.video.media.reading import opened
from tests.support.odd_videos import (
    GROUPS,
    damaged,
    restamped,
    with_matrix,
    write_interlaced,
    write_two_sizes,
    write_two_tracks,
)

MakeVideo = Callable[..., Path]
ShownNumber = Callable[[Any], int]


def numbers_of(path: Path, shown_number: ShownNumber) -> list[int]:
    with opened(path) as reading:
        return [shown_number(one.frame.to_ndarray(format="rgb24")) for one in reading.frames()]


def test_a_title_in_another_encoding_does_not_matter(
    tmp_path: Path, make_video: MakeVideo, shown_number: ShownNumber
) -> None:
    import av

    made = make_video(tmp_path / "v.mp4", fps=30, seconds=1.0)
    with av.open(str(made)) as source, av.open(str(tmp_path / "titled.mp4"), "w") as sink:
        sink.metadata["title"] = "AAAAAAAA"
        stream = sink.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                sink.mux(packet)
    data = (tmp_path / "titled.mp4").read_bytes()
    assert b"AAAAAAAA" in data
    (tmp_path / "titled.mp4").write_bytes(data.replace(b"AAAAAAAA", "监控录像".encode("gbk")))
    assert numbers_of(tmp_path / "titled.mp4", shown_number) == list(range(30))


@pytest.mark.parametrize("name", ["12:00 cam.mp4", "concat:a.mp4", "100%d.mp4", "cam?.mp4"])
def test_a_name_is_only_a_name(
    name: str, tmp_path: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_video(tmp_path / "v.mp4", seconds=1.0).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert probe(Path(name)).frames == 25


def test_the_recording_is_read_and_not_its_preview(tmp_path: Path) -> None:
    info = probe(write_two_tracks(tmp_path / "dashcam.mp4"))
    assert (info.width, info.height) == (320, 240)


@pytest.mark.parametrize(
    "content", ["ffconcat version 1.0\nfile v.mp4\n", "#EXTM3U\n#EXTINF:1,\nv.mp4\n", "words " * 99]
)
def test_files_that_point_to_others_and_texts_are_no_videos(
    content: str, tmp_path: Path, make_video: MakeVideo
) -> None:
    make_video(tmp_path / "v.mp4", seconds=1.0)
    for name in ("list.mp4", "list.txt", "list.m3u8"):
        (tmp_path / name).write_text(content)
        with pytest.raises(MediaError, match="cannot be read as video"):
            probe(tmp_path / name)


@pytest.mark.parametrize("header", [b"", b"DAHUA\0\0\0" + bytes(24)])
def test_a_bare_stream_runs_at_the_rate_that_it_says(
    header: bytes, tmp_path: Path, make_video: MakeVideo, shown_number: ShownNumber
) -> None:
    made = make_video(tmp_path / "v.h264", fps=30, seconds=2.0, container_format="h264", options=GROUPS)
    (tmp_path / "v.dav").write_bytes(header + made.read_bytes())
    info = probe(tmp_path / "v.dav")
    assert (info.fps, info.duration_s) == (pytest.approx(30), pytest.approx(2.0))
    fit = fit_picture(info.width, info.height, 1280, 720, "scale")
    shown = [
        one.picture.to_ndarray(format="rgb24") for _, one in shown_at_constant_rate(tmp_path / "v.dav", fit)
    ]
    assert [shown_number(picture) for picture in shown] == list(range(60))


@pytest.mark.parametrize(
    ("broken", "sound"), [(range(10, 12), [*range(10), *range(30, 90)]), ([0], list(range(30, 90)))]
)
def test_what_leans_on_damaged_frames_is_left_out(
    broken: list[int], sound: list[int], tmp_path: Path, make_video: MakeVideo, shown_number: ShownNumber
) -> None:
    video = make_video(tmp_path / "v.mp4", fps=30, seconds=3.0, options=GROUPS, size=(320, 240))
    assert numbers_of(damaged(video, broken, bytes), shown_number) == sound


def test_frames_behind_lost_packets_are_left_out_until_a_keyframe(
    tmp_path: Path, make_video: MakeVideo, shown_number: ShownNumber
) -> None:
    video = make_video(tmp_path / "v.mp4", fps=30, seconds=3.0, options=GROUPS, size=(320, 240))
    holed = restamped(video, tmp_path / "holed.mkv", lambda n: None if 40 <= n < 50 else round(n * 1000 / 30))
    assert numbers_of(holed, shown_number) == [*range(40), *range(60, 90)]
    with opened(holed) as reading:
        list(reading.frames())
        assert reading.damaged == 10


def test_half_pictures_become_whole_ones(tmp_path: Path) -> None:
    video = write_interlaced(tmp_path / "v.mkv")
    info = probe(video)
    assert info.interlaced
    fit = fit_picture(info.width, info.height, 1280, 720, "keep")
    shown = [one for _, one in shown_at_constant_rate(video, fit)]
    assert not any(one.untouched for one in shown)
    assert len(shown) == 60
    with opened(video) as reading:
        stored = [plane_pixels(one.frame.planes[0]) for one in reading.frames()]
    assert combs(shown[30].luma) < 0.5 * combs(stored[25])


def combs(luma: np.ndarray) -> float:
    """How much each line differs from the mean of its neighbours where something moves sideways."""
    block = luma[62:88].astype(float)
    return float(np.abs(block[1:-1] - (block[:-2] + block[2:]) / 2).mean())


def test_a_change_of_size_is_fitted_into_the_first(tmp_path: Path, shown_number: ShownNumber) -> None:
    video = write_two_sizes(tmp_path)
    info = probe(video)
    fit = fit_picture(info.width, info.height, 1280, 720, "scale")
    pictures = [one.picture for _, one in shown_at_constant_rate(video, fit)]
    assert {(one.width, one.height) for one in pictures} == {(320, 240)}
    assert [shown_number(one.to_ndarray(format="rgb24")) for one in pictures] == [*range(30), *range(30)]


MATRICES = {
    (-1.0, 0.0, 0.0, 1.0): (True, 0),
    (1.0, 0.0, 0.0, -1.0): (True, 180),
    (0.0, 1.0, 1.0, 0.0): (True, 270),
    (0.0, 1.0, -1.0, 0.0): (False, 90),
    (0.995, 0.1, -0.1, 0.995): (False, 0),
}


@pytest.mark.parametrize("matrix", MATRICES)
def test_how_a_picture_lies_is_read_from_its_matrix(
    matrix: tuple[float, ...], tmp_path: Path, make_video: MakeVideo
) -> None:
    info = probe(with_matrix(make_video(tmp_path / "v.mp4", seconds=1.0), matrix))
    assert (info.mirrored, info.rotation) == MATRICES[matrix]


def test_a_picture_that_lies_askew_is_refused(tmp_path: Path, make_video: MakeVideo) -> None:
    video = with_matrix(make_video(tmp_path / "v.mp4", seconds=1.0), (0.7071, 0.7071, -0.7071, 0.7071))
    with pytest.raises(MediaError, match="turned by 45 degrees"):
        probe(video)


def test_wall_clock_times_give_true_durations(tmp_path: Path, make_video: MakeVideo) -> None:
    video = make_video(tmp_path / "v.mp4", fps=30, seconds=2.0, options=GROUPS)
    clock = restamped(video, tmp_path / "clock.mkv", lambda n: 1_700_000_000_000 + round(n * 1000 / 30))
    assert probe(clock).duration_s == pytest.approx(2.0, abs=0.01)
