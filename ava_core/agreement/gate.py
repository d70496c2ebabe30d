"""The gate: who may be unreliable. It only names suspects; a person decides.

Suspect is who has been seen enough (≥ 2 clips, ≥ 100 shared boxes) and agrees with no one well (best pooled
alpha below .25), or on average with others less than half as well as the median. Also named: pairs that are
nearly identical, and people who edit less than a third of the median.
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from ava_core.tables import Schema

LEAST_ALPHA: Final = 0.25
LEAST_SHARE_OF_MEDIAN: Final = 0.5
LEAST_EDIT_SHARE: Final = 1 / 3
LEAST_CLIPS: Final = 2
LEAST_BOXES: Final = 100
IDENTICAL: Final = 0.98
"""Mean IoU and label agreement from which two people's work looks like one's."""

GATE: Final[Schema] = {"annotator": pl.String, "status": pl.String, "reasons": pl.List(pl.String)}


def gate(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Verdicts from the tables of `measure_agreement`: `annotator, status, reasons`.

    `status`: `ok`, `suspect`, or `unknown` where too little was seen.
    """
    cards = tables["annotators"]
    median_alpha = cards["mean_alpha"].median()
    median_edits = cards["edit_rate"].median()
    twins = _near_identical(tables["pairs"])
    rows: list[dict[str, Any]] = []
    for card in cards.to_dicts():
        name = card["annotator"]
        if card["clips"] < LEAST_CLIPS or (card["shared_boxes"] or 0) < LEAST_BOXES:
            seen = (
                f"{card['clips']} clip(s) and {card['shared_boxes'] or 0} shared boxes are too few to judge"
            )
            rows.append({"annotator": name, "status": "unknown", "reasons": [seen]})
            continue
        reasons = _disagreement(card, median_alpha) + twins.get(name, [])
        if median_edits and (card["edit_rate"] or 0) < LEAST_EDIT_SHARE * float(str(median_edits)):
            reasons.append(
                f"edits {card['edit_rate']:.0%} of boxes, the median is {float(str(median_edits)):.0%}"
            )
        rows.append({"annotator": name, "status": "suspect" if reasons else "ok", "reasons": reasons})
    return pl.DataFrame(rows, schema=dict(GATE))


def _disagreement(card: dict[str, Any], median: Any) -> list[str]:
    best, mean = card["best_alpha"], card["mean_alpha"]
    if best is not None and best < LEAST_ALPHA:
        return [f"agrees with no one (best pooled alpha {best:.2f})"]
    if mean is not None and median is not None and mean < LEAST_SHARE_OF_MEDIAN * float(median):
        return [f"agrees half as well as the median (pooled alpha {mean:.2f}, median {median:.2f})"]
    return []


def _near_identical(pairs: pl.DataFrame) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    alike = pairs.filter(
        pl.col("shared_boxes") >= LEAST_BOXES,
        pl.col("mean_iou") >= IDENTICAL,
        pl.col("label_agreement") >= IDENTICAL,
    )
    for a, b in alike.select("annotator", "annotator_b").rows():
        found.setdefault(a, []).append(f"work nearly identical to {b}'s")
        found.setdefault(b, []).append(f"work nearly identical to {a}'s")
    return found
