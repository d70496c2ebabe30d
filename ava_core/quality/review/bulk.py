"""Approving many clips at once: which ones pass given thresholds, and why the others do not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import polars as pl

from ava_core.base.schemas import GRAVE
from ava_core.decisions import DecisionState


@dataclass(frozen=True)
class Thresholds:
    """Least figures of a clip; 0 asks for nothing. The defaults are those below which reviewers were warned before."""

    pooled_alpha: float = 0.4
    mean_iou: float = 0.5
    f1: float = 0.7
    kappa: float = 0.0


@dataclass(frozen=True)
class BulkPlan:
    """`approve`: clips that pass; `left`: `clip_id, reason` of the others that are not judged yet."""

    approve: tuple[str, ...]
    left: pl.DataFrame


def plan_bulk_approval(
    clips: pl.DataFrame,
    judged: Collection[str],
    thresholds: Thresholds,
    blocked: Mapping[str, str] | None = None,
) -> BulkPlan:
    """What a bulk approval would do. `clips`: `schemas.AGREEMENT_BY_CLIP`, of this version or an older one; `judged`:
    those that were approved or rejected.

    A figure that is undefined passes no threshold but 0: it is not known to be good. Clips that were judged are
    left as they are, and so are those in `blocked`, for the reason that stands there (`blocked_clips`).
    """
    stopped = blocked or {}
    reasons = {
        str(row["clip_id"]): stopped.get(row["clip_id"], "") or _why_not(row, thresholds)
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


def plan_over_batches(
    clips: pl.DataFrame, findings: pl.DataFrame, states: Mapping[str, DecisionState], thresholds: Thresholds
) -> tuple[dict[str, list[str]], pl.DataFrame]:
    """What one approval over many batches would do: clips by batch, and `clip_id, batch, reason` of those that stay.

    `clips`, `findings`: `schemas.AGREEMENT_BY_CLIP` and `schemas.RULE_FINDINGS` with a column `batch`; `states`: what
    was decided, by batch.
    """
    out = [(batch, who) for batch, state in states.items() for who in state.excluded]
    excluded = pl.DataFrame(out, schema={"batch": pl.String, "annotator": pl.String}, orient="row")
    blocked = blocked_clips(findings.join(excluded, on=["batch", "annotator"], how="anti"))
    judged = frozenset().union(*(state.judged for state in states.values()))
    plan = plan_bulk_approval(clips, judged, thresholds, blocked)
    batch_of = dict(clips.select("clip_id", "batch").iter_rows())
    approve: dict[str, list[str]] = {}
    for clip in plan.approve:
        approve.setdefault(batch_of[clip], []).append(clip)
    left = plan.left.join(clips.select("clip_id", "batch"), on="clip_id", how="left")
    return approve, left.select("clip_id", "batch", "reason")


def blocked_clips(findings: pl.DataFrame, excluded: Collection[str] = ()) -> dict[str, str]:
    """Clips that break a rule which must not be broken, each with a sentence about its first breach.

    `findings`: `schemas.RULE_FINDINGS`; the work of `excluded` annotators goes into no consensus and blocks none.
    """
    grave = findings.filter(
        GRAVE, ~pl.col("annotator").is_in(sorted(excluded))
    ).sort("clip_id", "second", "annotator", "rule", "track_key")  # fmt: skip
    firsts = grave.group_by("clip_id", maintain_order=True).agg(
        pl.col("rule", "annotator", "second", "detail").first(), more=pl.len() - 1
    )
    return {
        row["clip_id"]: "{annotator} breaks rule {rule} at second {second}: {detail}".format(**row)
        + (f" (and {row['more']} more)" if row["more"] else "")
        for row in firsts.to_dicts()
    }


def _why_not(row: dict[str, object], thresholds: Thresholds) -> str:
    for name in ("pooled_alpha", "kappa", "mean_iou", "f1"):
        least, value = getattr(thresholds, name), row.get(name)
        if least <= 0:
            continue
        if name not in row:
            return f"{name} has not been measured yet: materialise agreement again"
        if value is None:
            return f"{name} is undefined: {_reason(row, name)}"
        if float(str(value)) < least:
            return f"{name} {value:.3f} is below {least:g}"
    return ""


def _reason(row: dict[str, object], name: str) -> str:
    """Why a figure is undefined. The row's reason is about alpha, and then about kappa too; or about kappa alone."""
    reason = str(row["reason"] or "")
    if reason.startswith("kappa: ") and name != "kappa":
        reason = ""
    return reason.removeprefix("kappa: ") or "too little to compare"
