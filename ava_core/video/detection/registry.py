"""The detector that the settings ask for: made once per process, never silently another one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ava_core.base.settings import Settings
from ava_core.video.detection.base import Detector

ONNX = ".onnx"
"""Suffix of weights files for ONNX Runtime."""
GPU_FPS, CPU_FPS = 10.0, 5.0
"""Detector rate where none is set. Below 5 fps tracks break: HOTA 61 at 5 fps, 46 at 1 fps."""


def make_detector(settings: Settings) -> Detector:
    """The detector. Raises `DetectorError` where it cannot start, naming what is missing."""
    if settings.detector == "motion":
        from ava_core.video.detection.motion import MotionDetector

        return MotionDetector()
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
    """Whether the detector that the settings ask for runs on a GPU; it need not be made for that."""
    if settings.detector == "motion" or weights_file(settings).suffix == ONNX:
        return False
    if settings.device != "auto":
        return settings.device != "cpu"
    try:
        import torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())


@cache
def _rfdetr(size: str, weights: Path, device: str, resolution: int | None) -> Detector:
    if weights.suffix == ONNX:
        from ava_core.video.detection.rfdetr_onnx import RfDetrOnnxDetector

        return RfDetrOnnxDetector(weights)
    from ava_core.video.detection.rfdetr import RfDetrDetector

    return RfDetrDetector(size, weights, device=device, resolution=resolution)
