"""SORT's filters as filterpy objects, one a track: slower, selectable, and the oracle of the arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ava_core.video.tracking import kalman

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class FilterpyFilter:
    """See `sort.Filter`; `velocity_noise` as in `kalman.predict`."""

    def __init__(self, velocity_noise: float = 1.0) -> None:
        self._velocity_noise = velocity_noise
        self._filters: list[Any] = []

    def predict(self) -> Array:
        """See `sort.Filter`."""
        for one in self._filters:
            if one.x[2, 0] + one.x[6, 0] <= 0:
                one.x[6, 0] = 0.0
            one.predict()
        return self.boxes()

    def boxes(self) -> Array:
        """The tracks' boxes now, `(N, 4)`."""
        states = np.array([one.x[:, 0] for one in self._filters]).reshape(-1, 7)
        return kalman.to_boxes(states[:, :4])

    def update(self, rows: Ints, boxes: Array) -> None:
        """See `sort.Filter`."""
        for row, measured in zip(rows, kalman.to_measurement(boxes), strict=True):
            self._filters[row].update(measured[:, None])

    def spawn(self, boxes: Array) -> None:
        """See `sort.Filter`."""
        for measured in kalman.to_measurement(boxes):
            self._filters.append(_new_filter(measured, self._velocity_noise))

    def drop(self, keep: npt.NDArray[np.bool_]) -> None:
        """See `sort.Filter`."""
        self._filters = [one for one, kept in zip(self._filters, keep, strict=True) if kept]

    def shift(self, by: Array) -> None:
        """See `sort.Filter`."""
        for one in self._filters:
            one.x[:2, 0] += by


def _new_filter(measured: Array, velocity_noise: float) -> Any:
    from filterpy.kalman import KalmanFilter

    one = KalmanFilter(dim_x=7, dim_z=kalman.MEASURED)
    one.F = np.eye(7) + np.eye(7, k=4)
    one.H = np.eye(4, 7)
    one.R[2:, 2:] *= 10.0
    one.P[4:, 4:] *= 1000.0
    one.P *= 10.0
    one.Q[-1, -1] *= 0.01
    one.Q[4:, 4:] *= 0.01 * velocity_noise
    one.x[:4] = measured[:, None]
    return one
