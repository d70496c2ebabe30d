"""Gold clips: an expert's completed job is the truth, and accuracy stands beside agreement.

The gold clips lie hidden among the others. A person or a group that the annotator left out counts as wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.quality.agreement.overlap import box_iou
from ava_core.quality.agreement.panel import Panel

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class GoldSums:
    """Per clip and slot `(clips, K)`: answers of the expert, those that the annotator gave exactly, IoU summed over
    shared boxes, and shared boxes; zero for the expert and in clips that are not gold."""

    answers: Array
    right: Array
    iou: Array
    boxes: Array


def with_expert_jobs(
    raw: Mapping[str, pl.DataFrame], gold: Mapping[str, str] | None
) -> dict[str, pl.DataFrame]:
    """`raw_boxes`, `raw_labels`, `completed_jobs` of `raw_annotations`, with the job of each gold clip's expert.

    An annotator's job is among them already; that of an expert who adjudicated the clip in its parent job is not, and
    is added. A clip that its expert emptied measures nobody.
    """
    work = {name: raw[name] for name in ("raw_boxes", "raw_labels", "completed_jobs")}
    if not gold or "expert_boxes" not in raw:
        return work
    key = ["clip_id", "annotator"]
    experts = pl.DataFrame(list(gold.items()), schema=dict.fromkeys(key, pl.String), orient="row")
    experts = experts.join(work["completed_jobs"], on=key, how="anti")
    boxes, labels = (
        raw[name].join(experts, on=key, how="semi") for name in ("expert_boxes", "expert_labels")
    )
    jobs = boxes.select(work["completed_jobs"].columns).unique().sort(key)
    added = {"raw_boxes": boxes, "raw_labels": labels, "completed_jobs": jobs}
    return {name: pl.concat([table, added[name]]) for name, table in work.items()}


def expert_slots(panel: Panel, gold: Mapping[str, str]) -> Flags:
    """Where each gold clip's expert sits: `(clips, K)`. `gold`: the expert of each gold clip; a clip whose expert
    has not completed it is not gold."""
    wanted = np.array([panel.annotators.index(gold[c]) if gold.get(c) in panel.annotators else -2
                       for c in panel.clips], dtype=np.int64)  # fmt: skip
    flags: Flags = panel.crew == wanted[:, None]
    return flags


def gold_sums(panel: Panel, gold: Mapping[str, str]) -> GoldSums:
    """Compare every annotator of the gold clips with the clip's expert."""
    expert = expert_slots(panel, gold)
    is_gold = np.atleast_2d(expert.any(axis=1, keepdims=True))[panel.clip, 0]
    slot = expert.argmax(axis=1)[panel.clip] if panel.crew.shape[1] else panel.clip
    at = np.flatnonzero(is_gold)
    own = slot[at]
    asked = panel.rated[at, own][:, None]  # (n, 1, G)
    differs = panel.votes[at] ^ panel.votes[at, own][:, None]
    same = np.stack(
        [~differs[:, :, panel.group_of == g].any(axis=2) for g in range(panel.rated.shape[2])], axis=2
    )
    right = (asked & panel.rated[at] & same).sum(axis=2)
    iou = box_iou(panel.boxes[at], panel.boxes[at, own][:, None])
    other = (panel.who[at] >= 0) & (np.arange(panel.crew.shape[1]) != own[:, None])
    shape = (len(panel.clips), panel.crew.shape[1])
    sums = [np.zeros(shape) for _ in range(4)]
    values = (np.broadcast_to(asked.sum(axis=2), right.shape), right, np.nan_to_num(iou), ~np.isnan(iou))
    for total, value in zip(sums, values, strict=True):
        np.add.at(total, panel.clip[at], np.where(other, value, 0))
    return GoldSums(*sums)
