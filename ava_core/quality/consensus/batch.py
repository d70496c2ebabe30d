"""The consensus of a batch as its decisions want it: annotators' work, adjudications, experts' own versions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import polars as pl

from ava_core.decisions import DecisionState, readings_in
from ava_core.ontology import Ontology
from ava_core.quality.agreement.build import match_work
from ava_core.quality.consensus.expert import with_expert_work
from ava_core.quality.consensus.form import Draft
from ava_core.quality.consensus.provenance import basis, with_experts

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
    batches) there is no expert's work. `approved`: clips that come out, by default those that `decided` approves on
    these readings and no other ones: others show what approving them would give. The table `basis` (`schemas.BASIS`)
    says what all was formed from.
    """
    return drafted_consensus(draft_of_batch(raw, ontology, decided), raw, decided, approved=approved)


def draft_of_batch(raw: Mapping[str, pl.DataFrame], ontology: Ontology, decided: DecisionState) -> Draft:
    """The costly part of `consensus_of_batch`, for who looks at a batch again and again while answers are settled."""
    work = match_work(raw["raw_boxes"], raw["raw_labels"], raw["completed_jobs"], ontology)
    return Draft.of(work, decided.excluded, decided.independent)


def drafted_consensus(
    draft: Draft,
    raw: Mapping[str, pl.DataFrame],
    decided: DecisionState,
    *,
    approved: Collection[str] | None = None,
) -> dict[str, pl.DataFrame]:
    """The tables of `consensus_of_batch`, from a draft with the same decisions on annotators."""
    completed = raw["completed_jobs"]
    chosen = decided.approved_on(readings_in(completed)) if approved is None else frozenset(approved)
    tables = draft.tables(approved=chosen, adjudications=decided.adjudications)
    tables["basis"] = basis(completed, decided, draft.panel.ontology)
    done = _done_by_experts(raw, decided)
    if not done:
        return tables
    tables = with_expert_work(tables, raw["expert_boxes"], raw["expert_labels"], done, chosen)
    return tables | {"provenance": with_experts(tables["provenance"], done, raw["expert_boxes"])}


def doubtful_answers(draft: Draft, raw: Mapping[str, pl.DataFrame], decided: DecisionState) -> pl.DataFrame:
    """`schemas.ADJUDICATION_QUEUE` of every completed clip, approved or not, but those that an expert has mended."""
    clips = set(raw["completed_jobs"]["clip_id"]) - set(_done_by_experts(raw, decided))
    return draft.queue(approved=clips, adjudications=decided.adjudications)


def _done_by_experts(raw: Mapping[str, pl.DataFrame], decided: DecisionState) -> dict[str, str]:
    """Clips that were given to experts and completed by them, and by whom."""
    if any(name not in raw for name in EXPERT_TABLES):
        return {}
    rows = raw["expert_clips"].select("clip_id", "annotator").rows()
    return {clip: who for clip, who in rows if clip in decided.experts}
