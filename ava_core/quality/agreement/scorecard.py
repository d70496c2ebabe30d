"""One row an annotator: how much, how well with the others, how well against gold, and whether it changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.schemas import SCORECARDS
from ava_core.quality.agreement import alpha
from ava_core.quality.agreement.bootstrap import ClipBootstrap, Estimate, interval, share
from ava_core.quality.agreement.gold import GoldSums
from ava_core.quality.agreement.overlap import edge_shifts
from ava_core.quality.agreement.pairs import EDGES, PairFigures, PairSums, pooled_alpha, ratio
from ava_core.quality.agreement.panel import Panel
from ava_core.quality.agreement.reliability import estimate_labels

Array = npt.NDArray[np.float64]

LEAST_CLIPS_FOR_DRIFT: Final = 6
"""Clips that an annotator shares with others before an earlier and a later half are compared."""

ALONE: Final = "no clip shared with another annotator"
NO_JOB: Final = "no job completed"
NO_GOLD: Final = "no gold clip done"
TOO_FEW: Final = f"fewer than {LEAST_CLIPS_FOR_DRIFT} shared clips"


def scorecards(
    panel: Panel,
    pairs: PairSums,
    by_pair: pl.DataFrame,
    gold: GoldSums,
    steadiness: tuple[Array, Array],
    bootstrap: ClipBootstrap,
    *,
    order: Mapping[tuple[str, str], int],
    assigned: Collection[str],
) -> pl.DataFrame:
    """`schemas.SCORECARDS`. `order`: place of each clip in its annotator's work; `assigned`: everybody who has a job,
    completed or not; `steadiness`: from `flips`."""
    errs = estimate_labels(panel)
    shift = edge_shifts(panel.boxes)
    changed, steady = steadiness
    rows = []
    for number, name in enumerate(panel.annotators):
        own = panel.crew == number
        clip, slot = np.nonzero(own)
        box = (panel.who == number) & panel.present
        against = pairs.only((pairs.a == number) | (pairs.b == number))
        shared = PairFigures.of(against, bootstrap)
        agreed = shared.estimate(pooled_alpha, alpha.CONSTANT if shared.count("units") else ALONE)
        drift = _drift(against, shared, bootstrap, panel, name, order)
        accuracy = bootstrap.ratio(gold.right[clip, slot], gold.answers[clip, slot], clip, NO_GOLD)
        shifts = shift[box]
        known = shifts[~np.isnan(shifts[:, 0])]
        notes = [agreed.reason and f"alpha: {agreed.reason}", accuracy.reason and f"gold: {accuracy.reason}",
                 drift.reason and f"drift: {drift.reason}"]  # fmt: skip
        rows.append({
            "annotator": name, "clips": len(clip), "boxes": int(box.sum()),
            "ratings": int(panel.rated[panel.who == number].sum()),
            "edit_rate": float(panel.edited[box].mean()) if box.any() else None,
            **_fields("alpha", agreed), **_partners(by_pair, name),
            "mean_iou": _known(float(ratio("iou", "shared")(shared.total)[0])),
            "shared_boxes": shared.count("shared"),
            "sensitivity": _known(errs.sensitivity[number]), "false_alarm_rate": _known(errs.false_alarms[number]),
            "box_error": float(np.abs(known).mean()) if len(known) else None,
            **{f"bias_{edge}": float(known[:, side].mean()) if len(known) else None
               for side, edge in enumerate(EDGES)},
            "flip_rate": _ratio(changed[clip, slot], steady[clip, slot]),
            **_fields("gold_accuracy", accuracy), "gold_answers": int(gold.answers[clip, slot].sum()),
            "gold_iou": _ratio(gold.iou[clip, slot], gold.boxes[clip, slot]),
            **_fields("drift", drift),
            "reason": "; ".join(note for note in notes if note),
        })  # fmt: skip
    idle = sorted(set(assigned) - set(panel.annotators))
    rows += [{"annotator": name, "clips": 0, "boxes": 0, "reason": NO_JOB} for name in idle]
    return pl.DataFrame(rows, schema=dict(SCORECARDS)).sort("annotator")


def _drift(
    against: PairSums,
    shared: PairFigures,
    bootstrap: ClipBootstrap,
    panel: Panel,
    name: str,
    order: Mapping[tuple[str, str], int],
) -> Estimate:
    """Alpha against the others in the later half of somebody's clips minus that in the earlier half."""
    clips = np.unique(against.clip)
    if len(clips) < LEAST_CLIPS_FOR_DRIFT:
        return Estimate(None, reason=TOO_FEW)
    in_order = sorted(clips.tolist(), key=lambda clip: order[panel.clips[clip], name])
    earlier = PairFigures.of(against.only(np.isin(against.clip, in_order[: len(in_order) // 2])), bootstrap)
    value, drawn = (
        pooled_alpha(whole.minus(half)) - pooled_alpha(half)
        for whole, half in ((shared.total, earlier.total), (shared.drawn, earlier.drawn))
    )
    return interval(float(value[0]), drawn, len(clips), alpha.CONSTANT)


def _partners(by_pair: pl.DataFrame, name: str) -> dict[str, float | None]:
    """Best and mean pooled alpha over partners."""
    own = by_pair.filter((pl.col("annotator") == name) | (pl.col("annotator_b") == name))["pooled_alpha"]
    best, mean = own.max(), own.mean()
    return {"best_alpha": best, "mean_alpha": mean}  # type: ignore[dict-item]


def _fields(name: str, found: Estimate) -> dict[str, Any]:
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def _ratio(part: Array, whole: Array) -> float | None:
    return _known(float(share(part.sum(keepdims=True), whole.sum(keepdims=True))[0]))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
