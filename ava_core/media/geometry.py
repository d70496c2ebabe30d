"""How a source's picture lies in a clip's: scaled to fit, with or without bars, never enlarged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Fitting = Literal["scale", "letterbox"]


@dataclass(frozen=True)
class Fit:
    """Source pixel (as shown) → clip pixel: `x * scale_x + pad_x`, `y * scale_y + pad_y`. All sizes are even."""

    width: int
    height: int
    scale_x: float
    scale_y: float
    pad_x: int
    pad_y: int
    content_width: int
    content_height: int

    def apply(self, frame: Any, rotation: int) -> Any:
        """A decoded PyAV frame as it lies in the clip: turned, scaled, with bars where there are any; yuv420p."""
        import av

        if rotation:
            turned = np.rot90(frame.to_ndarray(format="rgb24"), -rotation // 90)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(turned), format="rgb24")
        plain = frame.reformat(self.content_width, self.content_height, "yuv420p", interpolation="BILINEAR")
        if (self.width, self.height) == (self.content_width, self.content_height):
            return plain
        picture = np.zeros((self.height, self.width, 3), np.uint8)
        right, bottom = self.pad_x + self.content_width, self.pad_y + self.content_height
        picture[self.pad_y : bottom, self.pad_x : right] = plain.to_ndarray(format="rgb24")
        return av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")


def fit_picture(width: int, height: int, max_width: int, max_height: int, fitting: Fitting) -> Fit:
    """Fit a picture of `width` × `height` pixels into at most `max_width` × `max_height`.

    `scale`: the picture alone, never enlarged. `letterbox`: exactly the given size, bars where needed.
    """
    scale = min(max_width / width, max_height / height)
    if fitting == "scale":
        scale = min(1.0, scale)
    content_width, content_height = _even(width * scale), _even(height * scale)
    if fitting == "scale":
        max_width, max_height = content_width, content_height
    max_width, max_height = _even(max_width), _even(max_height)
    return Fit(
        width=max_width,
        height=max_height,
        scale_x=content_width / width,
        scale_y=content_height / height,
        # H.264's colour planes have half the size: bars begin at even pixels.
        pad_x=(max_width - content_width) // 4 * 2,
        pad_y=(max_height - content_height) // 4 * 2,
        content_width=content_width,
        content_height=content_height,
    )


def _even(length: float) -> int:
    return max(2, int(length / 2 + 1e-6) * 2)
