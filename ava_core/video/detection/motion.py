"""People as what moves before a fixed camera: background subtraction on luma, then connected components.

Needs no weights and no GPU: the embedded default. It sees whoever moves, person or not, and merges people who
walk close together; RF-DETR is the detector for real work.

The background is the median of the video's first frames, then a mixture of Gaussians (MOG2, Zivkovic 2004)
that is started on it and learns slowly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np

from ava_core.video.detection.base import Boxes, Frame

WORK_WIDTH: Final = 640
"""Width in pixels at which the picture is looked at; larger ones are scaled down, boxes scaled back."""

MIN_HEIGHT: Final = 0.07
"""Smallest person, as a share of the picture's height."""
MAX_HEIGHT: Final = 0.9
ASPECT: Final = (1.05, 5.5)
"""Height over width of a person who stands or walks; flatter blobs are split, others are not people."""
PERSON_ASPECT: Final = 2.2
"""Height over width of a usual pedestrian; wider blobs are split into so many."""
LEARNING_RATE: Final = 0.002
VARIANCE_THRESHOLD: Final = 30.0
LEARNED_FROM: Final = 2
"""Every so many of the first frames teach how much each pixel flickers; more teach nothing new."""
CLOSE: Final = (9, 3)
"""Rows and columns of the patch that joins pieces of one person: tall, not wide."""
DARKEST_SHADOW: Final = 0.7
"""Share of the background's brightness below which what is darker is somebody in dark clothes, and no shadow."""
SHADOW: Final = 127
"""MOG2's value for shadow pixels."""


class MotionDetector:
    """Background subtraction on a static camera."""

    name = "motion"
    pixel_format: Literal["rgb24", "luma"] = "luma"
    batch_size = 1
    warm_up_frames = 50

    def __init__(self) -> None:
        import cv2

        self.version = f"mog2-2 (OpenCV {cv2.__version__})"
        self._subtractor: Any = None

    @property
    def parameters(self) -> dict[str, Any]:
        """Constants of this file that change its results."""
        return {
            "work_width": WORK_WIDTH,
            "min_height": MIN_HEIGHT,
            "learning_rate": LEARNING_RATE,
            "variance_threshold": VARIANCE_THRESHOLD,
            "darkest_shadow": DARKEST_SHADOW,
        }

    def start_video(self, first_frames: Sequence[Frame]) -> None:
        """Learn the background from the median of the first frames."""
        import cv2

        self._subtractor = cv2.createBackgroundSubtractorMOG2(
            history=500, varThreshold=VARIANCE_THRESHOLD, detectShadows=True
        )
        self._subtractor.setShadowThreshold(DARKEST_SHADOW)
        if not first_frames:
            return
        small = np.stack([_small(frame)[0] for frame in first_frames])
        background = np.median(small, axis=0).astype(np.uint8)
        self._subtractor.apply(background, learningRate=1.0)
        # The spread of each pixel is learned from what is close to the median: no walker is learned in.
        for frame in small[::LEARNED_FROM]:
            still = np.abs(frame.astype(np.int16) - background) < VARIANCE_THRESHOLD
            self._subtractor.apply(np.where(still, frame, background), learningRate=0.04)

    def detect(self, frames: Sequence[Frame]) -> list[Boxes]:
        """Moving blobs of a person's size and shape; score = share of the box that moves."""
        if self._subtractor is None:
            self.start_video(frames)
        return [self._detect(frame) for frame in frames]

    def _detect(self, frame: Frame) -> Boxes:
        import cv2

        small, scale = _small(frame)
        mask = self._subtractor.apply(small, learningRate=LEARNING_RATE)
        moving = (mask > SHADOW).astype(np.uint8)
        moving = cv2.morphologyEx(moving, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
        # A walker falls apart at the waist and knees: join what lies above one another, not side by side.
        moving = cv2.morphologyEx(moving, cv2.MORPH_CLOSE, np.ones(CLOSE, np.uint8))
        boxes = _components(moving)
        boxes = _join_stacked(boxes)
        found = [part for box in boxes for part in _people(box, moving)]
        table = np.array(found, dtype=np.float64).reshape(-1, 5)
        table[:, :4] *= scale
        return table


def _small(frame: Frame) -> tuple[Frame, float]:
    import cv2

    scale = max(1.0, frame.shape[1] / WORK_WIDTH)
    if scale > 1.0:
        size = (round(frame.shape[1] / scale), round(frame.shape[0] / scale))
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    return frame, scale


def _components(mask: Frame) -> list[tuple[int, int, int, int]]:
    """Boxes `(x1, y1, x2, y2)` of connected pixels that are more than noise."""
    import cv2

    least = max(12, int(mask.shape[0] * mask.shape[1] * 0.00015))
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    return [(int(x), int(y), int(x + w), int(y + h)) for x, y, w, h, area in stats[1:] if area >= least]


def _join_stacked(boxes: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Join pieces that lie above one another with a small gap: head, trunk and legs of one person."""
    joined = sorted(boxes)
    changed = True
    while changed:
        changed = False
        for i, a in enumerate(joined):
            for j in range(i + 1, len(joined)):
                b = joined[j]
                overlap = min(a[2], b[2]) - max(a[0], b[0])
                gap = max(a[1], b[1]) - min(a[3], b[3])
                narrow = min(a[2] - a[0], b[2] - b[0])
                height = max(a[3] - a[1], b[3] - b[1])
                if overlap >= 0.6 * narrow and gap <= 0.25 * height:
                    union = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
                    if (union[3] - union[1]) <= 4.5 * (union[2] - union[0]):
                        joined = [box for k, box in enumerate(joined) if k not in (i, j)] + [union]
                        changed = True
                        break
            if changed:
                break
    return joined


def _people(box: tuple[int, int, int, int], mask: Frame) -> list[tuple[float, ...]]:
    """The people in a blob: none if its size or shape is no person's, several where it is too wide."""
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    if not MIN_HEIGHT * mask.shape[0] <= height <= MAX_HEIGHT * mask.shape[0]:
        return []
    count = max(1, round(width * PERSON_ASPECT / height / 1.25))
    parts: list[tuple[float, ...]] = []
    for number in range(count):
        left, right = x1 + width * number / count, x1 + width * (number + 1) / count
        column = mask[y1:y2, int(left) : max(int(left) + 1, int(right))]
        rows = np.flatnonzero(column.any(axis=1))
        if rows.size == 0:
            continue
        top, bottom = y1 + int(rows[0]), y1 + int(rows[-1]) + 1
        shape = (bottom - top) / (right - left)
        fill = float(column.mean())
        if ASPECT[0] <= shape <= ASPECT[1] and bottom - top >= MIN_HEIGHT * mask.shape[0]:
            parts.append((left, float(top), right, float(bottom), min(1.0, 0.35 + fill)))
    return parts
