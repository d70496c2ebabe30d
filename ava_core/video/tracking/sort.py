"""Kalman SORT on arrays: predict, associate, update, spawn, drop; all tracks at once.

With the second stage, the buffer and added velocity noise off it gives the ids and boxes of SORT (Bewley et al.,
2016) as the filterpy back end computes them.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from ava_core.video.tracking import kalman
from ava_core.video.tracking.camera import common_shift
from ava_core.video.tracking.iou import grown, pairwise_iou

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Filter(Protocol):
    """Motion filters of all live tracks, in the order in which they began."""

    def predict(self) -> Array:
        """Go one step ahead; the predicted boxes `(N, 4)`."""
        ...

    def update(self, rows: Ints, boxes: Array) -> None:
        """Correct the tracks in `rows` by their boxes, the first four columns."""
        ...

    def spawn(self, boxes: Array) -> None:
        """Begin a track at each box."""
        ...

    def drop(self, keep: npt.NDArray[np.bool_]) -> None:
        """Forget the tracks that are not kept."""
        ...

    def shift(self, by: Array) -> None:
        """Put all tracks elsewhere, `(2,)` pixels: the camera moved, not they."""
        ...


class ArrayFilter:
    """All Kalman filters in one table of states. `velocity_noise` as in `kalman.predict`."""

    def __init__(self, velocity_noise: float = 1.0) -> None:
        self._velocity_noise = velocity_noise
        self.states = kalman.new_states(np.empty((0, 4)))

    def predict(self) -> Array:
        """See `Filter`."""
        kalman.predict(self.states, self._velocity_noise)
        return kalman.to_boxes(self.states[kalman.VALUE])

    def update(self, rows: Ints, boxes: Array) -> None:
        """See `Filter`."""
        kalman.update(self.states, rows, boxes)

    def spawn(self, boxes: Array) -> None:
        """See `Filter`."""
        self.states = np.concatenate([self.states, kalman.new_states(boxes)], axis=1)

    def drop(self, keep: npt.NDArray[np.bool_]) -> None:
        """See `Filter`."""
        self.states = self.states[:, keep]

    def shift(self, by: Array) -> None:
        """See `Filter`."""
        self.states[kalman.VALUE, :, :2] += by


class Sort:
    """The online tracker. One instance tracks one clip; ids count from 1 within it.

    Parameters: `max_age` steps that a track waits for a detection; `iou` least overlap; `start_score`
    least score of a first-stage detection and of one that starts a track; `buffer` share by which boxes grow
    for the overlap; `follow_camera`: take what moves everybody alike for the camera's motion. Detections below
    `start_score` are offered to tracks that the first stage left alone.
    """

    def __init__(
        self,
        filters: Filter,
        *,
        max_age: int,
        iou: float = 0.3,
        start_score: float = 0.0,
        buffer: float = 0.0,
        follow_camera: bool = False,
    ) -> None:
        self._filters = filters
        self._max_age, self._iou = max_age, iou
        self._start_score, self._buffer = start_score, buffer
        self._follow_camera = follow_camera
        self.camera = np.zeros(2)
        """How far the camera has moved the picture since the first look, x and y in pixels."""
        self._ids = np.empty(0, dtype=np.int64)
        self._misses = np.empty(0, dtype=np.int64)
        self._next_id = 1

    def step(self, detections: Array) -> Ints:
        """Take the detections of the next look, `(N, 5)` `x1, y1, x2, y2, score`; the track id of each, 0 = none."""
        predicted = self._filters.predict()
        if self._follow_camera:
            predicted = self._shifted(predicted, detections)
        found = np.zeros(len(detections), dtype=np.int64)
        self._misses += 1
        strong = detections[:, 4] >= self._start_score
        for stage in (strong, ~strong):
            if stage.any():
                self._match(np.flatnonzero(stage), predicted, detections, found)
        self._spawn(np.flatnonzero(strong & (found == 0)), detections, found)
        alive = self._misses <= self._max_age
        if not alive.all():
            self._filters.drop(alive)
            self._ids, self._misses = self._ids[alive], self._misses[alive]
        return found

    def _shifted(self, predicted: Array, detections: Array) -> Array:
        """The predicted boxes where the camera's motion puts them; judged by people who were just seen."""
        strong = detections[detections[:, 4] >= self._start_score]
        by = common_shift(predicted[self._misses == 0], strong)
        if not by.any():
            return predicted
        self._filters.shift(by)
        self.camera = self.camera + by
        return predicted + np.tile(by, 2)

    def _match(self, stage: Ints, predicted: Array, detections: Array, found: Ints) -> None:
        """Give the detections of a stage to the tracks that are still without one."""
        free = np.flatnonzero(self._misses > 0)
        if not len(free):
            return
        rows, columns = self._associate(predicted.take(free, axis=0), detections.take(stage, axis=0))
        if len(rows):
            rows, columns = free.take(rows), stage.take(columns)
            self._filters.update(rows, detections.take(columns, axis=0))
            found[columns] = self._ids.take(rows)
            self._misses[rows] = 0

    def _associate(self, predicted: Array, detections: Array) -> tuple[Ints, Ints]:
        """Pairs of rows (tracks) and columns (detections): the assignment of most overlap, gated before it."""
        from scipy.optimize import linear_sum_assignment

        if self._buffer:
            predicted, detections = grown(predicted, self._buffer), grown(detections, self._buffer)
        overlap = pairwise_iou(predicted, detections)
        # Pairs below the gate count nothing: they can't push a good pair aside.
        rows, columns = linear_sum_assignment(np.where(overlap >= self._iou, overlap, 0.0), maximize=True)
        good = overlap[rows, columns] >= self._iou
        return rows[good], columns[good]

    def _spawn(self, new: Ints, detections: Array, found: Ints) -> None:
        if not len(new):
            return
        ids = np.arange(self._next_id, self._next_id + len(new))
        self._next_id += len(new)
        found[new] = ids
        self._filters.spawn(detections[new, :4])
        self._ids = np.concatenate([self._ids, ids])
        self._misses = np.concatenate([self._misses, np.zeros(len(new), dtype=np.int64)])
