"""What a detector is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Frame = npt.NDArray[np.uint8]
"""`(H, W, 3)`, RGB; or `(H, W)`, luma."""

Boxes = npt.NDArray[np.float64]
"""`(N, 5)`: `x1, y1, x2, y2` in pixels of the frame, score in [0, 1]."""

CACHE_THRESHOLD: Final = 0.15
"""Detections scored below are not kept; the tracker's second stage uses weak ones down to here."""


@runtime_checkable
class Detector(Protocol):
    """Finds people in the frames of one video at a time, in time order."""

    name: str
    version: str
    pixel_format: Literal["rgb24", "luma"]
    """Format of the frames for `detect`."""
    batch_size: int
    """Number of frames per call of `detect`."""
    warm_up_frames: int
    """Number of frames from a video's beginning for `start_video`; 0 for none."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Everything that changes the results; stored with them, and compared before stored detections are reused."""
        ...

    def start_video(self, first_frames: Sequence[Frame]) -> None:
        """Forget the last video, and get to know the next one from its first frames."""
        ...

    def detect(self, frames: Sequence[Frame]) -> list[Boxes]:
        """People in each frame, clipped to it."""
        ...
