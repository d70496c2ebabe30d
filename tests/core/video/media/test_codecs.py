"""Encoders and decoders are tried before anything is cut; one that does not work is named with the cure."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from av.codec.hwaccel import hwdevices_available

from ava_core.base.errors import SettingsError
from ava_core.base.settings import Settings, load_settings
from ava_core.video.media import codecs
from ava_core.video.media.encoding import ENCODERS, SOFTWARE


def absent_encoder() -> str:
    """One that the PyAV of this machine is built without: no system has both VA-API and VideoToolbox."""
    return next(name for name in ENCODERS if name not in av.codecs_available)


def absent_decoder() -> str:
    return next(name for name in codecs.DECODERS if name not in (codecs.IN_SOFTWARE, *hwdevices_available()))


def test_the_settings_name_the_decoders_of_the_table() -> None:
    assert set(Settings.model_fields["video_decoder"].annotation.__args__) == set(codecs.DECODERS)  # type: ignore[union-attr]


def test_software_works() -> None:
    codecs.require_codecs(load_settings())
    assert codecs.encoder_fault(SOFTWARE) == codecs.decoder_fault(codecs.IN_SOFTWARE) == ""


def test_an_encoder_that_pyav_lacks_is_named_with_the_cure() -> None:
    name = absent_encoder()
    with pytest.raises(SettingsError) as error:
        codecs.require_codecs(load_settings(video_encoder=name))
    assert error.value.message.startswith(f"AVA_VIDEO_ENCODER={name} does not work on this machine: PyAV ")
    assert error.value.message.endswith(" was built without it.")
    assert (
        error.value.cure == f"It needs {ENCODERS[name].needs}. Without that, set AVA_VIDEO_ENCODER=libx264."
    )


def test_a_decoder_that_pyav_lacks_is_named_with_the_cure() -> None:
    name = absent_decoder()
    with pytest.raises(SettingsError) as error:
        codecs.require_codecs(load_settings(video_decoder=name))
    assert error.value.message.startswith(f"AVA_VIDEO_DECODER={name} does not work on this machine: PyAV ")
    assert (
        error.value.cure == f"It needs {codecs.DECODERS[name]}. Without that, set AVA_VIDEO_DECODER=software."
    )


def test_an_encoder_that_is_there_but_does_not_open_is_told_in_ffmpegs_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(path: Path, name: str) -> None:
        raise av.error.OSError(5, "No device", "tried.mp4")

    monkeypatch.setattr(codecs, "_write", refused)
    monkeypatch.setattr("av.codecs_available", {"h264_vaapi"})
    assert codecs.encoder_fault("h264_vaapi") == "FFmpeg says 'No device'"


def test_a_decoder_that_hands_out_too_few_frames_does_not_count_as_working(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Fewer:
        def __enter__(self) -> Fewer:
            return self

        def __exit__(self, *_: object) -> None: ...

        def decode(self, video: int) -> list[int]:
            return [1, 2]

    monkeypatch.setattr(codecs, "_write", lambda path, name: None)
    monkeypatch.setattr("av.codec.hwaccel.hwdevices_available", lambda: ["vaapi"])
    monkeypatch.setattr("av.open", lambda path, hwaccel: Fewer())
    assert codecs.decoder_fault("vaapi") == "it gave 2 of 5 frames"


def test_a_fault_is_not_remembered_and_what_works_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def write(path: Path, name: str) -> None:
        tried.append(name)
        if len(tried) == 1:
            raise ValueError("the driver is being installed.")

    codecs._encodes.cache_clear()
    monkeypatch.setattr(codecs, "_write", write)
    monkeypatch.setattr("av.codecs_available", {"h264_nvenc"})
    said = [codecs.encoder_fault("h264_nvenc") for _ in range(3)]
    codecs._encodes.cache_clear()
    assert said == ["the driver is being installed", "", ""]
    assert tried == ["h264_nvenc"] * 2
