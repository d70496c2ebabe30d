"""Accuracy at equal labels: annotators added where the consensus says that they are worth most, and at random."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean, stdev

import numpy as np
import polars as pl

from ava_core.quality.agreement.build import match_work
from ava_core.quality.consensus.form import form_from_work
from benchmarks._bench import Bars, table
from benchmarks._consensus_labels import formed
from tests.support.planted_work import Planted, Profile, good_annotators, plant

BUDGET = 0.25
"""Share of the answers that would be given, had every clip one annotator more."""

JOB = ["clip_id", "annotator"]
STARTS = {"one annotator each": 1, "two annotators each": 2}


def top_ups(bars: Bars, seeds: int) -> None:
    """Batches of a pool of good and mediocre annotators, in which a quarter more is labelled."""
    rows = []
    for name, start in STARTS.items():
        runs = [_run(start, seed) for seed in range(seeds)]
        before, chance, chosen = (mean(column) for column in zip(*runs, strict=True))
        gains = [run[2] - run[1] for run in runs]
        error = stdev(gains) / len(gains) ** 0.5 if len(gains) > 1 else float("nan")
        rows.append([name, before, chance, chosen, chosen - chance, error])
        bars.figure(
            f"top-ups, {name}", {"before": before, "random": chance, "by worth": chosen, "error": error}
        )
        gain = chosen - chance
        bars.bar(f"top-ups, {name}: micro F1 by worth over random", gain, 0.0, holds=gain > 0)
    print()
    table(["top-ups, micro F1", "before", "random", "by worth", "gain", "± s.e."], rows)


def _run(start: int, seed: int) -> tuple[float, float, float]:
    """F1 before, with random top-ups (mean of five draws), and with those of most worth."""
    crew = good_annotators(5, seed) | {"other0": Profile(accuracy=0.55)}
    whole = plant(crew, seed=seed, per_clip=start + 1)
    draw = np.random.default_rng([seed, 11])
    # The overlap from which annotators are known: a fifth of the clips has had its top-up already.
    jobs = whole.completed.select(JOB).unique().sort(JOB)
    last = jobs.with_columns(at=pl.Series(draw.random(jobs.height))).sort("clip_id", "at")
    spare = last.group_by("clip_id", maintain_order=True).last().select(JOB)
    known = spare.sample(fraction=0.2, seed=seed)
    spare = spare.join(known, on=JOB, how="anti")
    now = without(whole, spare)
    answers = dict(whole.raw_labels.join(spare, on=JOB, how="semi").group_by("clip_id").len().rows())
    needs = form_from_work(match_work(*now.work), approved=now.clip_ids)["needs"]
    worth = dict(needs.select("clip_id", pl.col("worth").fill_null(0)).rows())
    clips = spare["clip_id"].to_list()
    best = sorted(clips, key=lambda clip: -worth[clip])

    def after(order: list[str]) -> float:
        chosen, left = set(), BUDGET * sum(answers.values())
        for clip in order:
            left -= answers.get(clip, 0)
            if left < 0:
                break
            chosen.add(clip)
        return f1(without(whole, spare.filter(~pl.col("clip_id").is_in(sorted(chosen)))))

    drawn = [after([str(clip) for clip in draw.permutation(clips)]) for _ in range(5)]
    return f1(now), mean(drawn), after(best)


def without(planted: Planted, jobs: pl.DataFrame) -> Planted:
    """The same batch before some jobs were done."""
    tables = {
        name: getattr(planted, name).join(jobs, on=JOB, how="anti", maintain_order="left")
        for name in ("raw_boxes", "raw_labels", "completed")
    }
    return replace(planted, **tables)


def f1(planted: Planted) -> float:
    return formed(planted, match_work(*planted.work))[0].micro
