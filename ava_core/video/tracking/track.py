"""Tracks of one clip from its detections."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS, TRACKS, conform
from ava_core.video.tracking.offline import refine
from ava_core.video.tracking.parameters import TrackerParameters
from ava_core.video.tracking.sort import ArrayFilter, Filter, Sort

Backend = Literal["sort", "filterpy"]

STEADY_STEP_S = 0.05
"""Up to this time between two looks boxes overlap enough as they are."""


def track_detections(
    detections: pl.DataFrame,
    sampled: npt.NDArray[np.int64],
    *,
    parameters: TrackerParameters | None = None,
    backend: Backend = "sort",
) -> pl.DataFrame:
    """Track one clip.

    `detections`: `schemas.DETECTIONS` of the clip; `sampled`: the frames given to the detector, ascending. Returns
    `schemas.TRACKS`: a row per track and sampled frame in which the person was detected, or interpolated across a gap.
    Between two rows one step apart, a box moves linearly. A track has no rows for frames in which the person was not
    seen.

    >>> sampled = np.arange(0, 30, 3)
    >>> walker = pl.DataFrame({
    ...     "clip_id": "gate_000", "frame": sampled, "x1": 100.0 + sampled, "y1": 50.0, "x2": 140.0 + sampled,
    ...     "y2": 150.0, "score": 0.9,
    ... })
    >>> tracks = track_detections(walker, sampled)
    >>> tracks.height, set(tracks["track_id"]), set(tracks["interpolated"])
    (10, {1}, {False})
    """
    parameters = parameters or TrackerParameters()
    if detections.is_empty() or not len(sampled):
        return pl.DataFrame(schema=dict(TRACKS))
    step = int(np.median(np.diff(sampled))) if len(sampled) > 1 else 1
    hits, camera = _online(detections.sort("frame"), sampled, step, parameters, backend)
    # Seen by a camera that stands still people move evenly, so that pieces fit and gaps can be filled.
    tracks = _moved(refine(_moved(hits, camera, -1), step, parameters), camera, 1)
    tracks = _inside(tracks, detections)
    clip_id = detections["clip_id"][0]
    return conform(tracks.with_columns(clip_id=pl.lit(clip_id)), TRACKS, clip_id)


def _online(
    detections: pl.DataFrame,
    sampled: npt.NDArray[np.int64],
    step: int,
    parameters: TrackerParameters,
    backend: Backend,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The tracker's hits, and where the camera was at each look: `frame, right, down` in pixels."""
    step_s = step / CLIP_FPS
    tracker = Sort(
        _filters(backend, parameters.velocity_noise),
        max_age=max(1, round(parameters.max_age_s / step_s)),
        iou=parameters.iou,
        start_score=parameters.start_score,
        buffer=parameters.buffer * max(0.0, step_s - STEADY_STEP_S),
        follow_camera=True,
    )
    usable = detections.filter(pl.col("score") >= parameters.keep_score)
    frames = usable["frame"].to_numpy()
    table = usable.select(*BOX_COLUMNS, "score").to_numpy()
    bounds = np.searchsorted(frames, sampled), np.searchsorted(frames, sampled, side="right")
    ids = np.zeros(len(table), dtype=np.int64)
    camera = np.zeros((len(sampled), 2))
    for look, (start, end) in enumerate(zip(*bounds, strict=True)):
        ids[start:end] = tracker.step(table[start:end])
        camera[look] = tracker.camera
    hits = usable.with_columns(track_id=pl.Series(ids)).filter(pl.col("track_id") > 0).drop("clip_id")
    places = {"frame": sampled, "right": camera[:, 0], "down": camera[:, 1]}
    return hits, pl.DataFrame(places).cast({"frame": usable.schema["frame"]})


def _moved(boxes: pl.DataFrame, camera: pl.DataFrame, sign: int) -> pl.DataFrame:
    """The boxes moved with the camera (1), or back to where one that stood still would see them (-1)."""
    if camera.filter((pl.col("right") != 0) | (pl.col("down") != 0)).is_empty():
        return boxes
    ways = {"x1": "right", "x2": "right", "y1": "down", "y2": "down"}
    # What was filled may lie between two looks: the camera is where the last one saw it.
    at = boxes.sort("frame").join_asof(camera, on="frame").sort("track_id", "frame")
    return at.with_columns(pl.col(name) + sign * pl.col(way) for name, way in ways.items()).drop(
        "right", "down"
    )


def _inside(tracks: pl.DataFrame, detections: pl.DataFrame) -> pl.DataFrame:
    """Tracks no farther out than any detection, each of which lies in the picture; what was filled may not."""
    least, most = detections.select(BOX_COLUMNS).min().row(0), detections.select(BOX_COLUMNS).max().row(0)
    across, down = (least[0], most[2]), (least[1], most[3])
    limits = zip(BOX_COLUMNS, (across, down, across, down), strict=True)
    return tracks.with_columns(pl.col(name).clip(*limit) for name, limit in limits)


def _filters(backend: Backend, velocity_noise: float) -> Filter:
    if backend == "sort":
        return ArrayFilter(velocity_noise)
    from ava_core.video.tracking.filterpy_sort import FilterpyFilter

    return FilterpyFilter(velocity_noise)
