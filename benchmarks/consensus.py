"""Consensus against planted truth, beside plain majority vote and a per-frame medoid merge.

Every scenario is drawn with the same seeds for all methods. Majority vote takes the same matched people, all
annotators, and every class that more than half of its raters named. The medoid merge knows no tracks: at each second
boxes that overlap are one person, the box that overlaps the others most stands for them and keeps the number of its
own pre-drawn track; only a box without one is followed from second to second by overlap.

    python -m benchmarks.consensus [--json FILE]
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment

from ava_core.base.schemas import BOX_COLUMNS
from ava_core.quality.agreement.build import build_panel
from ava_core.quality.agreement.measure import measure_agreement
from ava_core.quality.agreement.panel import Panel
from ava_core.quality.agreement.untangle import untangle
from ava_core.quality.consensus.boxes import box_table, merge_boxes
from ava_core.quality.consensus.form import form_consensus
from ava_core.video.tracking.iou import pairwise_iou
from benchmarks._bench import Bars, argument_parser, table
from tests.support.planted_work import (  # fmt: skip
    CONSTANT,
    PLACE,
    RANDOM,
    Planted,
    Score,
    good_annotators,
    matched,
    plant,
    scenario,
    score,
)

SEEDS = (0, 1, 2)
GATE_RUNS = 20

LABEL_BARS = {  # gains over majority vote: micro F1, macro F1
    "2 good + 1 random": (0.10, 0.10),
    "2 good + 1 constant": (0.07, 0.10),
    "2 good + 1 lazy": (0.010, None),
    "3 good + 2 random": (0.13, 0.22),
    "pool of 12": (0.05, 0.04),
}
BOX_BARS = {  # gains over the per-frame medoid merge: mean IoU, IDF1
    "3 good": (0.02, 0.02),
    "2 good + 1 rubber-stamper": (0.025, 0.0),
    "2 good + 1 wrecker": (0.01, 0.01),
}


def ours(planted: Planted) -> tuple[Score, list[str], dict[str, pl.DataFrame]]:
    """The whole pipeline, with every suspect of the gate excluded as a person would confirm it."""
    gate = measure_agreement(*planted.work)["gate"]
    suspects = gate.filter(pl.col("status") == "suspect")["annotator"].to_list()
    tables = form_consensus(*planted.work, approved=planted.clip_ids, excluded=suspects)
    return score(planted, tables["consensus_boxes"], tables["consensus_labels"]), suspects, tables


def majority_vote(planted: Planted, *, one_pose: bool = False) -> Score:
    """More than half of the raters; with `one_pose`, of an exclusive group the action with most votes."""
    panel = untangle(build_panel(*planted.work))
    merged = merge_boxes(panel)
    there = 2 * merged.votes > merged.voters
    named = panel.named
    group = panel.group_of[named.column]
    holds = 2 * named.yes > panel.raters[named.place, group]
    if one_pose:
        for number, each in enumerate(panel.ontology.groups):
            if each.kind == "exclusive":
                holds[group == number] = most_votes(panel, group == number)
    row = np.flatnonzero(holds & there[named.place])
    labels = pl.DataFrame(panel.place_columns(named.place[row])).with_columns(
        action_id=pl.Series(panel.action_ids[named.column[row]], dtype=pl.Int32)
    )
    return score(planted, box_table(panel, merged, there), labels)


def most_votes(panel: Panel, rows: np.ndarray) -> np.ndarray:
    """Of some rows of `named`, the first of each place that has most votes."""
    place, yes = panel.named.place[rows], panel.named.yes[rows]
    order = np.lexsort((-yes, place))
    first = order[np.flatnonzero(np.diff(place[order], prepend=-1))]
    holds = np.zeros(len(place), dtype=bool)
    holds[first] = True
    return holds


def medoid_merge(planted: Planted) -> Score:
    """Per-frame merge: overlapping boxes of different annotators, majority quorum, medoid box."""
    crew = planted.completed.group_by("clip_id").agg(pl.col("annotator").n_unique())
    voters = dict(crew.rows())
    rows: list[dict] = []
    for (clip_id,), clip in planted.raw_boxes.sort("clip_id", "second").group_by(
        ["clip_id"], maintain_order=True
    ):
        frames = {}
        for (second,), frame in clip.group_by(["second"], maintain_order=True):
            boxes = frame.select(BOX_COLUMNS).to_numpy()
            chosen = medoids(boxes, frame["annotator"].to_list(), voters[clip_id])
            frames[int(second)] = boxes[chosen], frame["seed_track_id"].fill_null(-1).to_numpy()[chosen]
        for (second, person), box in followed(frames).items():
            rows.append({"clip_id": clip_id, "second": second, "person_id": person}
                        | dict(zip(BOX_COLUMNS, box.tolist(), strict=True)))  # fmt: skip
    boxes = pl.DataFrame(rows).cast({"second": pl.Int64, "person_id": pl.Int64})
    return score(planted, boxes, planted.true_labels.clear())


def medoids(boxes: np.ndarray, owners: list[str], voters: int) -> np.ndarray:
    """One box of each cluster that more than half of the annotators have a box in: indices."""
    overlap = pairwise_iou(boxes, boxes)
    free, out = set(range(len(boxes))), []
    for seed in np.argsort(-overlap.sum(axis=1)):
        if seed not in free:
            continue
        members = {owners[seed]: int(seed)}
        for other in np.argsort(-overlap[seed]):
            if other in free and overlap[seed, other] >= 0.5:
                members.setdefault(owners[other], int(other))
        chosen = sorted(members.values())
        free -= set(chosen)
        if 2 * len(chosen) > voters:
            best = overlap[np.ix_(chosen, chosen)].sum(axis=1).argmax()
            out.append(chosen[best])
    return np.array(out, dtype=int)


def followed(frames: dict[int, tuple[np.ndarray, np.ndarray]]) -> dict[tuple[int, int], np.ndarray]:
    """Person numbers for boxes at each second: of the pre-drawn track; without one, of whom they overlap a second
    before, or a new one. `frames`: boxes and pre-drawn tracks (-1 for none) at each second."""
    result: dict[tuple[int, int], np.ndarray] = {}
    last: dict[int, np.ndarray] = {}
    people = 1000
    for second in sorted(frames):
        boxes, seeds = frames[second]
        now: dict[int, int] = {}
        for box, seed in enumerate(seeds.tolist()):
            if seed >= 0:
                now.setdefault(seed, box)
        loose = sorted(set(range(len(boxes))) - set(now.values()))
        names = [name for name in last if name not in now]
        if names and loose:
            overlap = pairwise_iou(np.array([last[name] for name in names]), boxes[loose])
            for row, column in zip(*linear_sum_assignment(-overlap), strict=True):
                if overlap[row, column] >= 0.3:
                    now[names[row]] = loose[column]
        for box in sorted(set(loose) - set(now.values())):
            people += 1
            now[people] = box
        found = {name: boxes[box] for name, box in now.items()}
        result |= {(second, name): box for name, box in found.items()}
        last = found
    return result


def errors_in_most_uncertain(planted: Planted, tables: dict[str, pl.DataFrame], part: float = 0.2) -> float:
    """Share of all label errors that lie in the most uncertain `part` of the boxes."""
    boxes, labels = tables["consensus_boxes"], tables["consensus_labels"]
    pairs = matched(planted.true_boxes, boxes)
    key = ["clip_id", "second", "person_id_b", "action_id"]
    true = planted.true_labels.join(pairs, on=PLACE).select(key)
    said = labels.rename({"person_id": "person_id_b"}).join(pairs, on=key[:3], how="semi").select(key)
    said = said.cast(dict(true.schema))
    wrong = pl.concat([true.join(said, on=key, how="anti"), said.join(true, on=key, how="anti")])
    doubt = tables["queue"].group_by(PLACE).agg(pl.col("expected_error").sum())
    ranked = (
        boxes.select(PLACE)
        .join(doubt, on=PLACE, how="left")
        .fill_null(0)
        .sort("expected_error", descending=True)
    )
    first = ranked.head(int(part * ranked.height)).rename({"person_id": "person_id_b"})
    wrong = wrong.cast({name: first.schema[name] for name in key[:3]})
    return wrong.join(first, on=key[:3], how="semi").height / wrong.height


def labels(bars: Bars) -> None:
    """Every scenario of the label bars."""
    rows = []
    names = ["3 good", *LABEL_BARS]
    for name in names:
        found = defaultdict(list)
        for seed in SEEDS:
            planted = scenario(name, seed)
            mine, suspects, tables = ours(planted)
            found["ours"].append((mine.micro, mine.macro))
            for method, one_pose in (("majority", False), ("majority + pose", True)):
                other = majority_vote(planted, one_pose=one_pose)
                found[method].append((other.micro, other.macro))
            found["lazy gated out"].append(name.endswith("lazy") and "other0" in suspects)
            found["errors in queue"].append(errors_in_most_uncertain(planted, tables))
        mean = {key: np.mean(values, axis=0) for key, values in found.items()}
        rows.append(
            [name, *mean["majority"], *mean["majority + pose"], *mean["ours"], float(mean["errors in queue"])]
        )
        bars.figure(name, {key: np.asarray(value).tolist() for key, value in mean.items()})
        if name == "3 good":
            for which, (what, bar) in enumerate((("micro", -0.005), ("macro", -0.010))):
                gain = float(mean["ours"][which] - mean["majority + pose"][which])
                bars.bar(f"{name}: {what} F1 over majority + pose", gain, bar, holds=gain >= bar)
            continue
        for which, (what, bar) in enumerate(zip(("micro", "macro"), LABEL_BARS[name], strict=True)):
            gain = float(mean["ours"][which] - mean["majority"][which])
            if bar is not None:
                bars.bar(f"{name}: {what} F1 over majority", gain, bar, holds=gain >= bar)
        if name.endswith("lazy"):
            out = float(mean["lazy gated out"])
            bars.bar(f"{name}: gated out", out, 0, holds=out == 0)
    header = ["labels (F1)", "MV micro", "MV macro", "+pose", "+pose", "ours", "ours", "errors in top 20 %"]
    table(header, rows)


def boxes(bars: Bars) -> None:
    """Every scenario of the box bars; nobody is excluded."""
    rows = []
    for name, limits in BOX_BARS.items():
        pairs = []
        for seed in SEEDS:
            planted = scenario(name, seed)
            mine, other = ours(planted)[0], medoid_merge(planted)
            pairs.append((mine.mean_iou, other.mean_iou, mine.idf1, other.idf1))
        mean = np.mean(pairs, axis=0)
        rows.append([name, *(float(value) for value in mean)])
        for what, bar, at in (("mean IoU", limits[0], 0), ("IDF1", limits[1], 2)):
            gain = float(mean[at] - mean[at + 1])
            bars.bar(f"{name}: {what} over per-frame medoid", gain, bar, holds=gain >= bar)
    print()
    table(["boxes", "IoU ours", "IoU medoid", "IDF1 ours", "IDF1 medoid"], rows)


def gate(bars: Bars) -> None:
    """Spammers at five clips, and good annotators of many batches."""
    flagged = spammers = wronged = 0
    for seed in range(GATE_RUNS):
        profiles = good_annotators(3, seed) | {"spam0": RANDOM, "spam1": CONSTANT}
        verdicts = measure_agreement(*plant(profiles, seed=seed, clips=5).work, repetitions=1)["gate"]
        status = dict(verdicts.select("annotator", "status").rows())
        spammers += 2
        flagged += sum(status[name] == "suspect" for name in ("spam0", "spam1"))
        wronged += sum(value == "suspect" for name, value in status.items() if name.startswith("good"))
    print(
        f"\ngate: {flagged} of {spammers} spammers flagged at 5 clips; {wronged} good annotators, {GATE_RUNS} runs"
    )
    bars.bar("spammers flagged at 5 clips, share", flagged / spammers, 1, holds=flagged == spammers)
    bars.bar(f"good annotators flagged in {GATE_RUNS} runs", wronged, 0, holds=wronged == 0)


def main() -> None:
    options = argument_parser(__doc__ or "").parse_args()
    bars = Bars("consensus")
    bars.figure("seeds", list(SEEDS))
    labels(bars)
    boxes(bars)
    gate(bars)
    bars.finish(options.json)


if __name__ == "__main__":
    main()
