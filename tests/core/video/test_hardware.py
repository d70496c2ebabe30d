"""Encoders and decoders on a GPU, as cutting meets them: refused before anything is cut, or cut anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.codec.hwaccel import hwdevices_available

from ava_core.base.errors import SettingsError
from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.video.cutting import cut_clips
from ava_core.video.intake.source_videos import take_in_sources
from ava_core.video.media.codecs import DECODERS
from ava_core.video.media.encoding import ENCODERS, H264File
from ava_core.video.media.geometry import fit_picture

MakeVideo = Callable[..., Path]

ABSENT = {
    "video_encoder": next(name for name in ENCODERS if name not in av.codecs_available),
    "video_decoder": next(name for name in DECODERS if name not in ("software", *hwdevices_available())),
}
"""What no PyAV of this system has."""


def at(storage: Storage, **options: Any) -> BatchContext:
    settings = load_settings(clip_seconds=2.0, clip_min_seconds=1.0, **options)
    return BatchContext("b", settings, storage=storage)


@pytest.mark.parametrize("setting", sorted(ABSENT))
def test_what_does_not_work_is_refused_before_any_clip_is_cut(
    setting: str, tmp_path: Path, make_video: MakeVideo, storage: Storage
) -> None:
    batch = at(storage, **{setting: ABSENT[setting]})
    sources = take_in_sources(batch, make_video(tmp_path / "v.mp4", seconds=2.0))
    with pytest.raises(SettingsError, match=f"AVA_{setting.upper()}={ABSENT[setting]} does not work on this"):
        cut_clips(batch, sources)
    assert not batch.folder("clips").exists()


def test_clips_are_cut_anew_with_another_encoder_and_not_with_another_decoder(
    tmp_path: Path, make_video: MakeVideo, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def in_software(path: Path, width: int, height: int, name: str) -> H264File:
        written.append(name)
        return H264File(path, width, height)

    monkeypatch.setattr("ava_core.video.media.clip_writer.H264File", in_software)
    monkeypatch.setattr("ava_core.video.cutting.require_codecs", lambda settings: None)
    sources = take_in_sources(at(storage), make_video(tmp_path / "v.mp4", seconds=2.0))
    cut_clips(at(storage), sources)
    cut_clips(at(storage, video_decoder="cuda"), sources)
    assert written == ["libx264"]
    cut_clips(at(storage, video_encoder="h264_nvenc"), sources)
    assert written == ["libx264", "h264_nvenc"]
    cut_clips(at(storage, video_encoder="h264_nvenc"), sources)
    assert len(written) == 2
    keys = [json.loads(path.read_bytes())["key"] for path in (at(storage).folder("clips") / "done").iterdir()]
    assert len(set(keys)) == 1


def test_the_decoder_of_the_settings_opens_the_source(
    tmp_path: Path, make_video: MakeVideo, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    really = av.open

    def opened(*arguments: Any, **named: Any) -> Any:
        asked.append(named.pop("hwaccel", None))
        return really(*arguments, **named)

    monkeypatch.setattr("ava_core.video.cutting.require_codecs", lambda settings: None)
    sources = take_in_sources(at(storage), make_video(tmp_path / "v.mp4", seconds=2.0))
    monkeypatch.setattr("av.open", opened)
    clips = cut_clips(at(storage, video_decoder="vaapi"), sources)
    assert clips["frames"].to_list() == [60]
    assert [one.allow_software_fallback for one in asked if one] == [True]


@pytest.mark.parametrize(("colour_range", "matrix"), [(2, 1), (1, 9), (0, 2)])
@pytest.mark.parametrize("size", [(320, 240), (160, 120)])
def test_frames_as_a_gpu_hands_them_out_give_the_same_pictures(
    size: tuple[int, int], colour_range: int, matrix: int
) -> None:
    values = np.random.default_rng(0).integers(0, 256, (360, 320), dtype=np.uint8)
    planar = av.VideoFrame.from_ndarray(values, format="yuv420p")
    chroma = np.dstack([values[240:300].reshape(120, 160), values[300:].reshape(120, 160)]).reshape(120, 320)
    packed = av.VideoFrame.from_ndarray(np.vstack([values[:240], chroma]), format="nv12")
    fit = fit_picture(320, 240, *size, "scale")
    made = []
    for frame in (planar, packed):
        frame.color_range, frame.colorspace = colour_range, matrix
        made.append(fit.apply(frame))
    assert np.array_equal(made[0].to_ndarray(), made[1].to_ndarray())
    for tag in ("color_range", "colorspace"):
        assert getattr(made[1], tag) == getattr(made[0], tag)
