"""What came of planted work, against its truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment

from ava_core.base.schemas import BOX_COLUMNS
from ava_core.quality.agreement.overlap import box_iou
from tests.support.planted_work import PLACE, Planted


@dataclass(frozen=True)
class Score:
    """Against the truth: F1 of labels over all (micro) and mean over classes (macro), boxes and identities."""

    micro: float
    macro: float
    mean_iou: float
    idf1: float


def score(planted: Planted, boxes: pl.DataFrame, labels: pl.DataFrame) -> Score:
    """`boxes`: `PLACE`, box; `labels`: `PLACE`, `action_id`. Labels of a box on nobody are wrong."""
    pairs = matched(planted.true_boxes, boxes)
    true = planted.true_labels.select(*PLACE, "action_id")
    said = labels.select(*PLACE, "action_id").join(boxes.select(PLACE), on=PLACE, how="semi")
    moved = said.rename({"person_id": "person_id_b"}).join(pairs, on=["clip_id", "second", "person_id_b"])
    right = moved.join(true, on=[*PLACE, "action_id"], how="semi").group_by("action_id").len("right")
    table = (
        true.group_by("action_id").len("true")
        .join(said.group_by("action_id").len("said"), on="action_id", how="full", coalesce=True)
        .join(right, on="action_id", how="left").fill_null(0)
    )  # fmt: skip
    f1 = 2 * pl.col("right") / (pl.col("true") + pl.col("said"))
    sums = table.select(pl.col("right", "true", "said").sum()).row(0)
    return Score(
        micro=2 * sums[0] / (sums[1] + sums[2]),
        macro=float(table.filter(pl.col("true") > 0).select(f1.mean()).item()),
        mean_iou=float(pairs["iou"].mean()),
        idf1=_idf1(planted.true_boxes, boxes, pairs),
    )


def matched(true: pl.DataFrame, boxes: pl.DataFrame, least: float = 0.5) -> pl.DataFrame:
    """`PLACE`, `person_id_b`, `iou`: at each second, boxes that are each other's best at IoU ≥ `least`."""
    both = true.join(boxes.select(*PLACE, *BOX_COLUMNS), on=["clip_id", "second"], suffix="_b")
    sides = (both.select(f"{name}{end}" for name in BOX_COLUMNS).to_numpy() for end in ("", "_b"))
    found = both.with_columns(iou=pl.Series(box_iou(*sides))).filter(pl.col("iou") >= least)
    mutual = (pl.col("iou") == pl.col("iou").max().over(PLACE)) & (
        pl.col("iou") == pl.col("iou").max().over("clip_id", "second", "person_id_b")
    )
    return found.filter(mutual).select(*PLACE, "person_id_b", "iou")


def _idf1(true: pl.DataFrame, boxes: pl.DataFrame, pairs: pl.DataFrame) -> float:
    """Identity F1 (Ristani et al., 2016): boxes on the right person under the best one-to-one naming."""
    right = 0.0
    for _, clip in pairs.group_by("clip_id"):
        counts = clip.group_by("person_id", "person_id_b").len()
        rows, columns = (
            counts[c].rank("dense").to_numpy().astype(int) - 1 for c in ("person_id", "person_id_b")
        )
        table = np.zeros((rows.max() + 1, columns.max() + 1))
        table[rows, columns] = counts["len"].to_numpy()
        right += table[linear_sum_assignment(-table)].sum()
    return 2 * right / (true.height + boxes.height)
