"""How much of the planted truth came back: walkers found by the tracker, labels right by person and consensus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.schemas import BOX_COLUMNS, PLACE, Schema, empty
from ava_core.demo.truth import VISIBLE, ClipTruth
from ava_core.ontology import Ontology
from ava_core.video.tracking.iou import pairwise_iou

Array = npt.NDArray[np.float64]

IOU: Final = 0.4
"""Overlap from which a box is around a walker; the one at which the motion detector is measured elsewhere."""

FOUND_SHARE: Final = 0.5
"""Share of the seconds in which a walker is visible that must be covered for the walker to be found."""

CONSENSUS: Final = "consensus"

LABEL_SCORE: Final[Schema] = {
    "who": pl.String,  # an annotator, or "consensus"
    "labels": pl.Int64,  # known labels (person, second, group) in the clips this one worked on
    "rated": pl.Int64,  # of these: around the person lies a box, and the group was rated
    "right": pl.Int64,  # of these: exactly the true actions
    "accuracy": pl.Float64,  # right / rated
    "of_all": pl.Float64,  # right / labels: what was missed counts as wrong
    "mean_iou": pl.Float64,  # of the matched boxes with the true ones
}


@dataclass(frozen=True)
class WalkerScore:
    """Walkers planted and found, and boxes at keyframes against the true ones.

    `recall`: visible true boxes that a proposal covers; `precision`: proposals that lie on a walker. `walkers` has
    `walker, visible_s, covered_s, found`.
    """

    planted: int
    found: int
    recall: float
    precision: float
    walkers: pl.DataFrame


def score_walkers(truth: ClipTruth, proposals: pl.DataFrame, iou: float = IOU) -> WalkerScore:
    """Compare `schemas.PROPOSALS` with the truth at every whole second.

    Hardly visible walkers (`truth.VISIBLE`) are neither missed nor wrongly found.
    """
    pairs = match_boxes(truth.boxes, proposals.with_row_index("proposal"), "proposal", iou)
    boxes = truth.boxes.join(
        pairs.select("clip_id", "second", "walker", "proposal"),
        on=["clip_id", "second", "walker"],
        how="left",
    ).with_columns(covered=pl.col("proposal").is_not_null())
    visible = boxes.filter(pl.col("visible") >= VISIBLE)
    walkers = (
        visible.group_by("walker")
        .agg(pl.len().alias("visible_s"), pl.col("covered").sum().alias("covered_s"))
        .with_columns(found=pl.col("covered_s") >= FOUND_SHARE * pl.col("visible_s"))
        .sort("walker")
    )
    judged = proposals.height - boxes.filter(pl.col("covered") & (pl.col("visible") < VISIBLE)).height
    right = visible["covered"].sum()
    return WalkerScore(
        planted=walkers.height,
        found=int(walkers["found"].sum()),
        recall=_share(right, visible.height),
        precision=_share(right, judged),
        walkers=walkers,
    )


def score_labels(
    truth: ClipTruth,
    raw_boxes: pl.DataFrame,
    raw_labels: pl.DataFrame,
    consensus_boxes: pl.DataFrame,
    consensus_labels: pl.DataFrame,
    ontology: Ontology,
) -> pl.DataFrame:
    """Each annotator and the consensus against the truth: `LABEL_SCORE`, annotators first by name.

    Takes `schemas.RAW_BOXES`, `RAW_LABELS` (of several versions of a job the last one counts), `CONSENSUS_BOXES`
    and `CONSENSUS_LABELS`.
    """
    rows = []
    for who in sorted(raw_boxes["annotator"].unique()):
        boxes = _latest(raw_boxes.filter(pl.col("annotator") == who))
        labels = _latest(raw_labels.filter(pl.col("annotator") == who))
        rows.append(_score(truth, who, boxes, labels.rename({"track_key": "key"}), "track_key"))
    if consensus_boxes.height:
        labels = _consensus_sets(consensus_boxes, consensus_labels, ontology)
        rows.append(_score(truth, CONSENSUS, consensus_boxes, labels, "person_id"))
    return pl.DataFrame(rows, schema=dict(LABEL_SCORE))


def _score(
    truth: ClipTruth, who: str, boxes: pl.DataFrame, labels: pl.DataFrame, key: str
) -> dict[str, object]:
    """One row of `LABEL_SCORE`; `labels` has `clip_id, second, key, group, action_ids`."""
    pairs = match_boxes(truth.boxes, boxes, key, IOU)
    seen = truth.boxes.filter(pl.col("visible") >= VISIBLE).select("clip_id", "second", "walker")
    known = truth.labels.join(boxes.select("clip_id").unique(), on="clip_id", how="semi")
    known = known.join(seen, on=["clip_id", "second", "walker"], how="semi")
    rated = known.join(pairs, on=["clip_id", "second", "walker"]).join(
        labels.select("clip_id", "second", pl.col("key").alias(key), "group", said="action_ids"),
        on=["clip_id", "second", key, "group"],
    )
    right = rated.filter(pl.col("action_ids").list.sort() == pl.col("said").list.sort()).height
    return {
        "who": who, "labels": known.height, "rated": rated.height, "right": right,
        "accuracy": _share(right, rated.height), "of_all": _share(right, known.height),
        "mean_iou": pairs["iou"].mean(),
    }  # fmt: skip


def _latest(table: pl.DataFrame) -> pl.DataFrame:
    return table.filter(pl.col("version") == pl.col("version").max().over("job_id"))


def _consensus_sets(boxes: pl.DataFrame, labels: pl.DataFrame, ontology: Ontology) -> pl.DataFrame:
    """Consensus labels as sets of actions; a multi group without a row says that none of its actions holds."""
    spot = [*PLACE, "group"]
    sets = labels.group_by(spot).agg(pl.col("action_id").sort().alias("action_ids"))
    multi = pl.DataFrame({"group": [group.name for group in ontology.groups if group.kind == "multi"]},
                         schema={"group": pl.String})  # fmt: skip
    silent = boxes.select(PLACE).join(multi, how="cross")
    silent = silent.join(sets, on=spot, how="anti").with_columns(
        action_ids=pl.lit([], dtype=pl.List(pl.Int32))
    )
    return pl.concat([sets, silent.select(sets.columns)]).rename({"person_id": "key"})


def match_boxes(truth: pl.DataFrame, boxes: pl.DataFrame, key: str, least_iou: float) -> pl.DataFrame:
    """Which box is around which walker, one to one in every second, by the greatest sum of overlaps.

    `truth` has the columns of `TRUTH_BOXES`, `boxes` `clip_id, second, <key>` and a box. Returns
    `clip_id, second, walker, <key>, iou`.
    """
    from scipy.optimize import linear_sum_assignment

    theirs = boxes.partition_by("clip_id", "second", as_dict=True)
    found = []
    for spot, walkers in truth.partition_by("clip_id", "second", as_dict=True).items():
        if spot not in theirs:
            continue
        overlap: Array = pairwise_iou(_array(walkers), _array(theirs[spot]))
        overlap = np.where(overlap >= least_iou, overlap, 0.0)
        rows, columns = linear_sum_assignment(-overlap)
        hit = overlap[rows, columns] > 0
        rows, columns = rows[hit], columns[hit]
        found.append(
            walkers[rows]
            .select("clip_id", "second", "walker")
            .with_columns(theirs[spot][columns][key], iou=overlap[rows, columns])
        )
    schema: Schema = {
        "clip_id": pl.String, "second": pl.Int32, "walker": pl.String, key: boxes.schema[key], "iou": pl.Float64
    }  # fmt: skip
    return pl.concat(found) if found else empty(schema)


def _array(table: pl.DataFrame) -> Array:
    return table.select(BOX_COLUMNS).to_numpy().astype(np.float64)


def _share(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole else 0.0
