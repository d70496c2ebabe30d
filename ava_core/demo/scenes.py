"""Renders short street scenes from a fixed camera, with the truth about everybody in them.

The source runs at 25 frames a second on purpose: the platform has to bring it to 30.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from ava_core.demo.backdrop import Sensor, lamp_post, street
from ava_core.demo.behaviour import GAITS, generator
from ava_core.demo.figure import STRIDES_PER_HEIGHT, Look, Picture, Pose, draw_figure
from ava_core.demo.itinerary import Walker, height_at, plan_scene
from ava_core.demo.truth import SOURCE_BOXES, SceneTruth

SIZE: Final = (640, 360)
FPS: Final = 25
SECONDS: Final = 32.0
"""Two clips of 15 s, and a remainder that is too short to be kept."""

Box = tuple[int, int, int, int]
"""Left, top, right, bottom: the first row and column of pixels, and the first beyond."""

OPAQUE: Final = 128
"""Opacity from which a pixel counts as the figure's."""


def make_batch_zip(folder: Path, seed: int = 0, *, seconds: float = SECONDS) -> tuple[Path, SceneTruth]:
    """A zip as people send them: two scenes, one of them in a nested folder, and a broken file.

    Returns `folder/demo.zip` and the truth, whose `source` is the name inside the zip.
    """
    truth = render_scenes(folder / "scenes", seed, seconds=seconds)
    first, second = sorted((folder / "scenes").glob("*.mp4"))
    archive = folder / "demo.zip"
    nested = f"side_street/{second.name}"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        target.write(first, first.name)
        target.write(second, nested)
        # The index of an MP4 lies at its end: half a file cannot be opened.
        target.writestr("interrupted_upload.mp4", first.read_bytes()[: first.stat().st_size // 2])
    named = truth.boxes.with_columns(source=pl.col("source").replace(second.name, nested))
    return archive, SceneTruth(named, seed)


def render_scenes(
    folder: Path, seed: int = 0, scenes: int = 2, *, seconds: float = SECONDS, size: tuple[int, int] = SIZE
) -> SceneTruth:
    """Render `scene_1.mp4`, `scene_2.mp4`, … (H.264, 25 fps, `size` in pixels) into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for scene in range(1, scenes + 1):
        path = folder / f"scene_{scene}.mp4"
        rendering = _Rendering(seed, scene, seconds, size)
        _encode(path, rendering.frames(), size)
        rows += [{"source": path.name, **row} for row in rendering.rows]
    return SceneTruth(pl.DataFrame(rows, schema=dict(SOURCE_BOXES)), seed)


def _encode(path: Path, frames: Iterator[Picture], size: tuple[int, int]) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "23", "preset": "superfast"}
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


class _Rendering:
    """One scene; `rows` fills with the truth while `frames` runs."""

    def __init__(self, seed: int, scene: int, seconds: float, size: tuple[int, int]) -> None:
        self.width, self.height = size
        self.count = round(seconds * FPS)
        rng = generator(seed, "street", scene)
        self.walkers = plan_scene(seed, scene, seconds)
        self.looks = {w.number: Look.drawn(w.habits.clothing, w.look_seed) for w in self.walkers}
        self.street = street(self.width, self.height, rng)
        self.post = lamp_post(self.width, self.height)
        self.sensor = Sensor(self.width, self.height, scene, rng)
        self.rows: list[dict[str, Any]] = []

    def frames(self) -> Iterator[Picture]:
        """The pictures in order, BGR."""
        for number in range(self.count):
            yield self._frame(number, number / FPS)

    def _frame(self, number: int, time: float) -> Picture:
        picture = self.street.copy()
        owner = np.zeros((self.height, self.width), np.uint8)
        drawn: list[tuple[Walker, Box, int]] = []
        for walker, x, y in self._present(time):
            place = self._draw(picture, owner, walker, x, y, time)
            if place is not None:
                drawn.append((walker, *place))
        for part, colour in self.post:
            picture[part], owner[part] = colour, 0
        for walker, (x1, y1, x2, y2), area in drawn:
            seen = np.count_nonzero(owner[y1:y2, x1:x2] == walker.number)
            self.rows.append({
                "frame": number, "time_s": time, "walker_id": walker.number,
                "x1": float(x1), "y1": float(y1), "x2": float(x2), "y2": float(y2),
                "visible": seen / area, "words": sorted(walker.words_at(time)),
            })  # fmt: skip
        return self.sensor.expose(picture, time)

    def _present(self, time: float) -> list[tuple[Walker, float, float]]:
        """Who is on the way, the farthest first: nearer ones are painted over them."""
        there = [(walker, leg.at(time)) for walker in self.walkers if (leg := walker.leg_at(time))]
        return sorted(((walker, x, y) for walker, (x, y) in there), key=lambda item: item[2])

    def _draw(
        self, picture: Picture, owner: Picture, walker: Walker, x: float, y: float, time: float
    ) -> tuple[Box, int] | None:
        """Paint a walker; returns the box clipped to the picture, and how many pixels the whole figure has.

        `None` where nothing of the figure is in the picture.
        """
        scale = self.height / 360
        tall = height_at(y) * walker.size
        x, y = x * self.width / 640, y * scale
        if not -tall * scale < x < self.width + tall * scale:
            return None
        figure, opacity, foot_x, foot_y = draw_figure(
            tall * scale, self.looks[walker.number], _pose(walker, time)
        )
        _shadow(picture, x, y, tall * scale)
        solid = opacity >= OPAQUE
        overlap = _overlap(picture.shape, figure.shape, round(y) - foot_y, round(x) - foot_x)
        if overlap is None:
            return None
        into, part = overlap
        rows, columns = np.flatnonzero(solid[part].any(axis=1)), np.flatnonzero(solid[part].any(axis=0))
        if rows.size == 0:
            return None
        clear = 255 - opacity[part].astype(np.uint16)[..., None]
        picture[into] = figure[part] + (picture[into] * clear // 255).astype(np.uint8)
        owner[into][solid[part]] = walker.number
        top, left = into[0].start, into[1].start
        box = (left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1)
        return box, int(np.count_nonzero(solid))


def _pose(walker: Walker, time: float) -> Pose:
    leg = walker.leg_at(time)
    assert leg is not None
    direction = leg.x1 - leg.x0 or walker.legs[0].x1 - walker.legs[0].x0
    speed = GAITS.get(leg.gait, 0.0)
    swing = min(1.0, 0.35 + 0.45 * speed) if speed else 0.06
    phase = 2 * np.pi * STRIDES_PER_HEIGHT * speed * (time - leg.t0) * 0.6 + walker.number
    return Pose(phase, swing, 1 if direction > 0 else -1, walker.words_at(time))


def _shadow(picture: Picture, x: float, y: float, tall: float) -> None:
    """Darken the ground at the feet, soft at its edge."""
    half, flat = round(0.26 * tall), max(2, round(0.05 * tall))
    across = (np.arange(-half, half + 1, dtype=np.float32) / half) ** 2
    along = (np.arange(-flat, flat + 1, dtype=np.float32) / flat) ** 2
    light = 1 - 0.3 * np.clip(1 - along[:, None] - across[None, :], 0, 1)
    overlap = _overlap(picture.shape, light.shape, round(y) - flat, round(x) - half)
    if overlap is not None:
        into, part = overlap
        picture[into] = (picture[into] * light[part][..., None]).astype(np.uint8)


def _overlap(
    whole: tuple[int, ...], piece: tuple[int, ...], top: int, left: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Where a piece lies in the whole, and which part of the piece that is; `None` where it lies outside."""
    y0, y1 = max(0, top), min(whole[0], top + piece[0])
    x0, x1 = max(0, left), min(whole[1], left + piece[1])
    if y0 >= y1 or x0 >= x1:
        return None
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
