"""How a source's picture lies in a clip's: upright, with square pixels, scaled to fit, with or without bars."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from ava_core.base.errors import MediaError

Fitting = Literal["scale", "letterbox", "keep"]
Plane = npt.NDArray[np.uint8]

PLANAR: Final = ("yuv420p", "yuvj420p")
"""Formats whose planes are used as they are; the second is the first with its range in the name."""
PACKED: Final = "nv12"
"""The same values in another order, as GPUs hand them out."""
COLOUR_TAGS: Final = ("color_range", "colorspace", "color_primaries", "color_trc")
"""What a player has to know to show colours as they were filmed."""
LIMITED, FULL = 1, 2
"""FFmpeg's colour ranges: 16 to 235, 0 to 255."""
SMPTE170M: Final = 6
"""FFmpeg's number of the matrix that pictures of red, green and blue are turned into planes with."""
QUARTER_TOLERANCE: Final = 10.0
"""Degrees by which a picture may lie off a quarter turn and be taken for it."""
SANE_ASPECTS: Final = (0.2, 5.0)
"""Pixels of other shapes are mistakes of whoever wrote the file."""


@dataclass(frozen=True)
class Lie:
    """How a stored picture is shown: mirrored left to right, then turned clockwise, pixels `pixel_aspect` wide.

    `pixel_aspect`: width over height of a stored pixel; the shown ones are square.
    """

    mirrored: bool = False
    rotation: int = 0
    pixel_aspect: float = 1.0

    @property
    def is_plain(self) -> bool:
        """Whether the picture is shown as it is stored."""
        return self == PLAIN

    def shown_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height as shown of a stored picture."""
        wide = round(width * self.pixel_aspect)
        return (height, wide) if self.rotation % 180 else (wide, height)

    def upright(self, plane: Plane) -> Plane:
        """A stored plane as it is shown, but for its pixels' shape."""
        if self.mirrored:
            plane = plane[:, ::-1]
        return np.ascontiguousarray(np.rot90(plane, -self.rotation // 90))


PLAIN: Final = Lie()


def lie_of(frame: Any, pixel_aspect: float | None) -> Lie:
    """What a decoded frame's display matrix says (ISO 14496-12, 6.2.2). Raises `MediaError` where it lies askew."""
    aspect = float(pixel_aspect or 1.0)
    if not SANE_ASPECTS[0] <= aspect <= SANE_ASPECTS[1]:
        aspect = 1.0
    matrix = _display_matrix(frame)
    if matrix is None:
        return Lie(pixel_aspect=aspect)
    a, b, c, d = matrix
    mirrored = a * d - b * c < 0
    if mirrored:
        # Mirrored first, then turned: without the mirroring the first column points the other way.
        a, b = -a, -b
    degrees = math.degrees(math.atan2(b, a)) % 360
    turn = round(degrees / 90) * 90
    if abs(degrees - turn) > QUARTER_TOLERANCE:
        raise MediaError(f"its picture lies askew, turned by {degrees:.0f} degrees; turn it upright first")
    return Lie(mirrored, turn % 360, aspect)


def _display_matrix(frame: Any) -> tuple[int, int, int, int] | None:
    """The four numbers `a, b, c, d` that turn `(x, y)` into `(a·x + c·y, b·x + d·y)`."""
    from av.sidedata.sidedata import Type

    data = frame.side_data.get(Type.DISPLAYMATRIX)
    if data is None:
        return None
    a, b, _, c, d = np.frombuffer(bytes(data), "<i4")[:5].tolist()
    return None if a * d == b * c else (a, b, c, d)


@dataclass(frozen=True)
class Fit:
    """Source pixel (as shown) → clip pixel: `x * scale_x + pad_x`, `y * scale_y + pad_y`. All sizes are even.

    `lie` says how stored pictures become shown ones.
    """

    width: int
    height: int
    scale_x: float
    scale_y: float
    pad_x: int
    pad_y: int
    content_width: int
    content_height: int
    lie: Lie = PLAIN

    def leaves(self, width: int, height: int) -> bool:
        """Whether a stored picture of that size is the clip's as it is."""
        stays = (self.width, self.height) == (self.content_width, self.content_height) == (width, height)
        return stays and self.lie.is_plain

    def apply(self, frame: Any) -> Any:
        """A decoded PyAV frame as it lies in the clip: upright, scaled, with bars where there are any; yuv420p.

        A frame of another size than the first ones fills as much of their place as its proportions allow. Range and
        matrix of its colours stay. Works on the colour planes: OpenCV scales them in half the time of FFmpeg's scaler.
        """
        import av

        plain = _planar(frame)
        if self.leaves(plain.width, plain.height):
            return plain
        target = av.VideoFrame(self.width, self.height, "yuv420p")
        for name in COLOUR_TAGS:
            setattr(target, name, getattr(plain, name))
        left, top, width, height = self._place(*self.lie.shown_size(plain.width, plain.height))
        dark = 0 if plain.color_range == FULL else 16
        for source, sink, black, part in zip(
            plain.planes, target.planes, (dark, 128, 128), (1, 2, 2), strict=True
        ):
            pixels = plane_pixels(sink)
            pixels[:] = black
            rows = slice(top // part, (top + height) // part)
            columns = slice(left // part, (left + width) // part)
            upright = self.lie.upright(plane_pixels(source))
            pixels[rows, columns] = _scaled(upright, width // part, height // part)
        return target

    def _place(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Left, top, width, height in the clip of a picture of that size as shown."""
        scale = min(self.content_width / width, self.content_height / height)
        inner = min(self.content_width, _even(width * scale)), min(self.content_height, _even(height * scale))
        # What evenness cost in the first place is no reason for bars.
        spare_x, spare_y = self.content_width - inner[0], self.content_height - inner[1]
        spare_x, spare_y = spare_x * (spare_x > 2), spare_y * (spare_y > 2)
        return (
            self.pad_x + spare_x // 4 * 2,
            self.pad_y + spare_y // 4 * 2,
            self.content_width - spare_x,
            self.content_height - spare_y,
        )


def _planar(frame: Any) -> Any:
    """The frame as yuv420p, its range and matrix kept; red, green and blue become limited planes."""
    if frame.format.name in PLANAR:
        return frame
    if frame.format.is_rgb:
        plain = frame.reformat(format="yuv420p", dst_colorspace="SMPTE170M", dst_color_range="MPEG")
        plain.colorspace, plain.color_range = SMPTE170M, LIMITED
        return plain
    full = frame.color_range == FULL or frame.format.name.startswith("yuvj")
    plain = frame.reformat(format="yuv420p", dst_color_range=FULL if full else LIMITED)
    if frame.format.name == PACKED:
        # Only repacked: the clip is the same whatever decoded it.
        plain.color_range = frame.color_range
    return plain


def cropped(frame: Any, left: int, top: int, width: int, height: int) -> Any:
    """A part of a yuv420p frame as a frame of its own; all numbers are even."""
    import av

    if (width, height) == (frame.width, frame.height):
        return frame
    target = av.VideoFrame(width, height, "yuv420p")
    for name in COLOUR_TAGS:
        setattr(target, name, getattr(frame, name))
    for source, sink, part in zip(frame.planes, target.planes, (1, 2, 2), strict=True):
        rows = slice(top // part, (top + height) // part)
        columns = slice(left // part, (left + width) // part)
        plane_pixels(sink)[:] = plane_pixels(source)[rows, columns]
    return target


def plane_pixels(plane: Any) -> Plane:
    """A colour plane as an array `(H, W)` that shares its memory."""
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def _scaled(plane: Plane, width: int, height: int) -> Plane:
    import cv2

    if plane.shape == (height, width):
        return plane
    # Beyond one half, bilinear scaling leaves pixels out.
    fine = plane.shape[1] <= 2 * width
    method = cv2.INTER_LINEAR if fine else cv2.INTER_AREA
    return np.asarray(cv2.resize(plane, (width, height), interpolation=method), dtype=np.uint8)


def fit_picture(
    width: int, height: int, max_width: int, max_height: int, fitting: Fitting, lie: Lie = PLAIN
) -> Fit:
    """Fit a picture of `width` × `height` pixels as shown into at most `max_width` × `max_height`.

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
        lie=lie,
    )


def _even(length: float) -> int:
    return max(2, int(length / 2 + 1e-6) * 2)
