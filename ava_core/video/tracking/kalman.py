"""SORT's Kalman filter (Bewley et al., 2016) on arrays: all tracks at once.

State `(u, v, s, r, u', v', s')`: centre x and y in pixels, area in square pixels, aspect ratio width/height
(constant), and the velocities of the first three per step. Measurement `(u, v, s, r)`.

SORT's matrices mix no two coordinates: each is a filter of its own of a value and its velocity, whose covariance is
three numbers. So all that a filter of 7 × 7 matrices does is done here element by element, with the same result.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

MEASURED: Final = 4
MEASUREMENT_NOISE: Final[Array] = np.array([1.0, 1.0, 10.0, 10.0])
VALUE_NOISE: Final = 1.0
"""Variance that a step adds to each value …"""
VELOCITY_NOISE: Final[Array] = np.array([0.01, 0.01, 0.0001, 0.0])
"""… and to each velocity; the aspect ratio has none."""
FIRST_VALUE: Final = 10.0
FIRST_VELOCITY: Final[Array] = np.array([1e4, 1e4, 1e4, 0.0])
"""Variances of a new track."""


VALUE, VELOCITY, VALUE_VARIANCE, COVARIANCE, VELOCITY_VARIANCE = range(5)
"""Rows of a table of states `(5, N, 4)`: one row of four coordinates for each of `N` tracks."""


def new_states(boxes: Array) -> Array:
    """Tracks that begin at `boxes` `(N, 4)`."""
    states = np.zeros((5, len(boxes), MEASURED))
    states[VALUE] = to_measurement(boxes)
    states[VALUE_VARIANCE] = FIRST_VALUE
    states[VELOCITY_VARIANCE] = FIRST_VELOCITY
    return states


def predict(states: Array, velocity_noise: float = 1.0) -> None:
    """Go one step ahead, in place; `velocity_noise` multiplies SORT's noise of velocities.

    An area that would become negative stops shrinking, as in SORT.
    """
    value, velocity, own, shared, moving = states
    velocity[value[:, 2] + velocity[:, 2] <= 0, 2] = 0.0
    value += velocity
    own += shared
    shared += moving
    own += shared
    own += VALUE_NOISE
    moving += VELOCITY_NOISE * velocity_noise


def update(states: Array, rows: npt.NDArray[np.int64], boxes: Array) -> None:
    """Correct the tracks in `rows` by their boxes, in place."""
    # `take` copies rows several times faster than an index does.
    value, velocity, own, shared, moving = chosen = states.take(rows, axis=1)
    total = own + MEASUREMENT_NOISE
    innovation = to_measurement(boxes) - value
    innovation /= total
    value += own * innovation
    velocity += shared * innovation
    moving -= shared * shared / total
    # What (1 - gain) leaves of a variance, spelled so that nothing cancels out.
    rest = MEASUREMENT_NOISE / total
    own *= rest
    shared *= rest
    states[:, rows] = chosen


def to_measurement(boxes: Array) -> Array:
    """`(N, 4)` boxes `x1, y1, x2, y2` to `(N, 4)` measurements."""
    measured = np.empty((len(boxes), MEASURED))
    size = boxes[:, 2:4] - boxes[:, :2]
    measured[:, :2] = boxes[:, :2] + size / 2
    measured[:, 2] = size[:, 0] * size[:, 1]
    measured[:, 3] = size[:, 0] / size[:, 1]
    return measured


def to_boxes(values: Array) -> Array:
    """`(N, 4)` values to `(N, 4)` boxes `x1, y1, x2, y2`."""
    u, v, area, ratio = values.T
    width = np.sqrt(np.maximum(area * ratio, 0.0))
    height = area / np.where(width > 0, width, np.inf)
    width, height = width / 2, height / 2
    return np.array([u - width, v - height, u + width, v + height]).T
