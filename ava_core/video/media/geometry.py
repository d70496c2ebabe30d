"""How a source's picture lies in a clip's: scaled to fit, with or without bars, never enlarged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

Fitting = Literal["scale", "letterbox", "keep"]
Plane = npt.NDArray[np.uint8]

BLACK: Final = (16, 128, 128)
"""Black in the three planes of yuv420p of limited range."""


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

    @property
    def scales(self) -> bool:
        """Whether the picture changes at all."""
        sizes = (self.width, self.height, self.content_width, self.content_height)
        return (self.scale_x, self.scale_y) != (1.0, 1.0) or sizes[:2] != sizes[2:]

    def apply(self, frame: Any, rotation: int) -> Any:
        """A decoded PyAV frame as it lies in the clip: turned, scaled, with bars where there are any; yuv420p.

        Works on the colour planes themselves: OpenCV scales them in half the time of FFmpeg's scaler.
        """
        import av

        plain = frame if frame.format.name == "yuv420p" else frame.reformat(format="yuv420p")
        if not rotation and not self.scales:
            return plain
        target = av.VideoFrame(self.width, self.height, "yuv420p")
        for source, sink, black, part in zip(plain.planes, target.planes, BLACK, (1, 2, 2), strict=True):
            pixels = _pixels(sink)
            pixels[:] = black
            left, top = self.pad_x // part, self.pad_y // part
            width, height = self.content_width // part, self.content_height // part
            turned = np.ascontiguousarray(np.rot90(_pixels(source), -rotation // 90))
            pixels[top : top + height, left : left + width] = _scaled(turned, width, height)
        return target


def _pixels(plane: Any) -> Plane:
    """A colour plane as an array `(H, W)` that shares its memory."""
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def _scaled(plane: Plane, width: int, height: int) -> Plane:
    import cv2

    # Beyond one half, bilinear scaling leaves pixels out.
    fine = plane.shape[1] <= 2 * width
    method = cv2.INTER_LINEAR if fine else cv2.INTER_AREA
    return np.asarray(cv2.resize(plane, (width, height), interpolation=method), dtype=np.uint8)


def fit_picture(width: int, height: int, max_width: int, max_height: int, fitting: Fitting) -> Fit:
    """Fit a picture of `width` × `height` pixels into at most `max_width` × `max_height`.

    `scale`: the picture alone, never enlarged. `letterbox`: exactly the given size, bars where needed. `keep`: the
    picture's own size, whatever the given one, to the even pixel.
    """
    scale = min(max_width / width, max_height / height)
    if fitting != "letterbox":
        scale = min(1.0, scale) if fitting == "scale" else 1.0
    content_width, content_height = _even(width * scale), _even(height * scale)
    if fitting != "letterbox":
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
