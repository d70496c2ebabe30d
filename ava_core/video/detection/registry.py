"""The detector that the settings ask for: made once per process, never silently another one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from ava_core.base.errors import AvaError, DetectorError
from ava_core.base.plugins import load_plugin, plugin_names, refused
from ava_core.base.settings import Settings
from ava_core.video.detection.base import Detector

ONNX = ".onnx"
"""Suffix of weights files for ONNX Runtime."""
GPU_FPS, CPU_FPS = 10.0, 5.0
"""Detector rate where none is set. Below 5 fps tracks break: HOTA 61 at 5 fps, 46 at 1 fps."""


SHIPPED: Final = ("motion", "rfdetr")

Factory = Callable[[Settings], Detector]
"""What a package adds to the entry points `ava.detectors`."""


def detector_names() -> list[str]:
    """What the setting `detector` may name: the shipped ones, then those that installed packages add."""
    return [*SHIPPED, *(name for name in plugin_names("detectors") if name not in SHIPPED)]


def refuse_unknown_detector(name: str) -> None:
    """Raise `DetectorError` where no detector has that name; none is imported or made."""
    known = detector_names()
    if name not in known:
        raise DetectorError(f"There is no detector {name!r}.", f"Choose from {', '.join(known)}.")


def make_detector(settings: Settings) -> Detector:
    """The detector. Raises `DetectorError` where it cannot start, naming what is missing, and `PluginError` where the
    package that adds it is broken.
    """
    if settings.detector == "motion":
        from ava_core.video.detection.motion import MotionDetector

        return MotionDetector()
    if settings.detector not in SHIPPED:
        return _made(added_factory(settings.detector), settings)
    return _rfdetr(settings.rfdetr_size, weights_file(settings), settings.device, settings.rfdetr_resolution)


def weights_file(settings: Settings) -> Path:
    """Where RF-DETR's weights are looked for, whether they are there or not."""
    from ava_core.video.detection.rfdetr import default_weights

    weights = settings.rfdetr_weights or default_weights(settings.rfdetr_size, settings.rf_home)
    return weights.expanduser()


def detector_fps(settings: Settings, detector: Detector) -> float:
    """Frames a second that the detector looks at: as set, else 10 on a GPU and 5 on a CPU."""
    if settings.detect_fps:
        return settings.detect_fps
    return GPU_FPS if getattr(detector, "device", "cpu").startswith("cuda") else CPU_FPS


def runs_on_gpu(settings: Settings) -> bool:
    """Whether the detector that the settings ask for runs on a GPU; it need not be made for that.

    One that a package adds is taken to use the setting `device`, as RF-DETR does.
    """
    if settings.detector == "motion":
        return False
    if settings.detector == "rfdetr" and weights_file(settings).suffix == ONNX:
        return False
    if settings.device != "auto":
        return settings.device != "cpu"
    try:
        import torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())


def added_factory(name: str) -> Factory:
    """What makes the detector that a package adds by that name; raises as `make_detector` does."""
    refuse_unknown_detector(name)
    factory: Factory = load_plugin("detectors", name)
    if not callable(factory):
        raise refused("detectors", name, "cannot be called with the settings to make a detector")
    return factory


@lru_cache(maxsize=1)
def _made(factory: Factory, settings: Settings) -> Detector:
    name = settings.detector
    try:
        made = factory(settings)
    except AvaError:
        raise
    except Exception as error:
        raise refused("detectors", name, f"cannot start: {type(error).__name__}: {error}") from error
    if not isinstance(made, Detector):
        raise refused("detectors", name, f"makes a {type(made).__name__}, which is not a Detector")
    return made


@cache
def _rfdetr(size: str, weights: Path, device: str, resolution: int | None) -> Detector:
    if weights.suffix == ONNX:
        from ava_core.video.detection.rfdetr_onnx import RfDetrOnnxDetector

        return RfDetrOnnxDetector(weights)
    from ava_core.video.detection.rfdetr import RfDetrDetector

    return RfDetrDetector(size, weights, device=device, resolution=resolution)
