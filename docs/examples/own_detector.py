"""A detector of your own: the platform's motion detector, which ignores what lies beyond a fence.

Register it in the `pyproject.toml` of your package, install the package, and set AVA_DETECTOR=yard:

    [project.entry-points."ava.detectors"]
    yard = "own_detector:make"
"""

from collections.abc import Sequence
from typing import Any, Literal

from ava_core.base.settings import Settings
from ava_core.video.detection.base import Boxes, Frame
from ava_core.video.detection.motion import MotionDetector

FENCE = 0.4
"""Height of the fence's foot in the picture, 0 the top and 1 the bottom: nobody is labelled behind it."""


class YardDetector:
    """Boxes whose feet stand below the fence."""

    name = "yard"
    version = "1"
    """Raise it when results change: kept detections of another version are made again."""
    pixel_format: Literal["rgb24", "luma"] = "luma"
    batch_size = 1

    def __init__(self, fence: float) -> None:
        self.fence = fence
        self._motion = MotionDetector()
        self.warm_up_frames = self._motion.warm_up_frames

    @property
    def parameters(self) -> dict[str, Any]:
        return {"fence": self.fence, "motion": self._motion.version, **self._motion.parameters}

    def start_video(self, first_frames: Sequence[Frame]) -> None:
        self._motion.start_video(first_frames)

    def detect(self, frames: Sequence[Frame]) -> list[Boxes]:
        found = self._motion.detect(frames)
        return [
            boxes[boxes[:, 3] > self.fence * len(frame)] for boxes, frame in zip(found, frames, strict=True)
        ]


def make(settings: Settings) -> YardDetector:
    """Called once a process, with the settings of the batch."""
    return YardDetector(FENCE)
