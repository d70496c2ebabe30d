"""Trackers that this project's is measured beside."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby

import numpy as np
import polars as pl

from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS
from ava_core.video.proposals.keyframes import boxes_at
from ava_core.video.tracking.filterpy_sort import FilterpyFilter
from ava_core.video.tracking.iou import pairwise_iou
from ava_core.video.tracking.parameters import TrackerParameters
from ava_core.video.tracking.sort import ArrayFilter, Sort
from ava_core.video.tracking.track import track_detections

Tracker = Callable[[pl.DataFrame, np.ndarray], pl.DataFrame]
"""Detections and the frames looked at → `frame, track_id, x1, y1, x2, y2`."""


def ours(step_s: float, fps: int = CLIP_FPS, default: TrackerParameters | None = None) -> Tracker:
    """This project's tracker. Frames of another rate than 30 count as such: its seconds are scaled."""
    seconds = ("max_age_s", "fill_gap_s", "stitch_gap_s", "min_track_s", "confident_s")
    default = default or TrackerParameters()
    parameters = replace(default, **{name: getattr(default, name) * fps / CLIP_FPS for name in seconds})

    def run(detections: pl.DataFrame, sampled: np.ndarray) -> pl.DataFrame:
        tracks = track_detections(detections, sampled, parameters=parameters)
        wanted = pl.DataFrame({"clip_id": "c", "frame": np.arange(sampled[-1] + 1)})
        return boxes_at(tracks, wanted)

    return run


def published_sort(max_age: float | None, min_hits: int, threshold: float) -> Callable[..., Tracker]:
    """SORT as published (Bewley et al., 2016) on filterpy; `max_age` in steps, `None` = one second."""

    def make(step_s: float, fps: int = CLIP_FPS) -> Tracker:
        age = max(1, round(1 / step_s)) if max_age is None else int(max_age)

        def run(detections: pl.DataFrame, sampled: np.ndarray) -> pl.DataFrame:
            strong = detections.filter(pl.col("score") >= threshold)
            rows = list(_published(strong, sampled, age, min_hits))
            names = ["frame", "track_id", *BOX_COLUMNS]
            return pl.DataFrame(rows, schema=names, orient="row")

        return run

    return make


def _published(
    detections: pl.DataFrame, sampled: np.ndarray, max_age: int, min_hits: int
) -> Iterator[tuple[float, ...]]:
    """Rows of frame, id, box: a track speaks when it was just seen, and often enough in a row."""
    from scipy.optimize import linear_sum_assignment

    filters = FilterpyFilter()
    ids: list[int] = []
    hits: list[int] = []
    misses: list[int] = []
    born = 0
    by_frame = {
        int(frame): np.array([row[1:] for row in rows])
        for frame, rows in groupby(
            detections.sort("frame").select("frame", *BOX_COLUMNS).iter_rows(), key=lambda row: row[0]
        )
    }
    for number, frame in enumerate(sampled.tolist(), start=1):
        boxes = by_frame.get(frame, np.empty((0, 4)))
        overlap = pairwise_iou(filters.predict(), boxes)
        pairs = [
            (r, c) for r, c in zip(*linear_sum_assignment(-overlap), strict=True) if overlap[r, c] >= 0.3
        ]
        seen = {int(r) for r, _ in pairs}
        filters.update(np.array([r for r, _ in pairs], dtype=int), boxes[[c for _, c in pairs]])
        hits = [h + 1 if n in seen else 0 for n, h in enumerate(hits)]
        misses = [0 if n in seen else m + 1 for n, m in enumerate(misses)]
        new = sorted(set(range(len(boxes))) - {int(c) for _, c in pairs})
        filters.spawn(boxes[new])
        ids += range(born + 1, born + len(new) + 1)
        hits, misses, born = hits + [0] * len(new), misses + [0] * len(new), born + len(new)
        for track_id, hit, miss, one in zip(ids, hits, misses, filters.boxes(), strict=True):
            if miss == 0 and (hit >= min_hits or number <= min_hits):
                yield (frame, track_id, *one)
        alive = np.array([miss <= max_age for miss in misses], dtype=bool)
        filters.drop(alive)
        ids, hits, misses = ([v for v, a in zip(of, alive, strict=True) if a] for of in (ids, hits, misses))


def without_offline_pass(step_s: float, fps: int = CLIP_FPS) -> Tracker:
    """This project's online tracker alone: its hits as they come."""

    def run(detections: pl.DataFrame, sampled: np.ndarray) -> pl.DataFrame:
        p = TrackerParameters()
        tracker = Sort(
            ArrayFilter(p.velocity_noise),
            max_age=max(1, round(p.max_age_s / step_s)),
            iou=p.iou,
            start_score=p.start_score,
        )
        rows = []
        for frame in sampled.tolist():
            own = detections.filter(pl.col("frame") == frame).select(*BOX_COLUMNS, "score").to_numpy()
            rows += [(frame, i, *b[:4]) for i, b in zip(tracker.step(own).tolist(), own, strict=True) if i]
        return pl.DataFrame(rows, schema=["frame", "track_id", *BOX_COLUMNS], orient="row")

    return run


def packaged(name: str) -> Callable[..., Tracker]:
    """A tracker of Roboflow's `trackers`, its own defaults."""

    def make(step_s: float, fps: int = CLIP_FPS) -> Tracker:
        def run(detections: pl.DataFrame, sampled: np.ndarray) -> pl.DataFrame:
            import supervision
            import trackers

            tracker = getattr(trackers, name)(frame_rate=1 / step_s)
            rows = []
            for frame in sampled.tolist():
                own = detections.filter(pl.col("frame") == frame)
                result = tracker.update(
                    supervision.Detections(
                        xyxy=own.select(BOX_COLUMNS).to_numpy().reshape(-1, 4).astype(np.float32),
                        confidence=own["score"].to_numpy().astype(np.float32),
                        class_id=np.zeros(own.height, dtype=int),
                    )
                )
                ids = result.tracker_id if result.tracker_id is not None else []
                rows += [
                    (frame, int(i), *map(float, b)) for i, b in zip(ids, result.xyxy, strict=True) if i >= 0
                ]
            return pl.DataFrame(rows, schema=["frame", "track_id", *BOX_COLUMNS], orient="row")

        return run

    return make


TRACKERS: dict[str, Callable[..., Tracker]] = {
    "ours": ours,
    "ours, online alone": without_offline_pass,
    "SORT, max_age 1 s": published_sort(None, 3, 0.0),
    "SORT, published (1, 3)": published_sort(1, 3, 0.0),
    "older system's SORT (75, 5)": published_sort(75, 5, 0.45),
}
if importlib.util.find_spec("trackers"):
    TRACKERS |= {f"trackers {name}": packaged(name) for name in ("SORTTracker", "ByteTrackTracker")}
