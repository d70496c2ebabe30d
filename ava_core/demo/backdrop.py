"""The street that the fixed camera looks at: houses, pavements, a road; and what stands before the walkers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ava_core.demo.figure import Colour, Picture

NOISE: Final = 5
"""Largest deviation of the sensor's noise, in grey levels."""


def street(width: int, height: int, rng: np.random.Generator) -> Picture:
    """The empty street, `(height, width, 3)` BGR; drawn for 640 × 360 and scaled."""
    import cv2

    picture: Any = np.zeros((360, 640, 3), np.float32)
    picture[:] = (118, 122, 128)
    _houses(picture, rng)
    picture[182:212] = (128, 132, 134)
    picture[212:216] = (95, 98, 100)
    picture[216:296] = (88, 88, 90)
    picture[296:300] = (105, 108, 110)
    picture[300:] = (138, 140, 142)
    _paving(picture, rng)
    for x in range(250, 390, 28):  # a zebra crossing
        corners = np.array([[x, 218], [x + 14, 218], [x + 22, 294], [x + 6, 294]], np.int32)
        cv2.fillConvexPoly(picture, corners, (165, 168, 170))
    # Texture on three scales: grain, stains, the fall of light.
    for size, strength in ((1, 4.0), (6, 4.0), (60, 7.0)):
        grain = rng.normal(0, 1, (360 // size + 2, 640 // size + 2)).astype(np.float32)
        picture += strength * cv2.resize(grain, (640, 360), interpolation=cv2.INTER_CUBIC)[..., None]
    picture *= np.linspace(1.02, 1.2, 640, dtype=np.float32)[None, :, None]
    scaled = cv2.resize(picture.clip(0, 255), (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(scaled, (3, 3), 0), dtype=np.uint8)


def _houses(picture: Any, rng: np.random.Generator) -> None:
    import cv2

    left = 0
    while left < 640:
        width = int(rng.integers(110, 170))
        wall = rng.uniform(85, 150) * rng.uniform(0.9, 1.1, 3)
        picture[:182, left : left + width] = wall
        picture[0:182:9, left : left + width] -= 6
        for x in range(left + 14, left + width - 30, 38):
            cv2.rectangle(picture, (x, 18), (x + 20, 62), (75, 68, 60), -1)
            cv2.rectangle(picture, (x, 18), (x + 20, 62), tuple(wall * 1.15), 2)
        shop = (float(rng.uniform(90, 150)), float(rng.uniform(90, 150)), float(rng.uniform(110, 170)))
        cv2.rectangle(picture, (left + 8, 96), (left + width - 34, 172), (92, 88, 82), -1)
        cv2.rectangle(picture, (left + 8, 80), (left + width - 34, 95), shop, -1)
        cv2.rectangle(picture, (left + width - 28, 100), (left + width - 8, 181), (60, 58, 62), -1)
        left += width


def _paving(picture: Any, rng: np.random.Generator) -> None:
    for y in (190, 200, 316, 336):
        picture[y : y + 1] -= 12
    for x in range(0, 640, 32):
        picture[182:212, x : x + 1] -= 8
        picture[300:, (x * 5 // 4) % 640 : (x * 5 // 4) % 640 + 1] -= 9


def lamp_post(width: int, height: int) -> list[tuple[tuple[slice, slice], Colour]]:
    """What stands before all walkers: rectangles of the picture, rows and columns, with their colours."""
    sx, sy = width / 640, height / 360
    parts: tuple[tuple[int, int, int, int, Colour], ...] = (
        (150, 0, 157, 352, (62, 66, 62)),
        (146, 330, 161, 356, (50, 54, 50)),
    )
    return [
        ((slice(round(y0 * sy), round(y1 * sy)), slice(round(x0 * sx), round(x1 * sx))), colour)
        for x0, y0, x1, y1, colour in parts
    ]


class Sensor:
    """Light that wavers, noise of the camera's chip, and the clock burnt into the picture."""

    def __init__(self, width: int, height: int, camera: int, rng: np.random.Generator) -> None:
        self._rng = rng
        field = rng.normal(NOISE, 2.0, (height + 64, width + 64, 3))
        self._noise = field.clip(0, 2 * NOISE).astype(np.uint8)
        self._middle = np.full((height, width, 3), NOISE, np.uint8)
        self._camera = camera

    def expose(self, picture: Picture, time: float) -> Picture:
        """The picture as the camera hands it over at `time` seconds."""
        import cv2

        light = 1.0 + 0.02 * float(np.sin(time / 9.0)) + 0.003 * float(self._rng.normal())
        shown = cv2.GaussianBlur(cv2.convertScaleAbs(picture, alpha=light, beta=0), (3, 3), 0)
        top, left = (int(n) for n in self._rng.integers(0, 64, 2))
        height, width = self._middle.shape[:2]
        noise = self._noise[top : top + height, left : left + width]
        shown = cv2.subtract(cv2.add(shown, noise), self._middle)
        clock = f"CAM {self._camera:02d}  08:{15 + int(time) // 60:02d}:{int(time) % 60:02d}"
        cv2.putText(shown, clock, (8, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (235, 235, 235), 1, cv2.LINE_AA)
        return np.asarray(shown, dtype=np.uint8)
