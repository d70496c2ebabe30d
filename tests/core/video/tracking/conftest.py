"""People who walk, as detections."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from ava_core.base.schemas import DETECTIONS


def walk(
    frames: list[int] | range,
    *,
    start: tuple[float, float] = (50, 100),
    speed: float = 3.0,
    score: float = 0.9,
) -> pl.DataFrame:
    """One person, 40 × 100 px, who walks `speed` px a frame to the right."""
    at = np.array(frames)
    x = start[0] + speed * at
    table = {
        "clip_id": ["c"] * len(at), "frame": at, "x1": x, "y1": np.full(len(at), start[1], float),
        "x2": x + 40, "y2": np.full(len(at), start[1] + 100.0), "score": np.full(len(at), score),
    }  # fmt: skip
    return pl.DataFrame(table, schema=dict(DETECTIONS))


@pytest.fixture(scope="session")
def walker() -> Callable[..., pl.DataFrame]:
    """`walk`."""
    return walk
