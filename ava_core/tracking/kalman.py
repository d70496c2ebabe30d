"""SORT's Kalman filter (Bewley et al., 2016) on arrays: one matrix of states for all tracks.

State `(u, v, s, r, u', v', s')`: centre x and y in pixels, area in square pixels, aspect ratio width/height
(constant), and the velocities of the first three per step. Measurement `(u, v, s, r)`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

SIZE: Final = 7
MEASURED: Final = 4

_F: Final[Array] = np.eye(SIZE) + np.eye(SIZE, k=4)
"""Transition of one step."""
_Q: Final[Array] = np.diag([1.0, 1.0, 1.0, 1.0, 0.01, 0.01, 0.0001])
_R: Final[Array] = np.diag([1.0, 1.0, 10.0, 10.0])
_P0: Final[Array] = np.diag([10.0, 10.0, 10.0, 10.0, 1e4, 1e4, 1e4])


def to_measurement(boxes: Array) -> Array:
    """`(N, 4)` boxes `x1, y1, x2, y2` to `(N, 4)` measurements."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    return np.column_stack(
        [boxes[:, 0] + width / 2, boxes[:, 1] + height / 2, width * height, width / height]
    )


def to_boxes(states: Array) -> Array:
    """`(N, 7)` states to `(N, 4)` boxes `x1, y1, x2, y2`."""
    width = np.sqrt(np.maximum(states[:, 2] * states[:, 3], 0.0))
    height = np.divide(states[:, 2], width, out=np.zeros_like(width), where=width > 0)
    return np.column_stack([
        states[:, 0] - width / 2, states[:, 1] - height / 2, states[:, 0] + width / 2, states[:, 1] + height / 2,
    ])  # fmt: skip


def new_states(boxes: Array) -> tuple[Array, Array]:
    """States `(N, 7)` and covariances `(N, 7, 7)` of tracks that begin at `boxes`."""
    states = np.zeros((len(boxes), SIZE))
    states[:, :MEASURED] = to_measurement(boxes)
    return states, np.repeat(_P0[None], len(boxes), axis=0)


def predict(states: Array, covariances: Array) -> tuple[Array, Array]:
    """One step ahead. An area that would become negative stops shrinking, as in SORT."""
    states = states.copy()
    states[states[:, 2] + states[:, 6] <= 0, 6] = 0.0
    return states @ _F.T, _F @ covariances @ _F.T + _Q


def update(states: Array, covariances: Array, boxes: Array) -> tuple[Array, Array]:
    """Correct each state by its box; Joseph form, which keeps covariances symmetric and positive."""
    innovation = to_measurement(boxes) - states[:, :MEASURED]
    projected = covariances[:, :MEASURED, :MEASURED] + _R
    gain = covariances[:, :, :MEASURED] @ np.linalg.inv(projected)
    states = states + np.einsum("nij,nj->ni", gain, innovation)
    keep = np.eye(SIZE) - np.concatenate([gain, np.zeros((len(gain), SIZE, SIZE - MEASURED))], axis=2)
    turned = np.swapaxes(keep, 1, 2)
    covariances = keep @ covariances @ turned + gain @ _R @ np.swapaxes(gain, 1, 2)
    return states, covariances
