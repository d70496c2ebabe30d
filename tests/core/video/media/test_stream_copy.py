"""Clips that are copied: the source's own frames, bit by bit, at exactly 30 fps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.video.cutting import cut_clips
from ava_core.video.intake.source_videos import take_in_sources
from ava_core.video.media.frames import decoded_frames
from ava_core.video.media.probe import probe
from ava_core.video.media.stream_copy import CannotCopyError, copier_of

MakeVideo = Callable[..., Path]
ALIGNED = {"preset": "veryfast", "g": "60", "bf": "0", "sc_threshold": "0"}


def copyable(path: Path) -> list[int]:
    """Clips of 60 frames, by index, that can be copied as far as packets tell."""
    copier = copier_of(path, vars(probe(path)))
    if copier is None:
        return []
    shown = sorted(copier._stamps)
    return [index for index, stamp in enumerate(shown[::60]) if copier.can_begin(stamp, 60)]


def trimmed(path: Path, frames: int) -> Path:
    """Hide the first frames of an mp4 by its edit list (ISO 14496-12, 8.6.6), as phones do that trim."""
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 4
    scale = int.from_bytes(data[data.index(b"mdhd") + 16 :][:4], "big")
    began = int.from_bytes(data[at + 12 : at + 16], "big")
    data[at + 12 : at + 16] = (began + frames * scale // 30).to_bytes(4, "big")
    path.write_bytes(data)
    return path


@pytest.fixture
def cut(storage: Storage) -> Callable[..., list[Path]]:
    def run(video: Path, **options: Any) -> list[Path]:
        settings = load_settings(clip_seconds=2.0, clip_min_seconds=1.0, **options)
        at = BatchContext("b", settings, storage=storage)
        clips = cut_clips(at, take_in_sources(at, video))
        return [Path(storage.path(path).path) for path in clips["path"]]

    return run


@pytest.mark.parametrize("name", ["v.mp4", "v.mov", "v.mkv"])
@pytest.mark.parametrize("reordered", ["0", "2"])
def test_copied_frames_are_the_sources_own(
    name: str, reordered: str, tmp_path: Path, make_video: MakeVideo, cut: Callable[..., list[Path]]
) -> None:
    video = make_video(
        tmp_path / name, fps=30, seconds=5.0, size=(320, 240), options=ALIGNED | {"bf": reordered}
    )
    assert copyable(video) == [0, 1, 2]
    source = list(decoded_frames(video))
    copied = [frame for clip in cut(video) for frame in decoded_frames(clip)]
    assert len(copied) == len(source) == 150
    assert all(np.array_equal(a, b) for a, b in zip(source, copied, strict=True))


def test_copied_clips_run_at_thirty_frames_from_zero(
    tmp_path: Path, make_video: MakeVideo, cut: Callable[..., list[Path]]
) -> None:
    import av

    video = make_video(tmp_path / "v.mkv", fps=30, seconds=4.0, options=ALIGNED | {"bf": "2"}, audio="aac")
    for clip in cut(video):
        info = probe(clip)
        assert (info.fps, info.variable_rate, info.duration_s) == (30.0, False, 2.0)
        with av.open(str(clip)) as container:
            assert len(container.streams) == 1
            assert [frame.time for frame in container.decode(video=0)] == pytest.approx(
                [n / 30 for n in range(60)]
            )


def test_what_does_not_begin_with_a_keyframe_is_encoded(
    tmp_path: Path, make_video: MakeVideo, cut: Callable[..., list[Path]], shown_number: Callable[[Any], int]
) -> None:
    video = make_video(tmp_path / "v.mp4", fps=30, seconds=6.0, options=ALIGNED | {"g": "40"})
    assert copyable(video) == [0, 2]
    shown = [shown_number(frame) for clip in cut(video) for frame in decoded_frames(clip)]
    assert shown == list(range(180))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("rate.mp4", {"fps": 25, "options": ALIGNED}),
        ("codec.mp4", {"fps": 30, "codec": "libx265"}),
        ("ten_bit.mp4", {"fps": 30, "pixel_format": "yuv420p10le", "options": ALIGNED}),
        ("turned.mp4", {"fps": 30, "rotation": 90, "options": ALIGNED}),
        ("no_times.avi", {"fps": 30, "options": ALIGNED}),
        ("variable.mkv", {"times_ms": [33 * n + n % 2 * 12 for n in range(90)], "options": ALIGNED}),
        ("gap.mkv", {"times_ms": [33 * n for n in range(30)] + [2000 + 33 * n for n in range(60)]}),
        ("open.mp4", {"fps": 30, "options": ALIGNED | {"x264-params": "open-gop=1:bframes=3:b-adapt=0"}}),
    ],
)
def test_what_has_to_change_is_not_copied(
    name: str, options: dict[str, Any], tmp_path: Path, make_video: MakeVideo
) -> None:
    video = make_video(tmp_path / name, **({"seconds": 4.0} | options))
    # With open groups of pictures the first clip leans on the second, and no other begins on its own.
    assert copyable(video) == []


def test_a_picture_that_is_scaled_is_encoded_and_one_that_is_kept_is_not(
    tmp_path: Path, make_video: MakeVideo, storage: Storage
) -> None:
    video = make_video(tmp_path / "v.mp4", fps=30, seconds=2.0, size=(1440, 1080), options=ALIGNED)
    for fitting, size in (("scale", (960, 720)), ("keep", (1440, 1080))):
        settings = load_settings(clip_seconds=2.0, clip_min_seconds=1.0, clip_fit=fitting)
        at = BatchContext(fitting, settings, storage=storage)
        clips = cut_clips(at, take_in_sources(at, video))
        assert clips.select("width", "height").row(0) == size
        frames = list(decoded_frames(Path(storage.path(clips["path"][0]).path)))
        assert frames[0].shape[:2] == size[::-1]
        same = fitting == "keep" and all(map(np.array_equal, frames, decoded_frames(video)))
        assert same == (fitting == "keep")


def test_auto_keeps_what_can_be_copied_and_scales_the_rest(
    tmp_path: Path, make_video: MakeVideo, storage: Storage
) -> None:
    settings = load_settings(clip_seconds=2.0, clip_min_seconds=1.0)
    whole = make_video(tmp_path / "v.mp4", fps=30, seconds=4.0, size=(1440, 1080), options=ALIGNED)
    other = make_video(tmp_path / "w.mp4", fps=25, seconds=4.0, size=(1440, 1080), options=ALIGNED)
    large = make_video(tmp_path / "l.mp4", fps=30, seconds=2.0, size=(2560, 1440), options=ALIGNED)
    sizes = {}
    for name, video in (("whole", whole), ("other", other), ("large", large)):
        at = BatchContext(name, settings, storage=storage)
        clips = cut_clips(at, take_in_sources(at, video))
        cuts = storage.read_table(storage.table_path(name, "clips", "cuts")).row(0, named=True)
        sizes[name] = (*clips.select("width", "height").row(0), cuts["copied"])
    assert sizes == {"whole": (1440, 1080, 2), "other": (960, 720, 0), "large": (1280, 720, 0)}


def test_frames_that_an_edit_list_hides_are_never_copied(
    tmp_path: Path, make_video: MakeVideo, cut: Callable[..., list[Path]], shown_number: Callable[[Any], int]
) -> None:
    video = trimmed(make_video(tmp_path / "v.mp4", fps=30, seconds=6.0, options=ALIGNED), 15)
    assert [shown_number(frame) for clip in cut(video) for frame in decoded_frames(clip)] == list(
        range(15, 180)
    )


def test_a_copy_that_shows_other_pictures_is_refused(tmp_path: Path, make_video: MakeVideo) -> None:
    video = make_video(tmp_path / "v.mp4", fps=30, seconds=2.0, options=ALIGNED)
    copier = copier_of(video, vars(probe(video)))
    assert copier is not None
    with pytest.raises(CannotCopyError, match="shows other pictures"):
        copier.copy(tmp_path / "copy.mp4", sorted(copier._stamps), dict.fromkeys(range(60), 0))
    with pytest.raises(CannotCopyError, match="do not match its frames"):
        copier.copy(tmp_path / "copy.mp4", [*sorted(copier._stamps)[:59], None], {})


def test_where_a_copy_is_refused_the_clip_is_encoded(
    tmp_path: Path,
    make_video: MakeVideo,
    cut: Callable[..., list[Path]],
    shown_number: Callable[[Any], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any) -> None:
        raise CannotCopyError("the copy shows other pictures")

    monkeypatch.setattr("ava_core.video.media.stream_copy._verify", refuse)
    video = make_video(tmp_path / "v.mp4", fps=30, seconds=5.0, options=ALIGNED)
    assert [shown_number(frame) for clip in cut(video) for frame in decoded_frames(clip)] == list(range(150))
