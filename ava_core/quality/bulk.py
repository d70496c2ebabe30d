"""Approving many clips at once: which ones pass given thresholds, and why the others do not."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ava_core.decisions import DecisionState


@dataclass(frozen=True)
class Thresholds:
    """Least figures of a clip; 0 asks for nothing. The defaults are those below which reviewers were warned before."""

    pooled_alpha: float = 0.4
    mean_iou: float = 0.5
    f1: float = 0.7


@dataclass(frozen=True)
class BulkPlan:
    """`approve`: clips that pass; `left`: `clip_id, reason` of the others that are not judged yet."""

    approve: tuple[str, ...]
    left: pl.DataFrame


def plan_bulk_approval(clips: pl.DataFrame, state: DecisionState, thresholds: Thresholds) -> BulkPlan:
    """What a bulk approval would do. `clips`: `tables.AGREEMENT_BY_CLIP`.

    A figure that is undefined passes no threshold but 0: it is not known to be good. Clips that were judged are
    left as they are.
    """
    judged = state.approved | state.rejected
    reasons = {
        str(row["clip_id"]): _why_not(row, thresholds)
        for row in clips.sort("clip_id").to_dicts()
        if row["clip_id"] not in judged
    }
    return BulkPlan(
        tuple(clip for clip, reason in reasons.items() if not reason),
        pl.DataFrame(
            [{"clip_id": clip, "reason": reason} for clip, reason in reasons.items() if reason],
            schema={"clip_id": pl.String, "reason": pl.String},
        ),
    )


def _why_not(row: dict[str, object], thresholds: Thresholds) -> str:
    for name in ("pooled_alpha", "mean_iou", "f1"):
        least, value = getattr(thresholds, name), row[name]
        if least <= 0:
            continue
        if value is None:
            return f"{name} is undefined: {row['reason'] or 'too little to compare'}"
        if float(str(value)) < least:
            return f"{name} {value:.3f} is below {least:g}"
    return ""
