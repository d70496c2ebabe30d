"""People by motion, on a real street."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from ava_core.video.detection.cache import BatchedDetection
from ava_core.video.detection.motion import MotionDetector
from ava_core.video.media.frames import decoded_frames
from ava_core.video.tracking.iou import pairwise_iou


def walker(number: int, noise: np.random.Generator) -> np.ndarray:
    """A grey street with one tall block that walks to the right."""
    frame = noise.normal(90, 3, (240, 320)).clip(0, 255).astype(np.uint8)
    left = 10 + 4 * number
    frame[80:150, left : left + 28] = 170
    return frame


def test_a_walker_is_boxed_where_they_are() -> None:
    detector, noise = MotionDetector(), np.random.default_rng(1)
    frames = [walker(n, noise) for n in range(60)]
    detector.start_video(frames[:50])
    for number in (5, 30, 59):
        found = detector.detect([frames[number]])[0]
        best = pairwise_iou(found[:, :4], np.array([[10 + 4 * number, 80, 38 + 4 * number, 150.0]]))
        assert best.max() > 0.8
        assert len(found) <= 2


def test_an_empty_street_has_nobody() -> None:
    detector, noise = MotionDetector(), np.random.default_rng(1)
    frames = [noise.normal(90, 3, (240, 320)).clip(0, 255).astype(np.uint8) for _ in range(20)]
    detector.start_video(frames)
    assert all(len(boxes) == 0 for boxes in detector.detect(frames))


def test_the_next_video_starts_anew() -> None:
    detector, noise = MotionDetector(), np.random.default_rng(1)
    frames = [walker(n, noise) for n in range(30)]
    detector.start_video(frames)
    first = detector.detect(frames)
    detector.start_video(frames)
    for a, b in zip(first, detector.detect(frames), strict=True):
        np.testing.assert_array_equal(a, b)


def test_boxes_of_large_pictures_come_back_in_their_own_pixels() -> None:
    detector, noise = MotionDetector(), np.random.default_rng(1)
    frames = [np.kron(walker(n, noise), np.ones((4, 4), np.uint8)) for n in range(30)]
    detector.start_video(frames)
    found = detector.detect([frames[15]])[0]
    assert pairwise_iou(found[:, :4], np.array([[280.0, 320, 392, 600]])).max() > 0.75


@pytest.mark.slow
def test_real_pedestrians_are_found(reference_data: Path) -> None:
    """On PETS2009 S2.L1 against MOT15's public detections (confidence > .5) at IoU > .4."""
    rows = np.loadtxt(reference_data / "mot" / "PETS09-S2L1" / "det.txt", delimiter=",")
    rows = rows[rows[:, 6] > 0.5]
    wanted = {
        int(frame): np.column_stack([own[:, 2:4], own[:, 2:4] + own[:, 4:6]])
        for frame in np.unique(rows[:, 0])
        for own in [rows[rows[:, 0] == frame]]
    }
    sampler, found = BatchedDetection(MotionDetector()), []
    for number, frame in enumerate(decoded_frames(reference_data / "video" / "vtest.avi", "luma")):
        found += sampler.push(number, frame)
    found += sampler.finish()
    hits = detected = 0
    for number, boxes in found:
        truth = wanted.get(number + 1, np.empty((0, 4)))
        overlap = pairwise_iou(boxes[:, :4], truth)
        hits += int((overlap[linear_sum_assignment(-overlap)] > 0.4).sum())
        detected += len(boxes)
    precision, recall = hits / detected, hits / sum(len(boxes) for boxes in wanted.values())
    assert precision >= 0.85, f"precision {precision:.3f}, recall {recall:.3f}"
    assert recall >= 0.80, f"precision {precision:.3f}, recall {recall:.3f}"
