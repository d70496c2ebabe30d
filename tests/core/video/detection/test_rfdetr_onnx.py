"""RF-DETR on ONNX Runtime finds what it finds through torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ava_core.base.errors import DetectorError
from ava_core.base.settings import load_settings
from ava_core.video.detection.registry import make_detector
from ava_core.video.detection.rfdetr_onnx import _people


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    settings = load_settings(detector="rfdetr", rfdetr_weights=tmp_path / "none.onnx")
    with pytest.raises(DetectorError, match=r"none\.onnx.*AVA_RFDETR_WEIGHTS"):
        make_detector(settings)


def test_outputs_become_boxes_of_people() -> None:
    boxes = np.array([[0.5, 0.5, 0.2, 0.4], [0.1, 0.1, 0.4, 0.4], [0.5, 0.5, 0.2, 0.4]], np.float32)
    classes = np.full((3, 91), -9.0, np.float32)
    classes[0, 1], classes[1, 1], classes[2, 3] = 2.0, 0.0, 4.0
    people = _people(boxes, classes, np.zeros((100, 200, 3), np.uint8), [1])
    np.testing.assert_allclose(people[:, :4], [[80, 30, 120, 70], [0, 0, 60, 30]], atol=1e-4)
    np.testing.assert_allclose(people[:, 4], [1 / (1 + np.exp(-2)), 0.5])


@pytest.mark.slow
def test_it_finds_what_torch_finds(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX Runtime is an extra")
    pytest.importorskip("onnx", reason="the exporter is an extra")
    import torch

    from ava_core.video.detection.rfdetr import RfDetrDetector
    from ava_core.video.detection.rfdetr_onnx import RfDetrOnnxDetector, _as_input, export_onnx

    torch.manual_seed(0)
    export_onnx("nano", None, tmp_path / "nano.onnx", resolution=192)
    torch.manual_seed(0)
    eager = RfDetrDetector("nano", None, device="cpu", resolution=192)
    onnx = RfDetrOnnxDetector(tmp_path / "nano.onnx")
    noise = np.random.default_rng(0)
    frames = [noise.integers(0, 255, (120, 160, 3)).astype(np.uint8) for _ in range(3)]
    found = eager._model.predict(frames, threshold=0.0, include_source_image=False)
    batch = np.stack([_as_input(frame, onnx.resolution) for frame in frames])
    _, classes = onnx._session.run(["dets", "labels"], {onnx._input: batch})
    for one, logits in zip(found, classes, strict=True):
        scores = 1 / (1 + np.exp(-logits.astype(np.float64)))
        np.testing.assert_allclose(np.sort(one.confidence)[-50:], np.sort(scores.ravel())[-50:], atol=1e-3)
