"""The gate: who may be unreliable. It only names suspects; a person decides.

Suspect is who has been seen enough (≥ 2 clips, ≥ 100 shared boxes) and agrees with no one well (best pooled
alpha below .25), or on average with others less than half as well as the median. To watch, but not distrusted for
it: pairs that are nearly identical (one may have copied), and people who edit less than a third of the median.
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from ava_core.base.schemas import GATE, GateStatus

LEAST_ALPHA: Final = 0.25
LEAST_SHARE_OF_MEDIAN: Final = 0.5
LEAST_EDIT_SHARE: Final = 1 / 3
LEAST_CLIPS: Final = 2
LEAST_BOXES: Final = 100
IDENTICAL: Final = 0.98
"""Mean IoU and similarity of label sets (MASI) from which two people's work looks like one's."""


def gate(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """`schemas.GATE` from the tables `annotators` and `pairs` of `measure_agreement`."""
    cards = tables["annotators"]
    medians = {name: cards[name].median() for name in ("mean_alpha", "edit_rate")}
    twins = _near_identical(tables["pairs"])
    rows: list[dict[str, Any]] = []
    for card in cards.to_dicts():
        name, boxes = card["annotator"], card["shared_boxes"] or 0
        if card["clips"] < LEAST_CLIPS or boxes < LEAST_BOXES:
            seen = f"{card['clips']} clip(s) and {boxes} shared boxes are too few to judge"
            rows.append({"annotator": name, "status": "unknown", "reasons": [seen]})
            continue
        against = _disagreement(card, medians["mean_alpha"])
        noted = twins.get(name, []) + _few_edits(card, medians["edit_rate"])
        status: GateStatus = "suspect" if against else "watch" if noted else "ok"
        rows.append({"annotator": name, "status": status, "reasons": against + noted})
    return pl.DataFrame(rows, schema=dict(GATE))


def _few_edits(card: dict[str, Any], median: Any) -> list[str]:
    rate = card["edit_rate"]
    if rate is None or not median or rate >= LEAST_EDIT_SHARE * float(median):
        return []
    return [f"edits {rate:.0%} of boxes, the median is {float(median):.0%}"]


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
        pl.col("masi") >= IDENTICAL,
    )
    for a, b in alike.select("annotator", "annotator_b").rows():
        found.setdefault(a, []).append(f"work nearly identical to {b}'s")
        found.setdefault(b, []).append(f"work nearly identical to {a}'s")
    return found
