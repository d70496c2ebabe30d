"""One box from several: who is there by quorum, where by the mean of those that agree."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.tables import BOX_COLUMNS, CONSENSUS_BOXES
from ava_core.tracking.iou import pairwise_iou

Array = npt.NDArray[np.float64]

SAME_BOX: Final = 0.5
UNTOUCHED_WEIGHT: Final = 0.3
"""Weight of a box that its annotator left as it was drawn: it says little about where the person is."""


def merge_boxes(boxes: pl.DataFrame, voters: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`tables.CONSENSUS_BOXES`, and the places where exactly half see a person: `clip_id, second, person_id`.

    `boxes`: one box per annotator, person and second (`agreement.boxes.person_boxes`) of trusted annotators;
    `voters`: `clip_id, voters`, how many trusted annotators completed the clip. A person is there where more
    than half of them drew a box.
    """
    rows: list[dict[str, Any]] = []
    ties: list[tuple[str, int, int]] = []
    count = dict(voters.select("clip_id", "voters").rows())
    at = ["clip_id", "second", "person_id"]
    for place, group in boxes.sort(*at, "annotator").group_by(at, maintain_order=True):
        clip_id, second, person_id = str(place[0]), int(str(place[1])), int(str(place[2]))
        votes, total = group.height, count[clip_id]
        if 2 * votes == total:
            ties.append((clip_id, second, person_id))
        if 2 * votes <= total:
            continue
        box, agreement = _merge(group.select(BOX_COLUMNS).to_numpy(), group["edited"].to_numpy())
        rows.append({
            "clip_id": clip_id, "second": second, "person_id": person_id,
            **dict(zip(BOX_COLUMNS, box.tolist(), strict=True)),
            "votes": votes, "voters": total, "agreement_iou": agreement,
            "rule": "single" if total == 1 else "quorum",
        })  # fmt: skip
    tied = pl.DataFrame(ties, schema=["clip_id", "second", "person_id"], orient="row")
    return pl.DataFrame(rows, schema=dict(CONSENSUS_BOXES)), tied


def _merge(boxes: Array, edited: npt.NDArray[np.bool_]) -> tuple[Array, float | None]:
    """Weighted mean of the boxes that overlap the best-supported one, and their mean IoU with the result."""
    if len(boxes) == 1:
        return boxes[0], None
    weights = np.where(edited, 1.0, UNTOUCHED_WEIGHT)
    overlap = pairwise_iou(boxes, boxes)
    medoid = int((overlap * weights).sum(axis=1).argmax())
    near = overlap[medoid] >= SAME_BOX
    merged: Array = np.average(boxes[near], axis=0, weights=weights[near])
    return merged, float(pairwise_iou(merged[None], boxes).mean())
