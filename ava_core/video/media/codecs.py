"""Whether the encoder and decoder that the settings ask for work on this machine: tried, before any clip is cut."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ava_core.base.errors import MediaError, SettingsError
from ava_core.base.settings import Settings
from ava_core.video.media import reading
from ava_core.video.media.encoding import ENCODERS, SOFTWARE, H264File

IN_SOFTWARE: Final = reading.SOFTWARE
DECODERS: Final[Mapping[str, str]] = MappingProxyType({
    IN_SOFTWARE: "",
    "cuda": "an NVIDIA GPU and its driver",
    "vaapi": "Linux, an Intel or AMD GPU with its VA-API driver, and a PyAV that was built with VA-API",
    "videotoolbox": "a Mac",
})  # fmt: skip
"""Where videos may be decoded, by FFmpeg's name of the device, and what a machine must have for it."""

TRIED_SIZE: Final = (640, 360)
"""Larger than the least that encoders on GPUs take."""
TRIED_FRAMES: Final = 5


def require_codecs(settings: Settings) -> None:
    """Raise `SettingsError` with reason and cure where the settings' encoder or decoder does not work here.

    What worked once is not tried again in this process.
    """
    require_encoder(settings)
    require_decoder(settings)


def require_encoder(settings: Settings) -> None:
    """Raise `SettingsError` with reason and cure where the settings' encoder does not work here."""
    name = settings.video_encoder
    _require("AVA_VIDEO_ENCODER", name, SOFTWARE, encoder_fault(name), ENCODERS[name].needs)


def require_decoder(settings: Settings) -> None:
    """Raise `SettingsError` with reason and cure where the settings' decoder does not work here."""
    name = settings.video_decoder
    _require("AVA_VIDEO_DECODER", name, IN_SOFTWARE, decoder_fault(name), DECODERS[name])


def encoder_fault(name: str) -> str:
    """Why an encoder does not work on this machine; empty where it does."""
    return _fault(_encodes, name)


def decoder_fault(name: str) -> str:
    """Why a decoder does not work on this machine; empty where it does."""
    return _fault(_decodes, name)


def _require(variable: str, name: str, software: str, fault: str, needs: str) -> None:
    if fault:
        other = "" if name == software else f" Without that, set {variable}={software}."
        raise SettingsError(
            f"{variable}={name} does not work on this machine: {fault}.", f"It needs {needs}.{other}"
        )


def _fault(tried: Callable[[str], None], name: str) -> str:
    import av

    try:
        tried(name)
    except av.FFmpegError as error:
        return f"FFmpeg says {error.strerror!r}"
    except MediaError as error:
        return error.message
    except (ValueError, NotImplementedError, RuntimeError) as error:
        return str(error).rstrip(".") or type(error).__name__
    return ""


@cache
def _encodes(name: str) -> None:
    """Encode a few frames as clips are; raises where that fails."""
    import av

    if name not in av.codecs_available:
        raise ValueError(f"PyAV {av.__version__} was built without it")
    with tempfile.TemporaryDirectory(prefix="ava-") as folder:
        _write(Path(folder) / "tried.mp4", name)


@cache
def _decodes(name: str) -> None:
    """Decode a few frames there and nowhere else; raises where that fails."""
    import av
    from av.codec.hwaccel import HWAccel, hwdevices_available

    if name == IN_SOFTWARE:
        return
    if name not in hwdevices_available():
        raise ValueError(f"PyAV {av.__version__} was built without it")
    with tempfile.TemporaryDirectory(prefix="ava-") as folder:
        path = Path(folder) / "tried.mp4"
        _write(path, SOFTWARE)
        with av.open(str(path), hwaccel=HWAccel(name, allow_software_fallback=False)) as container:
            count = sum(1 for _ in container.decode(video=0))
    if count != TRIED_FRAMES:
        raise ValueError(f"it gave {count} of {TRIED_FRAMES} frames")


def _write(path: Path, encoder: str) -> None:
    import av
    import numpy as np

    file = H264File(path, *TRIED_SIZE, encoder)
    try:
        for number in range(TRIED_FRAMES):
            grey = np.full((TRIED_SIZE[1] * 3 // 2, TRIED_SIZE[0]), 100 + number, np.uint8)
            file.add(av.VideoFrame.from_ndarray(grey, format="yuv420p"), number)
        file.finish()
    finally:
        file.close()
