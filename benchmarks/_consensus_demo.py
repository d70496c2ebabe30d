"""The demonstration's line of the consensus over many seeds: its scenes and its annotators, without the servers.

Scenes are rendered as `ava demo` renders them, and its three annotators see them as they do there. Whom they see is
never in doubt, so that labels alone differ. Where votes are even, what they count as is the mean of some fair draws.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS, COMPLETED_JOBS, RAW_BOXES, RAW_LABELS
from ava_core.demo.annotators import SimulatedAnnotator, demo_annotators
from ava_core.demo.behaviour import generator
from ava_core.demo.perception import drawn_by_hand, perceive
from ava_core.demo.scenes import SECONDS, render_scenes
from ava_core.demo.score import CONSENSUS, score_labels
from ava_core.demo.truth import ClipTruth, SceneTruth, truth_in_clips
from ava_core.ontology import Ontology, load_ontology
from ava_core.quality.agreement.build import match_work
from ava_core.quality.consensus.form import form_from_work
from benchmarks._bench import Bars, table
from benchmarks._consensus_peers import voted

CLIP_S, ANNOTATORS, DRAWS = 15, 3, 10
LEAST_SEEDS = 8
GAIN = 0.012
ONTOLOGY = "street"

Tables = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]
"""`schemas.RAW_BOXES`, `RAW_LABELS`, `COMPLETED_JOBS`."""


def demo(bars: Bars, seeds: int) -> None:
    """Accuracy of each annotator, of votes and of the consensus, as the demonstration's table has it."""
    ontology = load_ontology(ONTOLOGY)
    seeds = max(seeds, LEAST_SEEDS)
    runs = [_accuracies(seed, ontology) for seed in range(seeds)]
    gains = [run[CONSENSUS] - run["votes"] for run in runs]
    rows: list[list[Any]] = [[seed, *run.values()] for seed, run in enumerate(runs)]
    rows.append(["mean", *np.mean([row[1:] for row in rows], axis=0).tolist()])
    print()
    table(["demo, accuracy", *runs[0]], rows)
    error = stdev(gains) / len(gains) ** 0.5
    bars.figure("the demo's annotators", {"runs": runs, "gain": mean(gains), "error": error})
    bars.bar(
        f"the demo's annotators, {seeds} seeds: accuracy over votes",
        mean(gains),
        GAIN,
        holds=mean(gains) >= GAIN,
    )
    bars.bar("the demo's annotators: gain of the worst seed", min(gains), 0.0, holds=min(gains) >= 0)


def _accuracies(seed: int, ontology: Ontology) -> dict[str, float]:
    """By annotator, `votes` and `CONSENSUS`."""
    with TemporaryDirectory() as folder:
        truth = _in_clips(render_scenes(Path(folder), seed), ontology)
    raw_boxes, raw_labels, completed = _annotated(truth, ontology, seed)
    work = match_work(raw_boxes, raw_labels, completed, ontology)
    formed = form_from_work(work, approved=truth.clips)

    def accuracy(boxes: pl.DataFrame, labels: pl.DataFrame) -> dict[str, float]:
        scores = score_labels(truth, raw_boxes, raw_labels, boxes, labels, ontology)
        return dict(scores.select("who", "accuracy").rows())

    found = accuracy(formed["consensus_boxes"], formed["consensus_labels"])
    ours = found.pop(CONSENSUS)
    draw = np.random.default_rng(seed)
    votes = [accuracy(*voted(work.panel, one_per_group=True, draw=draw))[CONSENSUS] for _ in range(DRAWS)]
    return found | {"votes": mean(votes), CONSENSUS: ours}


def _in_clips(scenes: SceneTruth, ontology: Ontology) -> ClipTruth:
    """The truth in clips that are cut from the scenes without a change of size."""
    sources = sorted(scenes.boxes["source"].unique())
    videos = pl.DataFrame({"source_id": sources, "original_name": sources, "status": ["ok"] * len(sources)})
    clips = [
        {"clip_id": f"{source}_{index:03d}", "source_id": source, "start_s": float(index * CLIP_S),
         "frames": CLIP_S * CLIP_FPS, "scale_x": 1.0, "scale_y": 1.0, "pad_x": 0, "pad_y": 0}
        for source in sources
        for index in range(int(SECONDS // CLIP_S))
    ]  # fmt: skip
    return truth_in_clips(scenes, pl.DataFrame(clips), videos, ontology)


def _annotated(truth: ClipTruth, ontology: Ontology, seed: int) -> Tables:
    """All clips, done by the demonstration's annotators."""
    boxes, labels, jobs = [], [], []
    for clip_id in sorted(truth.clips):
        for one in demo_annotators([""] * ANNOTATORS):
            jobs.append(
                {"clip_id": clip_id, "annotator": one.username, "job_id": len(jobs) + 1, "version": 1}
            )
            drawn, said = _job(truth, clip_id, one, ontology, seed)
            boxes += [jobs[-1] | row for row in drawn]
            labels += [jobs[-1] | row for row in said]
    return (
        pl.DataFrame(boxes, schema=dict(RAW_BOXES)),
        pl.DataFrame(labels, schema=dict(RAW_LABELS)),
        pl.DataFrame(jobs, schema=dict(COMPLETED_JOBS)),
    )


Rows = list[dict[str, Any]]


def _job(
    truth: ClipTruth, clip_id: str, one: SimulatedAnnotator, ontology: Ontology, seed: int
) -> tuple[Rows, Rows]:
    """What one annotator draws and says in a clip."""
    view = perceive(truth, clip_id, ontology, one.profile, one.username, seed)
    hand = generator(seed, "hand", one.username, clip_id)
    boxes, labels = [], []
    for (walker, second), true in sorted(view.boxes.items()):
        at = {"track_key": walker, "second": second}
        box = dict(zip(BOX_COLUMNS, drawn_by_hand(true, one.profile, hand), strict=True))
        pre_drawn = view.walkers.index(walker) + 1
        boxes.append(at | box | {"seed_track_id": pre_drawn, "edited": True, "flags": []})
        said = view.labels[walker, second]
        labels += [at | {"group": group, "action_ids": ids} for group, ids in said.items()]
    return boxes, labels
