"""What a detector must keep to: the protocol `ava_core.video.detection.base.Detector`, on two small videos."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from ava_core.base.settings import Settings, load_settings
from ava_core.contract.broken import BrokenContractError, demand
from ava_core.video.detection.base import Boxes, Detector, Frame

SHAPES: Final = ((120, 160), (90, 120))
"""Height and width of the two videos: one after another need not be alike."""
FRAMES: Final = 8
"""Frames of each that are looked at after the warm-up."""
CLOSE: Final = 1e-3
"""Pixels, and score, by which two looks at the same frames may differ."""
EDGE: Final = 1e-6
"""Pixels by which rounding may put a box beyond the picture."""


def check_detector(make: Callable[[Settings], Detector], settings: Settings | None = None) -> None:
    """Make the detector as the platform does, and show it two videos of a walking person.

    Checks that the attributes are valid, that each frame gives one array of boxes, complete and inside the picture,
    that frames stay unmodified, and that `start_video` forgets the video before. `settings`: the general ones by
    default.

    >>> from ava_core.video.detection.motion import MotionDetector
    >>> check_detector(lambda settings: MotionDetector())
    """
    detector = make(settings or load_settings())
    said = _about(detector)
    before = _parameters(detector)
    first = _look(detector, SHAPES[0])
    _look(detector, SHAPES[1])
    again = _look(detector, SHAPES[0])
    alike = all(
        a.shape == b.shape and np.allclose(a, b, atol=CLOSE) for a, b in zip(first, again, strict=True)
    )
    demand(alike, f"{said}: the same video gave other boxes after another one; start_video must forget.")
    demand(_parameters(detector) == before, f"{said}: parameters changed while it looked at frames.")


def _about(detector: Detector) -> str:
    """Its name and version, once what it says of itself is right."""
    kind = type(detector).__name__
    for field in ("name", "version", "pixel_format", "batch_size", "warm_up_frames", "parameters"):
        demand(hasattr(detector, field), f"{kind} has no {field}.")
    for field in ("name", "version"):
        value: object = getattr(detector, field)
        demand(isinstance(value, str) and bool(value), f"{kind}: {field} must be text that is not empty.")
    said = f"{detector.name} {detector.version}"
    demand(
        detector.pixel_format in ("rgb24", "luma"),
        f"{said}: pixel_format is {detector.pixel_format!r}; it must be rgb24 or luma.",
    )
    demand(_whole(detector.batch_size, 1), f"{said}: batch_size must be a whole number from 1.")
    demand(_whole(detector.warm_up_frames, 0), f"{said}: warm_up_frames must be a whole number from 0.")
    _parameters(detector)
    return said


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _parameters(detector: Detector) -> str:
    try:
        return json.dumps(detector.parameters, sort_keys=True)
    except TypeError as error:
        raise BrokenContractError(
            f"{detector.name}: parameters are kept as JSON, and cannot be: {error}."
        ) from None


def walk(shape: tuple[int, int], pixel_format: str, frames: int) -> list[Frame]:
    """A still grey wall before which somebody bright walks in from the left after half of the frames."""
    height, width = shape
    wall = np.random.default_rng(0).integers(90, 110, (height, width), dtype=np.uint8)
    made = []
    for number in range(frames):
        picture = wall.copy()
        left = (number - frames // 2) * 4
        if left >= 0:
            picture[height // 4 : height // 4 + height // 2, left : left + width // 8] = 230
        made.append(picture if pixel_format == "luma" else np.repeat(picture[..., None], 3, axis=2))
    return made


def _look(detector: Detector, shape: tuple[int, int]) -> list[Boxes]:
    """What it finds in a video, handed over as the platform does: first the warm-up, then in batches."""
    frames = walk(shape, detector.pixel_format, max(detector.warm_up_frames, FRAMES) + FRAMES)
    before = [frame.copy() for frame in frames]
    detector.start_video(frames[: detector.warm_up_frames])
    found: list[Boxes] = []
    for start in range(0, len(frames), detector.batch_size):
        batch = frames[start : start + detector.batch_size]
        found += _whole_boxes(detector, batch, detector.detect(batch))
    kept = all(np.array_equal(a, b) for a, b in zip(frames, before, strict=True))
    demand(kept, f"{detector.name}: detect changed its frames; work on a copy.")
    return found


def _whole_boxes(detector: Detector, frames: Sequence[Frame], found: Any) -> list[Boxes]:
    name = detector.name
    demand(
        isinstance(found, list) and len(found) == len(frames),
        f"{name}: detect must give a list with one array for each of its {len(frames)} frames.",
    )
    for frame, boxes in zip(frames, found, strict=True):
        demand(
            isinstance(boxes, np.ndarray) and boxes.ndim == 2 and boxes.shape[1] == 5,
            f"{name}: boxes must be an array of shape (N, 5), (0, 5) where nobody is; "
            f"got {getattr(boxes, 'shape', type(boxes).__name__)}.",
        )
        demand(bool(np.isfinite(boxes).all()), f"{name}: a box holds a number that is not finite.")
        x1, y1, x2, y2, score = boxes.T
        demand(bool(((x1 < x2) & (y1 < y2)).all()), f"{name}: a box is empty; x1 < x2 and y1 < y2 must hold.")
        height, width = frame.shape[:2]
        low, high = np.minimum(x1, y1), np.maximum(x2 - width, y2 - height)
        inside = bool((low >= -EDGE).all() and (high <= EDGE).all())
        demand(inside, f"{name}: a box leaves the picture of {width} × {height}; clip it.")
        demand(bool(((score >= 0) & (score <= 1)).all()), f"{name}: a score is outside [0, 1].")
    return list(found)
