"""Tracking: quality by detector rate against SORT as published and as the older system ran it; speed.

HOTA, MOTA, IDF1 and identity switches by TrackEval (Luiten et al., 2021), in per cent.

* MOT17-02, -09, -11 with synthetic detections: detections of every n-th frame go in, boxes at whole seconds are
  scored, as a dataset of 1 Hz keyframes uses them.
* TUD-Campus and TUD-Stadtmitte with public (real, noisy) detections: every frame goes in and is scored.
* Array SORT against the same with filterpy's filters, side by side on 50 people.

    python -m benchmarks.tracking [--json FILE]
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl

from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS, DETECTIONS
from ava_core.video.proposals.keyframes import boxes_at
from ava_core.video.tracking.filterpy_sort import FilterpyFilter
from ava_core.video.tracking.iou import pairwise_iou
from ava_core.video.tracking.parameters import TrackerParameters
from ava_core.video.tracking.sort import ArrayFilter, Filter, Sort
from ava_core.video.tracking.track import track_detections
from benchmarks._bench import REFERENCE_DATA, Bars, argument_parser, table

MOT17 = ("MOT17-02", "MOT17-09", "MOT17-11")
TUD = ("TUD-Campus", "TUD-Stadtmitte")
STEPS = {"full": 1, "10 fps": 3, "5 fps": 6, "1 fps": 30}
TUD_FPS = 25
Tracker = Callable[[pl.DataFrame, np.ndarray], pl.DataFrame]
"""Detections and the frames looked at → `frame, track_id, x1, y1, x2, y2`."""


@dataclass(frozen=True)
class Sequence:
    """Detections (`schemas.DETECTIONS`) and truth (`frame, track_id, x1, y1, x2, y2`), frames from 0."""

    name: str
    detections: pl.DataFrame
    truth: pl.DataFrame
    frames: int


def main() -> None:
    """Measure, print, judge."""
    options = argument_parser(__doc__ or "").parse_args()
    bars = Bars("tracking")
    keyframe_quality(bars)
    real_detections(bars)
    speed(bars)
    bars.finish(options.json)


# -- quality ---------------------------------------------------------------------------------------------------


def keyframe_quality(bars: Bars) -> None:
    """HOTA at whole seconds by rate."""
    sequences = [load(name) for name in MOT17]
    rows = []
    for name, make in TRACKERS.items():
        scores = {
            rate: score(
                [(s, _run(make(step / CLIP_FPS), s, step), range(0, s.frames, CLIP_FPS)) for s in sequences]
            )
            for rate, step in STEPS.items()
        }
        rows.append([name, *(scores[rate]["HOTA"] for rate in STEPS)])
        bars.figure(f"keyframes, {name}", scores)
    print("\nHOTA at 1 Hz keyframes, MOT17-02/09/11, synthetic detections")
    table(["tracker", *STEPS], rows)
    ours = bars.figures["keyframes, ours"]
    for rate, bar in (("10 fps", 65.0), ("5 fps", 60.0)):
        value = ours[rate]["HOTA"]
        bars.bar(f"HOTA at {rate}, keyframes", value, bar, holds=value >= bar)


def real_detections(bars: Bars) -> None:
    """All measures on noisy detections: the offline pass must not invent people."""
    sequences = [load(name) for name in TUD]
    scores = {
        name: score([(s, _run(make(1 / TUD_FPS, TUD_FPS), s, 1), range(s.frames)) for s in sequences])
        for name, make in TRACKERS.items()
    }
    print("\nTUD-Campus and TUD-Stadtmitte, public detections, all frames")
    measures = ("HOTA", "MOTA", "IDF1", "IDSW")
    table(["tracker", *measures], [[name, *(s[m] for m in measures)] for name, s in scores.items()])
    bars.figure("real detections", scores)
    ours, sort = scores["ours"], scores["SORT, max_age 1 s"]
    bars.bar("HOTA on TUD against SORT", ours["HOTA"], sort["HOTA"], holds=ours["HOTA"] >= sort["HOTA"])
    least = sort["MOTA"] - 5
    bars.bar("MOTA on TUD against SORT less 5", ours["MOTA"], least, holds=ours["MOTA"] >= least)


def _run(tracker: Tracker, sequence: Sequence, step: int) -> pl.DataFrame:
    sampled = np.arange(0, sequence.frames, step)
    return tracker(sequence.detections.filter(pl.col("frame") % step == 0), sampled)


def score(results: list[tuple[Sequence, pl.DataFrame, range]]) -> dict[str, float]:
    """TrackEval's measures over sequences, on the frames given for each."""
    from trackeval.metrics import CLEAR, HOTA, Identity

    metrics = [HOTA(), CLEAR({"PRINT_CONFIG": False}), Identity({"PRINT_CONFIG": False})]
    combined: dict[str, Any] = {}
    for metric in metrics:
        by_sequence = {}
        for sequence, tracks, frames in results:
            with contextlib.redirect_stdout(io.StringIO()):
                by_sequence[sequence.name] = metric.eval_sequence(_trackeval_data(sequence, tracks, frames))
        combined |= metric.combine_sequences(by_sequence)
    return {
        "HOTA": 100 * float(np.mean(combined["HOTA"])),
        "MOTA": 100 * float(combined["MOTA"]),
        "IDF1": 100 * float(combined["IDF1"]),
        "IDSW": int(combined["IDSW"]),
    }


def _trackeval_data(sequence: Sequence, tracks: pl.DataFrame, frames: range) -> dict[str, Any]:
    truth, found = (_by_frame(t, frames) for t in (sequence.truth, tracks))
    ids = [
        {v: n for n, v in enumerate(sorted({i for one, _ in side for i in one}))} for side in (truth, found)
    ]
    data: dict[str, Any] = {"gt_ids": [], "tracker_ids": [], "similarity_scores": []}
    for (own, boxes), (other, drawn) in zip(truth, found, strict=True):
        data["gt_ids"].append(np.array([ids[0][i] for i in own], dtype=int))
        data["tracker_ids"].append(np.array([ids[1][i] for i in other], dtype=int))
        data["similarity_scores"].append(pairwise_iou(boxes, drawn))
    counts = {
        "num_gt_ids": len(ids[0]),
        "num_tracker_ids": len(ids[1]),
        "num_gt_dets": sum(len(own) for own, _ in truth),
        "num_tracker_dets": sum(len(own) for own, _ in found),
        "num_timesteps": len(frames),
    }
    return data | counts


def _by_frame(boxes: pl.DataFrame, frames: range) -> list[tuple[list[int], np.ndarray]]:
    groups = {int(f): g for (f,), g in boxes.group_by(["frame"], maintain_order=True)}
    nobody = boxes.clear()
    return [
        (g["track_id"].to_list(), g.select(BOX_COLUMNS).to_numpy().reshape(-1, 4).astype(float))
        for g in (groups.get(frame, nobody) for frame in frames)
    ]


# -- the trackers ----------------------------------------------------------------------------------------------


def ours(step_s: float, fps: int = CLIP_FPS) -> Tracker:
    """This project's tracker. Frames of another rate than 30 count as such: its seconds are scaled."""
    seconds = ("max_age_s", "fill_gap_s", "stitch_gap_s", "min_track_s", "confident_s")
    default = TrackerParameters()
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


# -- speed -----------------------------------------------------------------------------------------------------


def speed(bars: Bars, people: int = 50, looks: int = 300) -> None:
    """The same crowd through array filters and filterpy's; ids must be equal."""
    steps = crowd(people, looks)
    times: dict[str, list[float]] = {"arrays": [], "filterpy": []}
    makers: dict[str, Callable[[], Filter]] = {"arrays": ArrayFilter, "filterpy": FilterpyFilter}
    ids: dict[str, np.ndarray] = {}
    for _ in range(5):
        for name, make in makers.items():
            tracker, begin = Sort(make(), max_age=10), time.process_time()
            ids[name] = np.concatenate([tracker.step(detections) for detections in steps])
            times[name].append(time.process_time() - begin)
    best = {name: min(spent) / looks * 1e3 for name, spent in times.items()}
    print(f"\nCPU-ms a look at {people} people")
    table(["filters", "ms", "looks/CPU-s"], [[name, ms, 1e3 / ms] for name, ms in best.items()])
    bars.figure("CPU-ms a look", best)
    ratio = best["filterpy"] / best["arrays"]
    same = bool(np.array_equal(ids["arrays"], ids["filterpy"]))
    bars.bar(f"arrays over filterpy at {people} people, equal ids", ratio, 10.0, holds=ratio >= 10 and same)


def crowd(people: int, looks: int) -> list[np.ndarray]:
    """Detections `(N, 5)` of people who walk about and are missed now and then."""
    noise = np.random.default_rng(0)
    centre, velocity = noise.uniform(100, 1800, (people, 2)), noise.normal(0, 3, (people, 2))
    size = np.column_stack([noise.uniform(30, 60, people), noise.uniform(80, 160, people)])
    steps = []
    for _ in range(looks):
        centre = centre + velocity
        boxes = np.column_stack([centre - size / 2, centre + size / 2]) + noise.normal(0, 1.5, (people, 4))
        kept = noise.random(people) > 0.1
        steps.append(np.column_stack([boxes, np.full(people, 0.9)])[kept])
    return steps


# -- reference data --------------------------------------------------------------------------------------------


def load(name: str) -> Sequence:
    """A sequence of the reference data; of MOT17's truth the pedestrians that count."""
    folder = REFERENCE_DATA / "mot" / name
    det = np.loadtxt(folder / "det.txt", delimiter=",")
    gt = np.loadtxt(folder / "gt.txt", delimiter=",")
    gt = gt[gt[:, 6] == 1]
    if name.startswith("MOT17"):  # only there the next column is a class
        gt = gt[gt[:, 7] == 1]
    boxes = {
        side: np.column_stack([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]])
        for side, rows in (("det", det), ("gt", gt))
    }
    detections = pl.DataFrame(
        {"clip_id": "c", "frame": det[:, 0] - 1, "score": det[:, 6]}
        | dict(zip(BOX_COLUMNS, boxes["det"].T, strict=True))
    ).select(pl.col(n).cast(kind) for n, kind in DETECTIONS.items())
    truth = pl.DataFrame(
        {"frame": gt[:, 0].astype(int) - 1, "track_id": gt[:, 1].astype(int)}
        | dict(zip(BOX_COLUMNS, boxes["gt"].T, strict=True))
    )
    return Sequence(name, detections, truth, int(max(det[:, 0].max(), gt[:, 0].max())))


if __name__ == "__main__":
    main()
