"""A walking figure as a small picture with a soft outline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]
"""Blue, green, red."""

SUPERSAMPLING: Final = 2
"""Drawn this many times larger, then shrunk: soft edges as a lens makes them."""

STRIDES_PER_HEIGHT: Final = 1.2
"""Full gait cycles per body height walked."""

_SKIN: Final[tuple[Colour, ...]] = ((150, 180, 225), (105, 140, 195), (70, 95, 140), (55, 70, 100))
_HAIR: Final[tuple[Colour, ...]] = ((25, 25, 30), (30, 50, 80), (70, 110, 150), (150, 155, 160))
_TOPS: Final[dict[str, tuple[Colour, ...]]] = {
    "business_attire": ((45, 38, 35), (70, 50, 40), (60, 60, 65)),
    "casual_wear": ((40, 40, 150), (150, 80, 35), (60, 110, 50), (30, 30, 30), (215, 215, 220)),
    "tourist_style": ((60, 190, 230), (200, 190, 60), (225, 225, 225)),
    "sports_wear": ((60, 230, 200), (60, 60, 230), (230, 130, 40)),
}
_LEGS: Final[dict[str, tuple[Colour, ...]]] = {
    "business_attire": ((45, 38, 35), (50, 48, 48)),
    "casual_wear": ((95, 60, 35), (50, 45, 40), (70, 95, 115)),
    "tourist_style": ((120, 160, 185), (85, 60, 40)),
    "sports_wear": ((35, 35, 35), (60, 50, 45)),
}


@dataclass(frozen=True)
class Look:
    """Colours of one walker."""

    skin: Colour
    hair: Colour
    top: Colour
    legs: Colour
    coat: bool
    shorts: bool

    @classmethod
    def drawn(cls, clothing: str, seed: int) -> Look:
        """A look that goes with the clothing."""
        rng = np.random.default_rng(seed)

        def pick(colours: tuple[Colour, ...]) -> Colour:
            return colours[int(rng.integers(len(colours)))]

        return cls(
            pick(_SKIN), pick(_HAIR), pick(_TOPS[clothing]), pick(_LEGS[clothing]),
            coat=clothing == "business_attire" and bool(rng.random() < 0.6),
            shorts=clothing == "sports_wear",
        )  # fmt: skip


@dataclass(frozen=True)
class Pose:
    """How the figure stands at one moment.

    `phase` is the place in the gait cycle in radians; `swing` the reach of the stride, 0 standing to 1 running;
    `facing` 1 right, -1 left; `words` what the walker does, of which arms, head and bags take note.
    """

    phase: float
    swing: float
    facing: int
    words: frozenset[str]


def draw_figure(height: float, look: Look, pose: Pose) -> tuple[Picture, Picture, int, int]:
    """The figure, about `height` pixels high.

    Returns the picture `(H, W, 3)` BGR, already weighted by its opacity; the opacity `(H, W)` 0–255; and
    the column and row of the ground point between the feet.
    """
    import cv2

    canvas = _Canvas(height * SUPERSAMPLING, look, pose)
    canvas.draw()
    size = (canvas.picture.shape[1] // SUPERSAMPLING, canvas.picture.shape[0] // SUPERSAMPLING)
    small = cv2.resize(canvas.picture, size, interpolation=cv2.INTER_AREA)
    ground = canvas.ground[0] // SUPERSAMPLING, canvas.ground[1] // SUPERSAMPLING
    return small[..., :3], small[..., 3], *ground


class _Canvas:
    """Draws in units of the body's height: x forward, y up from the ground."""

    def __init__(self, unit: float, look: Look, pose: Pose) -> None:
        self.unit, self.look, self.pose = unit, look, pose
        width, tall = 2 * round(0.42 * unit), 2 * round(0.56 * unit)
        # Blue, green, red, opacity; what is not drawn stays black and clear.
        self.picture: Any = np.zeros((tall, width, 4), np.uint8)
        self.ground = (width // 2, tall - round(0.06 * unit))
        self.bob = 0.012 * pose.swing * float(np.cos(2 * pose.phase))

    def draw(self) -> None:
        """Far limbs first, near ones last."""
        swing, words = self.pose.swing, self.pose.words
        dim = 0.75
        self._leg(self.pose.phase + np.pi, dim)
        self._arm(-swing * float(np.sin(self.pose.phase + np.pi)), dim, busy=False)
        if "backpack" in words:
            self._ellipse((-0.12, 0.72), (0.075, 0.12), (40, 60, 70))
        self._leg(self.pose.phase, 1.0)
        self._trunk()
        self._head()
        self._arm(-swing * float(np.sin(self.pose.phase)), 1.0, busy=True)

    def _leg(self, phase: float, light: float) -> None:
        swing = self.pose.swing
        thigh = 0.55 * swing * float(np.sin(phase))
        knee = swing * (0.25 + 0.75 * max(0.0, float(np.cos(phase))))
        hip = (0.0, 0.50 + self.bob)
        joint = _from(hip, thigh, 0.25)
        ankle = _from(joint, thigh - knee, 0.22)
        ankle = (ankle[0], max(0.02, ankle[1]))
        lower = self.look.skin if self.look.shorts else self.look.legs
        self._limb(hip, joint, 0.105, _lit(self.look.legs, light))
        self._limb(joint, ankle, 0.075, _lit(lower, light))
        self._limb(ankle, (ankle[0] + 0.07, max(0.015, ankle[1] - 0.01)), 0.05, _lit((35, 35, 40), light))

    def _arm(self, swing: float, light: float, *, busy: bool) -> None:
        words = self.pose.words
        shoulder = (0.0, 0.80 + self.bob)
        upper, bend = 0.6 * swing, 0.25
        if busy and "talking_phone" in words:
            upper, bend = 0.5, 2.35
        elif busy and "texting" in words:
            upper, bend = 0.35, 1.35
        elif "jogging" in words:
            bend = 1.4
        elbow = _from(shoulder, upper, 0.17)
        hand = _from(elbow, upper + bend, 0.16)
        self._limb(shoulder, elbow, 0.065, _lit(self.look.top, 0.88 * light))
        self._limb(
            elbow, hand, 0.055, _lit(self.look.skin if self.look.shorts else self.look.top, 0.88 * light)
        )
        self._ellipse(hand, (0.028, 0.03), _lit(self.look.skin, light))
        if busy and "shopping_bags" in words and not words & {"talking_phone", "texting"}:
            self._box((hand[0] - 0.07, hand[1] - 0.19), (hand[0] + 0.07, hand[1] - 0.03), (215, 215, 235))
        elif not busy and "briefcase_bag" in words:
            self._box((hand[0] - 0.09, hand[1] - 0.14), (hand[0] + 0.09, hand[1] - 0.03), (30, 45, 75))

    def _trunk(self) -> None:
        hem = 0.36 if self.look.coat else 0.47
        flare = 0.11 if self.look.coat else 0.085
        corners = [(-0.085, 0.83), (0.08, 0.83), (0.10, 0.70), (flare, hem), (-flare, hem), (-0.10, 0.70)]
        self._polygon(corners, self.look.top)
        self._polygon(
            [(-0.085, 0.83), (-0.02, 0.83), (-0.035, hem), (-flare, hem)], _lit(self.look.top, 0.82)
        )
        self._limb((0.0, 0.83), (0.01, 0.88), 0.055, self.look.skin)

    def _head(self) -> None:
        down = "texting" in self.pose.words
        x, y = (0.035, 0.915) if down else (0.015, 0.93)
        self._ellipse((x, y), (0.058, 0.07), self.look.skin)
        self._ellipse((x - 0.018, y + 0.02), (0.052, 0.055), self.look.hair)

    def _point(self, at: tuple[float, float]) -> tuple[int, int]:
        x = self.ground[0] + self.pose.facing * at[0] * self.unit
        return round(x), round(self.ground[1] - (at[1] + self.bob) * self.unit)

    def _limb(self, a: tuple[float, float], b: tuple[float, float], width: float, colour: Colour) -> None:
        import cv2

        thick = max(1, round(width * self.unit))
        cv2.line(self.picture, self._point(a), self._point(b), (*colour, 255), thick)

    def _ellipse(self, at: tuple[float, float], radii: tuple[float, float], colour: Colour) -> None:
        import cv2

        axes = (max(1, round(radii[0] * self.unit)), max(1, round(radii[1] * self.unit)))
        cv2.ellipse(self.picture, self._point(at), axes, 0, 0, 360, (*colour, 255), -1)

    def _polygon(self, corners: list[tuple[float, float]], colour: Colour) -> None:
        import cv2

        points = np.array([self._point((x, y + self.bob)) for x, y in corners], np.int32)
        cv2.fillConvexPoly(self.picture, points, (*colour, 255))

    def _box(self, low: tuple[float, float], high: tuple[float, float], colour: Colour) -> None:
        self._polygon([low, (high[0], low[1]), high, (low[0], high[1])], colour)


def _from(joint: tuple[float, float], angle: float, length: float) -> tuple[float, float]:
    """The end of a bone that hangs from `joint`, turned forward by `angle`."""
    return joint[0] + length * float(np.sin(angle)), joint[1] - length * float(np.cos(angle))


def _lit(colour: Colour, light: float) -> Colour:
    return int(colour[0] * light), int(colour[1] * light), int(colour[2] * light)
