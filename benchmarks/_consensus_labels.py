"""Labels of the consensus against planted truth, for every crew and batch of `planted_work.SCENARIOS`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

import numpy as np
import polars as pl

from ava_core.quality.agreement.build import Work, match_work
from ava_core.quality.agreement.measure import measure_work
from ava_core.quality.consensus.form import form_from_work
from benchmarks._bench import Bars, table
from benchmarks._consensus_peers import majority_vote
from tests.support.planted_scenarios import scenario
from tests.support.planted_score import Score, matched, score
from tests.support.planted_work import PLACE, Planted

DEMO = "like the demo"

GAINS: dict[str, float] = {
    "3 good": 0.015,
    "5 good": 0.030,
    "3 good, 4 clips": 0.0,
    "3 good, 10 clips": 0.010,
    DEMO: 0.012,
    "2 good": 0.075,
    "2 good + mediocre": 0.070,
    "2 good + 1 random": 0.060,
    "2 good + 1 constant": 0.085,
    "2 good + 1 lazy": 0.020,
    "3 good + 2 random": 0.140,
    "pool of 12": 0.055,
    "2 good + 1 random, 4 clips": 0.040,
    "2 good + 1 random, 10 clips": 0.070,
    "rare classes": 0.015,
    "two classes look alike": 0.015,
    "a bias that all share": 0.015,
    "one of three late": 0.020,
    "two of three late": 0.025,
    "one of three early": 0.020,
    "20 % overlap, pool of 5": 0.0,
}
"""Least gain in micro F1 over majority vote with one action of each exclusive group, all annotators' votes counted."""

GATED: dict[str, float] = {
    "2 good + 1 random": 0.075,
    "2 good + 1 constant": 0.105,
    "3 good + 2 random": 0.020,
    "pool of 12": 0.040,
}
"""The same with the gate's suspects excluded from both."""

COPIED = {
    "2 good + weak + its copier": "2 good + weak",
    "2 good + random + its copier": "2 good + 1 random",
}
"""A crew with somebody who copies, and the same crew without."""

ALONE = "20 % overlap, pool of 5"
"""Where votes tell little about most boxes: the queue is held beside one that knows everybody's true error rate."""

QUEUED = ("3 good", "5 good", "3 good, 4 clips", "3 good, 10 clips", ALONE)
"""Where half of all label errors are to be in a fifth of the boxes. Among bad annotators errors are everywhere."""

OVERCONFIDENT, PARTS, FIRST = 0.03, 10, 0.2


@dataclass(frozen=True)
class Outcome:
    """One batch: `ours` and `votes` are micro F1; `gated` the same two without suspects; `chance` and `right` of each
    label that has a posterior; `early`, the share of wrong labels in the first fifth of the queue's boxes, and `known`,
    in the fifth with the most errors by true rates."""

    ours: float
    votes: float
    gated: tuple[float, float]
    suspects: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    chance: np.ndarray
    right: np.ndarray
    early: float
    known: float


def measured(name: str, seed: int) -> Outcome:
    """A scenario's batch, decided by votes and by the consensus."""
    planted = scenario(name, seed)
    work = match_work(*planted.work)
    gate = measure_work(work, repetitions=1)["gate"]
    suspects = tuple(gate.filter(pl.col("status") == "suspect")["annotator"])
    mine, tables = formed(planted, work)
    votes = majority_vote(planted, one_per_group=True).micro
    gated = (mine.micro, votes)
    if suspects:
        rest = majority_vote(planted, one_per_group=True, excluded=suspects).micro
        gated = formed(planted, work, suspects)[0].micro, rest
    chance, right = chances(planted, tables)
    pairs = tuple(work.dependent.filter(pl.col("what") == "labels").select("annotator", "annotator_b").rows())
    wrong = wrong_labels(planted, tables)
    early, known = errors_in_queue(tables, wrong), errors_by_rates(planted, tables, wrong)
    return Outcome(mine.micro, votes, gated, suspects, pairs, chance, right, early, known)


def formed(
    planted: Planted, work: Work, excluded: Sequence[str] = ()
) -> tuple[Score, dict[str, pl.DataFrame]]:
    tables = form_from_work(work, approved=planted.clip_ids, excluded=excluded)
    return score(planted, tables["consensus_boxes"], tables["consensus_labels"]), tables


def chances(planted: Planted, tables: dict[str, pl.DataFrame]) -> tuple[np.ndarray, np.ndarray]:
    """Posterior of each label on a box that shows somebody, and whether it holds."""
    key = ["clip_id", "second", "person_id_b", "action_id"]
    pairs = matched(planted.true_boxes, tables["consensus_boxes"])
    true = planted.true_labels.join(pairs, on=PLACE).select(key).with_columns(holds=True)
    said = tables["consensus_labels"].drop_nulls("posterior").rename({"person_id": "person_id_b"})
    said = said.join(pairs, on=key[:3], how="semi").select(*key, "posterior")
    both = said.cast({name: true.schema[name] for name in key}).join(true, on=key, how="left")
    return both["posterior"].to_numpy(), both["holds"].fill_null(False).to_numpy()


def wrong_labels(planted: Planted, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """`PLACE` of each wrong label: one that is missing, or that doesn't hold."""
    pairs = matched(planted.true_boxes, tables["consensus_boxes"])
    key = ["clip_id", "second", "person_id_b", "action_id"]
    true = planted.true_labels.join(pairs, on=PLACE).select(key)
    said = tables["consensus_labels"].rename({"person_id": "person_id_b"})
    said = said.join(pairs, on=key[:3], how="semi").select(key).cast(dict(true.schema))
    wrong = pl.concat([true.join(said, on=key, how="anti"), said.join(true, on=key, how="anti")])
    boxes = tables["consensus_boxes"].schema
    return wrong.select("clip_id", "second", person_id="person_id_b").cast(
        {name: boxes[name] for name in PLACE}
    )


def errors_in_queue(tables: dict[str, pl.DataFrame], wrong: pl.DataFrame) -> float:
    """Share of the wrong labels that lie in the boxes that come first in the queue, `FIRST` of all boxes."""
    most = int(FIRST * tables["consensus_boxes"].height)
    first = tables["queue"].select(PLACE).unique(maintain_order=True).head(most)
    return wrong.join(first, on=PLACE, how="semi").height / max(wrong.height, 1)


def errors_by_rates(planted: Planted, tables: dict[str, pl.DataFrame], wrong: pl.DataFrame) -> float:
    """The same of an order by what votes can't tell: how many labels are wrong in truth, in the mean, where the same
    people named as many labels."""
    crew = planted.completed.group_by("clip_id").agg(pl.col("annotator").sort().str.join())
    named = tables["consensus_labels"].group_by(PLACE).len("named")
    boxes = tables["consensus_boxes"].select(PLACE).join(crew, on="clip_id").join(named, on=PLACE, how="left")
    errors = boxes.join(wrong.group_by(PLACE).len("wrong"), on=PLACE, how="left").fill_null(0)
    rate = pl.col("wrong").mean().over("annotator", "named")
    first = errors.sort(rate, descending=True, maintain_order=True).head(int(FIRST * errors.height))
    return float(first["wrong"].sum()) / max(wrong.height, 1)


def overconfidence(chance: np.ndarray, right: np.ndarray) -> float:
    """By how much the mean chance is above the share that is right."""
    return float(chance.mean() - right.mean())


def calibration_error(chance: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error over ten equal parts of the scale (Naeini et al., 2015)."""
    part = np.minimum((chance * PARTS).astype(int), PARTS - 1)
    gaps = np.bincount(part, chance - right.astype(float), PARTS)
    return float(np.abs(gaps).sum() / len(chance))


def labels(bars: Bars, seeds: int, names: Sequence[str]) -> None:
    """The table of all scenarios, the reliability of their chances, and who copies."""
    rows: list[list[Any]] = []
    chance, right = [], []
    for name in names:
        runs = [measured(name, seed) for seed in range(max(seeds, 12) if name == DEMO else seeds)]
        rows += _rows(bars, name, runs)
        chance += [run.chance for run in runs]
        right += [run.right for run in runs]
    header = [
        "labels, micro F1",
        "votes",
        "ours",
        "gain",
        "± s.e.",
        "bar",
        "overconfident",
        "ECE",
        "in queue",
        "by true rates",
    ]
    table(header, rows)
    _reliability(bars, np.concatenate(chance), np.concatenate(right))


def _rows(bars: Bars, name: str, runs: list[Outcome]) -> list[list[Any]]:
    chance, right = np.concatenate([run.chance for run in runs]), np.concatenate([run.right for run in runs])
    known = mean(run.known for run in runs) if name == ALONE else ""
    extra = [
        overconfidence(chance, right), calibration_error(chance, right), mean(run.early for run in runs), known
    ]  # fmt: skip
    bars.bar(f"{name}: over-confidence", extra[0], OVERCONFIDENT, holds=extra[0] <= OVERCONFIDENT)
    if name in QUEUED:
        bars.bar(
            f"{name}: label errors in the first fifth of the queue", extra[2], 0.5, holds=extra[2] >= 0.5
        )
    rows = [_row(bars, name, [(run.ours, run.votes) for run in runs], GAINS.get(name)) + extra]
    if name == DEMO:
        worst = min(run.ours - run.votes for run in runs)
        bars.bar(f"{name}: gain of the worst of {len(runs)} seeds", worst, 0.0, holds=worst >= 0)
    if name in GATED:
        rows.append([*_row(bars, f"{name}, gated", [run.gated for run in runs], GATED[name]), "", "", "", ""])
    if name.endswith("lazy"):
        out = mean("other0" in run.suspects for run in runs)
        bars.bar(f"{name}: gated out", out, 0, holds=out == 0)
    if name in COPIED:
        found = mean(("other0", "other1") in run.pairs for run in runs)
        bars.bar(f"{name}: pair flagged", found, 0.9, holds=found >= 0.9)
        alone = mean(measured(COPIED[name], seed).ours for seed in range(len(runs)))
        lost = mean(run.ours for run in runs) - alone
        bars.bar(f"{name}: F1 over the same crew without", lost, -0.02, holds=lost >= -0.02)
    return rows


def _row(bars: Bars, name: str, pairs: list[tuple[float, float]], bar: float | None) -> list[Any]:
    gains = [ours - votes for ours, votes in pairs]
    error = stdev(gains) / len(gains) ** 0.5 if len(gains) > 1 else float("nan")
    ours, votes, gain = (mean(column) for column in (*zip(*pairs, strict=True), gains))
    bars.figure(name, {"votes": votes, "ours": ours, "gain": gain, "error": error})
    if bar is not None:
        bars.bar(f"{name}: micro F1 over votes", gain, bar, holds=gain >= bar)
    return [name, votes, ours, gain, error, "" if bar is None else bar]


def _reliability(bars: Bars, chance: np.ndarray, right: np.ndarray) -> None:
    part = np.minimum((chance * PARTS).astype(int), PARTS - 1)
    rows = []
    for number in range(PARTS):
        at = part == number
        if at.any():
            rows.append(
                [f"{number / PARTS:.1f} to {(number + 1) / PARTS:.1f}", int(at.sum()), float(chance[at].mean()),
                 float(right[at].mean())]
            )  # fmt: skip
    print("\nreliability, all scenarios together")
    table(["chance", "labels", "mean chance", "share right"], rows)
    bars.figure("reliability", rows)
