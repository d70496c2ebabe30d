"""What leaving an annotator out would change: agreement and consensus with and without, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from ava_core.base.schemas import PLACE
from ava_core.decisions import DecisionState
from ava_core.ontology import Ontology
from ava_core.quality.agreement.measure import measure_agreement
from ava_core.quality.consensus.batch import consensus_of_batch

FIGURES = ("pooled_alpha", "macro_alpha", "box_mean_iou", "box_f1")
REPETITIONS = 200
"""Draws behind the intervals: enough to look at before a decision."""


def exclusion_effect(
    raw: Mapping[str, pl.DataFrame], ontology: Ontology, state: DecisionState, annotator: str
) -> pl.DataFrame:
    """`figure, before, after`: agreement, and the consensus of all completed clips; null where undefined.

    `raw`: tables of `raw_annotations`. Adjudications and experts' work count as they do in the dataset. Nothing is
    decided by looking.
    """
    before, kept = _figures(raw, ontology, state, state.excluded)
    after, left = _figures(raw, ontology, state, state.excluded | {annotator})
    both = kept.join(left, on=[*PLACE, "action_id"]).height
    rows: list[tuple[str, float | None, float | None]] = [
        *((name, before[name], after[name]) for name in before),
        ("consensus labels", kept.height, left.height),
        ("labels lost", None, kept.height - both),
        ("labels gained", None, left.height - both),
    ]
    schema = {"figure": pl.String, "before": pl.Float64, "after": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _figures(
    raw: Mapping[str, pl.DataFrame], ontology: Ontology, state: DecisionState, excluded: frozenset[str]
) -> tuple[dict[str, float | None], pl.DataFrame]:
    """Figures by name, and the labels of the consensus."""
    trusted = ~pl.col("annotator").is_in(sorted(excluded))
    overall = measure_agreement(
        raw["raw_boxes"].filter(trusted),
        raw["raw_labels"].filter(trusted),
        raw["completed_jobs"].filter(trusted),
        ontology,
        repetitions=REPETITIONS,
    )["overall"]
    values = dict(overall.select("statistic", "value").rows())
    completed = raw["completed_jobs"]["clip_id"].unique().to_list()
    consensus = consensus_of_batch(raw, ontology, replace(state, excluded=excluded), approved=completed)
    figures = {name: values.get(name) for name in FIGURES}
    figures["consensus boxes"] = float(consensus["consensus_boxes"].height)
    return figures, consensus["consensus_labels"].select(*PLACE, "action_id")
