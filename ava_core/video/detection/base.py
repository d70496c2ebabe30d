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
    """Finds people in frames of one video at a time, in order of time."""

    name: str
    version: str
    pixel_format: Literal["rgb24", "luma"]
    """Frames that `detect` wants."""
    batch_size: int
    """Frames per call of `detect` that serve it best."""
    warm_up_frames: int
    """Frames of a video's beginning that `start_video` wants to see; 0 where none."""

    @property
    def parameters(self) -> dict[str, Any]:
        """What changes its results; kept beside them, and compared before cached ones are used again."""
        ...

    def start_video(self, first_frames: Sequence[Frame]) -> None:
        """Forget the last video, and get to know the next one from its first frames."""
        ...

    def detect(self, frames: Sequence[Frame]) -> list[Boxes]:
        """People in each frame, clipped to it."""
        ...
