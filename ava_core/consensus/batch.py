"""The consensus of a batch as its decisions want it: annotators' work, adjudications, experts' own versions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import polars as pl

from ava_core.consensus.expert import with_expert_work
from ava_core.consensus.form import form_consensus
from ava_core.consensus.provenance import with_experts
from ava_core.decisions import DecisionState
from ava_core.ontology import Ontology

EXPERT_TABLES: Final = ("expert_boxes", "expert_labels", "expert_clips")


def consensus_of_batch(
    raw: Mapping[str, pl.DataFrame],
    ontology: Ontology,
    decided: DecisionState,
    *,
    approved: Collection[str] | None = None,
) -> dict[str, pl.DataFrame]:
    """The tables of `form.form_from_work`, in which clips that an expert completed say what the expert said.

    `raw`: tables of `raw_annotations` by name; without `expert_boxes`, `expert_labels` and `expert_clips` (older
    batches) there is no expert's work. `approved`: clips that come out, those of `decided` by default: others show
    what approving them would give.
    """
    chosen = decided.approved if approved is None else frozenset(approved)
    tables = form_consensus(
        raw["raw_boxes"], raw["raw_labels"], raw["completed_jobs"], ontology,
        approved=chosen, excluded=decided.excluded, adjudications=decided.adjudications,
    )  # fmt: skip
    if any(name not in raw for name in EXPERT_TABLES):
        return tables
    boxes, labels, clips = (raw[name] for name in EXPERT_TABLES)
    done = {clip: who for clip, who in clips.select("clip_id", "annotator").rows() if clip in decided.experts}
    tables = with_expert_work(tables, boxes, labels, done, chosen)
    return tables | {"provenance": with_experts(tables["provenance"], done, boxes)}
