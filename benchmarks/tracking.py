"""Tracking: quality by detector rate against SORT, ByteTrack and SORT as the older system ran it; speed.

HOTA, MOTA, IDF1 and identity switches by TrackEval (Luiten et al., 2021), in per cent.

* MOT17-02, -09, -11 with synthetic detections, clean and noisy (boxes of nobody for seconds, second boxes of people):
  detections of every n-th frame go in, boxes at whole seconds are scored, as a dataset of 1 Hz keyframes uses them.
  This project's tracker is also scored on each sequence with the parameters that do best on the two others.
* TUD-Campus and TUD-Stadtmitte with public (real, noisy) detections: every frame goes in and is scored.
* Array SORT against the same with filterpy's filters, side by side on 50 people; a whole clip of 60 people.

    python -m benchmarks.tracking [--json FILE]
"""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS, DETECTIONS
from ava_core.video.tracking.filterpy_sort import FilterpyFilter
from ava_core.video.tracking.iou import pairwise_iou
from ava_core.video.tracking.parameters import TrackerParameters
from ava_core.video.tracking.sort import ArrayFilter, Filter, Sort
from ava_core.video.tracking.track import track_detections
from benchmarks._bench import Bars, argument_parser, table
from benchmarks._tracking_data import MOT17, TUD, TUD_FPS, Sequence, load, noisy
from benchmarks._tracking_peers import TRACKERS, Tracker, ours

STEPS = {"full": 1, "10 fps": 3, "5 fps": 6, "1 fps": 30}
CLIP_SECONDS = 15
BEFORE = 63
"""Identity switches on the clean set at 10 fps before tracks were cut at crossings and cameras followed."""
CANDIDATES = [
    replace(TrackerParameters(), iou=iou, stitch_reach=reach)
    for iou, reach in itertools.product((0.35, 0.4, 0.45), (0.4, 0.5))
]
"""What leaving one sequence out chooses from."""
Make = Callable[..., Tracker]


def main() -> None:
    """Measure, print, judge."""
    options = argument_parser(__doc__ or "").parse_args()
    bars = Bars("tracking")
    clean = [load(name) for name in MOT17]
    rough = [noisy(sequence, seed) for seed, sequence in enumerate(clean)]
    keyframe_quality(bars, clean)
    noisy_quality(bars, rough)
    chosen_elsewhere(bars, clean, rough)
    real_detections(bars)
    speed(bars)
    whole_clip(bars)
    bars.finish(options.json)


# -- quality ---------------------------------------------------------------------------------------------------


def at_keyframes(make: Make, sequences: list[Sequence], step: int) -> dict[str, float]:
    """Scores at whole seconds of what a tracker makes of every `step`-th frame."""
    frames = ((s, _run(make(step / CLIP_FPS), s, step), range(0, s.frames, CLIP_FPS)) for s in sequences)
    return score(list(frames))


def keyframe_quality(bars: Bars, sequences: list[Sequence]) -> None:
    """HOTA at whole seconds by rate."""
    rows = []
    for name, make in TRACKERS.items():
        scores = {rate: at_keyframes(make, sequences, step) for rate, step in STEPS.items()}
        rows.append([name, *(scores[rate]["HOTA"] for rate in STEPS), scores["10 fps"]["IDSW"]])
        bars.figure(f"keyframes, {name}", scores)
    print("\nHOTA at 1 Hz keyframes, MOT17-02/09/11, synthetic detections; identity switches at 10 fps")
    table(["tracker", *STEPS, "IDSW"], rows)
    switches, most = bars.figures["keyframes, ours"]["10 fps"]["IDSW"], 0.6 * BEFORE
    bars.bar("identity switches at 10 fps, keyframes", switches, most, holds=switches <= most)


def noisy_quality(bars: Bars, sequences: list[Sequence]) -> None:
    """HOTA and MOTA at whole seconds where detections are like a real detector's."""
    rates = {rate: STEPS[rate] for rate in ("10 fps", "5 fps")}
    scores = {
        name: {rate: at_keyframes(make, sequences, step) for rate, step in rates.items()}
        for name, make in TRACKERS.items()
    }
    print("\nThe same with ghosts and duplicates")
    measures = [(rate, measure) for rate in rates for measure in ("HOTA", "MOTA", "IDSW")]
    rows = [[name, *(by_rate[rate][m] for rate, m in measures)] for name, by_rate in scores.items()]
    table(["tracker", *(f"{m} {rate}" for rate, m in measures)], rows)
    bars.figure("noisy keyframes", scores)
    peers = [name for name in scores if name.startswith(("SORT", "trackers"))]
    for rate, measure in itertools.product(rates, ("HOTA", "MOTA")):
        best = max(scores[name][rate][measure] for name in peers)
        value = scores["ours"][rate][measure]
        bars.bar(f"{measure} at {rate}, noisy, against the best peer", value, best, holds=value >= best)


def chosen_elsewhere(bars: Bars, clean: list[Sequence], rough: list[Sequence]) -> None:
    """HOTA at whole seconds, each sequence with the parameters that serve the two others best."""
    for rate, bar in (("10 fps", 65.0), ("5 fps", 61.0)):
        makes = [functools.partial(ours, default=parameters) for parameters in CANDIDATES]
        worth = np.array(
            [[_worth(make, pair, STEPS[rate]) for pair in zip(clean, rough, strict=True)] for make in makes]
        )
        results = []
        for left_out, sequence in enumerate(clean):
            best = int(np.delete(worth, left_out, axis=1).sum(axis=1).argmax())
            tracks = _run(makes[best](STEPS[rate] / CLIP_FPS), sequence, STEPS[rate])
            results.append((sequence, tracks, range(0, sequence.frames, CLIP_FPS)))
        scores = score(results)
        bars.figure(f"keyframes, parameters chosen elsewhere, {rate}", scores)
        bars.bar(
            f"HOTA at {rate}, parameters chosen elsewhere", scores["HOTA"], bar, holds=scores["HOTA"] >= bar
        )


def _worth(make: Make, pair: tuple[Sequence, Sequence], step: int) -> float:
    scores = [at_keyframes(make, [sequence], step) for sequence in pair]
    return sum(one["HOTA"] + one["MOTA"] for one in scores)


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
    tracker, sort = scores["ours"], scores["SORT, max_age 1 s"]
    bars.bar("HOTA on TUD against SORT", tracker["HOTA"], sort["HOTA"], holds=tracker["HOTA"] >= sort["HOTA"])
    least = sort["MOTA"] - 3
    bars.bar("MOTA on TUD against SORT less 3", tracker["MOTA"], least, holds=tracker["MOTA"] >= least)


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


def whole_clip(bars: Bars, people: int = 60, step: int = 3) -> None:
    """A clip of a crowd from detections to tracks."""
    looks = crowd(people, CLIP_SECONDS * CLIP_FPS // step)
    rows = [("c", number * step, *box.tolist()) for number, boxes in enumerate(looks) for box in boxes]
    detections = pl.DataFrame(rows, schema=dict(DETECTIONS), orient="row")
    sampled = np.arange(0, CLIP_SECONDS * CLIP_FPS, step)
    track_detections(detections, sampled)  # what is imported and compiled is none of a clip's time
    begin = time.process_time()
    track_detections(detections, sampled)
    spent = time.process_time() - begin
    bars.bar(
        f"CPU-s for {CLIP_SECONDS} s of {people} people at {CLIP_FPS // step} fps",
        spent,
        1.0,
        holds=spent <= 1,
    )


if __name__ == "__main__":
    main()
