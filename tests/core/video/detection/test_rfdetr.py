"""RF-DETR: real forward passes with random weights, and clear words where its weights are missing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ava_core.base.errors import DetectorError
from ava_core.base.settings import load_settings
from ava_core.video.detection import rfdetr
from ava_core.video.detection.registry import detector_fps, make_detector
from ava_core.video.detection.rfdetr import RfDetrDetector, without_duplicates


def test_missing_weights_name_the_file_and_the_cure(tmp_path: Path) -> None:
    settings = load_settings(detector="rfdetr", rfdetr_size="small", rf_home=tmp_path)
    with pytest.raises(DetectorError, match=r"rf-detr-small\.pth.*AVA_RFDETR_WEIGHTS.*Nothing is downloaded"):
        make_detector(settings)


def test_overlapping_people_are_kept_and_duplicates_thinned() -> None:
    boxes = np.array([
        [0, 0, 100, 200, 0.5],
        [1, 1, 100, 200, 0.9],  # the same person, IoU .98
        [30, 0, 130, 200, 0.8],  # someone in front, IoU .54
    ])  # fmt: skip
    kept = without_duplicates(boxes)
    assert kept[:, 4].tolist() == [0.9, 0.8]
    assert without_duplicates(np.empty((0, 5))).shape == (0, 5)


def test_only_people_inside_the_picture_are_kept() -> None:
    found = SimpleNamespace(
        class_id=np.array([1, 3, 1, 1]),
        xyxy=np.array([[-5, 10, 50, 250], [0, 0, 9, 9], [70, 20, 90, 60], [330, 0, 340, 9.0]]),
        confidence=np.array([0.9, 0.8, 0.4, 0.3]),
    )
    people = rfdetr._people(found, np.zeros((240, 320, 3), np.uint8), [1])
    np.testing.assert_allclose(people, [[0, 10, 50, 240, 0.9], [70, 20, 90, 60, 0.4]])


@pytest.mark.parametrize(
    ("names", "classes", "ids"),
    [
        ((), 90, [1]),
        ((), 1, [0]),
        (("worker",), 1, [0]),
        (("car", "Person", "dog"), 3, [1]),
        (("pedestrian", "rider", "person"), 3, [0, 2]),
    ],
)
def test_the_class_of_people_is_read_from_the_weights(
    names: tuple[str, ...], classes: int, ids: list[int]
) -> None:
    assert rfdetr.person_ids(names, classes, "own.pth") == ids


@pytest.mark.parametrize(
    ("names", "said"), [(("car", "dog"), "only car, dog"), ((), "only 2 classes without names")]
)
def test_weights_that_know_no_people_are_refused(names: tuple[str, ...], said: str) -> None:
    with pytest.raises(DetectorError, match=f"own.pth: these weights have no person class, {said}"):
        rfdetr.person_ids(names, 2, "own.pth")


def test_the_rate_follows_the_device_unless_set() -> None:
    on_gpu, on_cpu = SimpleNamespace(device="cuda:1"), SimpleNamespace(device="cpu")
    assert detector_fps(load_settings(), on_gpu) == 10.0  # type: ignore[arg-type]
    assert detector_fps(load_settings(), on_cpu) == 5.0  # type: ignore[arg-type]
    assert detector_fps(load_settings(detect_fps=3.0), on_gpu) == 3.0  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_batch_is_what_its_frames_are_alone() -> None:
    detector = RfDetrDetector("nano", None, device="cpu", resolution=192)
    noise = np.random.default_rng(0)
    frames = [noise.integers(0, 255, (120, 160, 3)).astype(np.uint8) for _ in range(3)]
    together = detector.detect(frames)
    for frame, boxes in zip(frames, together, strict=True):
        alone = detector.detect([frame])[0]
        assert boxes.shape == alone.shape
        np.testing.assert_allclose(np.sort(boxes[:, 4]), np.sort(alone[:, 4]), atol=1e-3)
        assert boxes.shape[1] == 5
        assert (boxes[:, 2:4] <= [160, 120]).all()
        assert (boxes[:, :2] >= 0).all()
    assert detector.parameters == {"size": "nano", "weights": "random", "resolution": 192}
