"""Who walks where and when in a rendered scene."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from ava_core.demo.behaviour import GAITS, HOURS, Habits, draw_habits, generator

NEAR, FAR = (312.0, 338.0), (192.0, 206.0)
"""Feet of walkers on the near and on the far pavement: y in pixels of a picture 360 high."""

ROAD: Final = (214.0, 292.0)
"""The road between the pavements, y in pixels."""

WIDTH: Final = 640.0


@dataclass(frozen=True)
class Leg:
    """A straight piece of a way: from `(x0, y0)` at `t0` to `(x1, y1)` at `t1`; pixels of the feet, seconds."""

    t0: float
    t1: float
    x0: float
    y0: float
    x1: float
    y1: float
    gait: str

    def at(self, time: float) -> tuple[float, float]:
        """Where the feet are."""
        share = (time - self.t0) / (self.t1 - self.t0)
        return self.x0 + (self.x1 - self.x0) * share, self.y0 + (self.y1 - self.y0) * share


@dataclass(frozen=True)
class Walker:
    """One person of a scene: number from 1, a way of several legs, habits, body size and colours' seed."""

    number: int
    legs: tuple[Leg, ...]
    habits: Habits
    size: float
    look_seed: int

    def leg_at(self, time: float) -> Leg | None:
        """The leg the walker is on; `None` before the first and after the last."""
        return next((leg for leg in self.legs if leg.t0 <= time < leg.t1), None)

    def words_at(self, time: float) -> frozenset[str]:
        """What the walker does then; empty outside the way."""
        leg = self.leg_at(time)
        if leg is None:
            return frozenset()
        _, y = leg.at(time)
        place = "crossing_street" if ROAD[0] <= y <= ROAD[1] else "sidewalk_walking"
        if leg.gait == "standing_still":
            place = "waiting_signal"
        elif leg.gait == "window_shopping":
            place = "looking_around"
        return self.habits.words(int(time - self.legs[0].t0), leg.gait, place)


def height_at(y: float) -> float:
    """Height in pixels of a person of usual size whose feet are at `y`: perspective of a fixed camera."""
    return 76.0 + (y - FAR[0]) * 0.40


def plan_scene(seed: int, scene: int, seconds: float) -> list[Walker]:
    """Walkers of one scene: some cross, some stop, two go together, some meet; about one every three seconds."""
    rng = generator(seed, "scene", scene)
    hour = HOURS[(seed + scene) % len(HOURS)]
    kinds = [
        "along",
        "across",
        "window",
        "along",
        "pair",
        "waits",
        "along",
        "jogs",
        "across",
        "along",
        "along",
    ]
    walkers: list[Walker] = []
    starts = np.linspace(-3.0, max(1.0, seconds - 5.0), len(kinds)) + rng.uniform(-0.6, 0.6, len(kinds))
    for place, (kind, start) in enumerate(zip(kinds, starts, strict=True)):
        direction = 1 if (place + scene) % 2 else -1
        ways = _ways(kind, float(start), direction, rng)
        for way in ways:
            company = "alone" if len(ways) == 1 else str(rng.choice(["group_walking", "talking_companion"]))
            watched = int(way[-1].t1 - way[0].t0)
            habits = draw_habits(rng, hour, way[0].gait, watched, company)
            size = float(rng.uniform(0.93, 1.08))
            walkers.append(Walker(len(walkers) + 1, way, habits, size, int(rng.integers(2**31))))
    return walkers


def _ways(kind: str, start: float, direction: int, rng: np.random.Generator) -> list[tuple[Leg, ...]]:
    near = rng.random() < 0.5
    y = float(rng.uniform(*(NEAR if near else FAR)))
    gait = str(rng.choice(["slow_walk", "normal_walk", "normal_walk", "fast_walk"]))
    begin, end = (-40.0, WIDTH + 40.0) if direction > 0 else (WIDTH + 40.0, -40.0)
    if kind == "along":
        return [_path(start, gait, [(begin, y), (end, y)])]
    if kind == "jogs":
        return [_path(start, "jogging", [(begin, FAR[1]), (end, FAR[1])])]
    if kind == "pair":
        y = float(rng.uniform(*NEAR))
        gap = 0.55 * height_at(y)
        return [
            _path(start, "normal_walk", [(begin, y - 4.0), (end, y - 4.0)]),
            _path(start, "normal_walk", [(begin - direction * gap, y + 4.0), (end, y + 4.0)]),
        ]
    if kind == "across":
        x = float(rng.uniform(0.3, 0.6)) * WIDTH
        far, close = float(np.mean(FAR)), float(np.mean(NEAR))
        points = [(begin, far), (x, far), (x + 60.0 * direction, close), (end, close)]
        return [_path(start, gait, points)]
    x = float(rng.uniform(0.35, 0.65)) * WIDTH
    pause = float(rng.uniform(4.0, 6.0))
    if kind == "window":
        y = FAR[0]
        return [_path(start, "normal_walk", [(begin, y), (x, y), (end, y)], (1, pause, "window_shopping"))]
    # kind "waits": at the kerb
    y = NEAR[0] - 4.0
    return [_path(start, "normal_walk", [(begin, y), (x, y), (end, y)], (1, pause, "standing_still"))]


def _path(
    start: float, gait: str, points: list[tuple[float, float]], stop: tuple[int, float, str] | None = None
) -> tuple[Leg, ...]:
    """Legs through `points` at a gait; `stop` is `(index of the point, seconds, what is done there)`."""
    legs: list[Leg] = []
    time = start
    for index, ((x0, y0), (x1, y1)) in enumerate(pairwise(points)):
        if stop is not None and stop[0] == index:
            legs.append(Leg(time, time + stop[1], x0, y0, x0, y0, stop[2]))
            time += stop[1]
        # Depth is foreshortened: a pixel up the picture is about two and a half of a pixel along it.
        distance = float(np.hypot(x1 - x0, 2.5 * (y1 - y0)))
        length = distance / (GAITS[gait] * height_at((y0 + y1) / 2))
        legs.append(Leg(time, time + length, x0, y0, x1, y1, gait))
        time += length
    return tuple(legs)
