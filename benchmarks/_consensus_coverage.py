"""How often a 95 % interval from few clips holds the figure of all the clips that they were drawn from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ava_core.quality.agreement import alpha
from ava_core.quality.agreement.alpha import LabelSums, Resampled
from ava_core.quality.agreement.bootstrap import ClipBootstrap, Estimate
from ava_core.quality.agreement.build import match_work
from ava_core.quality.agreement.pairs import PairFigures, PairSums, kappa, ratio
from benchmarks._bench import Bars, table
from tests.support.planted_work import good_annotators, plant

POPULATION, BATCHES, REPETITIONS = 2000, 1000, 1000
FIGURES = ("pooled alpha", "kappa of a pair", "MASI of a pair", "mean IoU of a pair")
CLIPS: Mapping[int, float | None] = {4: None, 10: 0.93, 20: 0.93, 60: 0.93}
"""Clips of a batch, and the least share of intervals of pooled alpha that hold the truth; few clips only indicate."""


def coverage(bars: Bars) -> None:
    """Plants many clips of the same three annotators, and draws batches of them: what all say is the truth."""
    work = match_work(*plant(good_annotators(3, 0), seed=0, clips=POPULATION).work)
    labels = alpha.label_sums(work.panel)
    pair = work.pairs.only((work.pairs.a == 0) & (work.pairs.b == 1))
    everything = np.arange(POPULATION)
    truth = [
        found.value
        for found in _figures(labels, pair, everything, ClipBootstrap(POPULATION, repetitions=1, seed=0))
    ]
    draw = np.random.default_rng(0)
    rows = []
    for clips, bar in CLIPS.items():
        held = np.zeros(len(FIGURES))
        for seed in range(BATCHES):
            chosen = draw.choice(everything, clips, replace=False)
            bootstrap = ClipBootstrap(clips, repetitions=REPETITIONS, seed=seed)
            held += [
                _holds(each, true)
                for each, true in zip(_figures(labels, pair, chosen, bootstrap), truth, strict=True)
            ]
        shares = held / BATCHES
        rows.append([clips, *shares.tolist()])
        bars.figure(f"coverage, {clips} clips", dict(zip(FIGURES, shares.tolist(), strict=True)))
        if bar is not None:
            bars.bar(f"coverage of pooled alpha, {clips} clips", shares[0], bar, holds=shares[0] >= bar)
    print(f"\nshare of {BATCHES} intervals of 95 % that hold the truth")
    table(["clips", *FIGURES], rows)


def _figures(
    labels: LabelSums, pair: PairSums, clips: np.ndarray, bootstrap: ClipBootstrap
) -> list[Estimate]:
    """`FIGURES` of some clips."""
    own = LabelSums(labels.disagreement[clips], labels.yes[clips], labels.ratings[clips])
    both = PairFigures.of(
        PairSums(np.arange(len(clips)), pair.a[clips], pair.b[clips], pair.table[clips]), bootstrap
    )
    return [
        Resampled.of(own, bootstrap).estimate(alpha.pooled, ""),
        both.estimate(kappa, ""),
        both.estimate(ratio("masi", "units"), ""),
        both.estimate(ratio("iou", "shared"), ""),
    ]


def _holds(found: Estimate, true: float | None) -> bool:
    assert found.low is not None
    assert found.high is not None
    assert true is not None
    return found.low <= true <= found.high
