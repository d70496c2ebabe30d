"""The gate: who may be unreliable. It only names suspects; a person decides.

Suspect is who has been seen enough (≥ 2 clips, ≥ 100 shared boxes) and agrees with no one well (best pooled
alpha below .25), or on average with others less than half as well as the median. What two have in common who are not
independent of each other (`dependence`) speaks for neither. To watch, but not distrusted for it: such pairs, and
people who edit less than a third of the median.
"""

from __future__ import annotations

from statistics import mean, median
from typing import Any, Final

import polars as pl

from ava_core.base.schemas import GATE, GateStatus
from ava_core.base.text import plural

LEAST_ALPHA: Final = 0.25
LEAST_SHARE_OF_MEDIAN: Final = 0.5
LEAST_EDIT_SHARE: Final = 1 / 3
LEAST_CLIPS: Final = 2
LEAST_BOXES: Final = 100

Alphas = dict[str, list[float]]
"""Of each annotator, the pooled alphas with partners who are independent."""


def gate(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """`schemas.GATE` from the tables `annotators`, `pairs` and `dependent` of `measure_agreement`."""
    cards = tables["annotators"]
    alphas = _with_independent(tables["pairs"], tables["dependent"])
    means = [mean(own) for own in alphas.values()]
    twins = _noted(tables["dependent"])
    rows: list[dict[str, Any]] = []
    for card in cards.to_dicts():
        name, boxes = card["annotator"], card["shared_boxes"] or 0
        if card["clips"] < LEAST_CLIPS or boxes < LEAST_BOXES:
            seen = f"too little to judge: {plural(card['clips'], 'clip')}, {plural(boxes, 'shared box')}"
            rows.append({"annotator": name, "status": "unknown", "reasons": [seen]})
            continue
        against = _disagreement(alphas.get(name, []), median(means) if means else None)
        noted = twins.get(name, []) + _few_edits(card, cards["edit_rate"].median())
        status: GateStatus = "suspect" if against else "watch" if noted else "ok"
        rows.append({"annotator": name, "status": status, "reasons": against + noted})
    return pl.DataFrame(rows, schema=dict(GATE))


def _few_edits(card: dict[str, Any], median: Any) -> list[str]:
    rate = card["edit_rate"]
    if rate is None or not median or rate >= LEAST_EDIT_SHARE * float(median):
        return []
    return [f"edits {rate:.0%} of boxes, the median is {float(median):.0%}"]


def _disagreement(own: list[float], usual: float | None) -> list[str]:
    if not own or usual is None:
        return []
    if max(own) < LEAST_ALPHA:
        return [f"agrees with no one (best pooled alpha {max(own):.2f})"]
    if mean(own) < LEAST_SHARE_OF_MEDIAN * usual:
        return [
            f"agrees less than half as well as the median (pooled alpha {mean(own):.2f}, median {usual:.2f})"
        ]
    return []


def _with_independent(pairs: pl.DataFrame, dependent: pl.DataFrame) -> Alphas:
    key = ["annotator", "annotator_b"]
    copies = dependent.filter(pl.col("what") == "labels")
    kept = pairs.join(copies, on=key, how="anti").drop_nulls("pooled_alpha")
    found: Alphas = {}
    for a, b, value in kept.select(*key, "pooled_alpha").rows():
        found.setdefault(a, []).append(value)
        found.setdefault(b, []).append(value)
    return found


def _noted(dependent: pl.DataFrame) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in dependent.to_dicts():
        pair = (row["annotator"], row["annotator_b"])
        for name, other in (pair, pair[::-1]):
            found.setdefault(name, []).append(_alike(other, row))
    return found


def _alike(other: str, row: dict[str, Any]) -> str:
    if row["expected"] is None:
        return f"{row['what']} nearly identical to {other}'s ({row['alike']:.3f})"
    return (
        f"labels more like {other}'s than both are like the others' (kappa {row['alike']:.2f}, "
        f"to be expected {row['expected']:.2f})"
    )
