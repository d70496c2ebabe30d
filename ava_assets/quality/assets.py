"""raw_annotations → agreement → (decisions) → consensus_labels."""

import polars as pl
from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetSpec,
    Output,
    asset,
)

from ava_assets.metadata import MADE_OF, console_link, drawing, markdown, shown_as
from ava_assets.partitions import video_batch
from ava_assets.resources import Platform
from ava_core.base.console_pages import AGREEMENT, QUALITY
from ava_core.decisions import decision_state
from ava_core.operations.needs import consensus_state
from ava_core.quality.agreement.gold import with_expert_jobs
from ava_core.quality.agreement.measure import measure_agreement
from ava_core.quality.consensus.batch import consensus_of_batch
from ava_core.quality.review.plots import plot_intervals
from ava_core.store import made_of, tasks

GROUP = "quality"

NEWEST_DECISION = "newest decision"
"""Metadata of a consensus: the id of the newest decision that it was formed with."""

Tables = dict[str, pl.DataFrame]

qc_decisions = AssetSpec(
    "qc_decisions",
    partitions_def=video_batch,
    deps=["agreement"],
    kinds={"table"},
    description="Decisions of admins and reviewers. No run makes it: a sensor reports each batch with new decisions.",
    **shown_as(GROUP, made_by="people"),
)


@asset(partitions_def=video_batch, kinds={"parquet"}, **shown_as(GROUP))
def agreement(context: AssetExecutionContext, platform: Platform, raw_annotations: Tables) -> Output[Tables]:
    """Agreement per class, pair, clip and annotator, with intervals; conflicts; the gate's verdicts."""
    at = platform.batch(context.partition_key)
    decided = decision_state(at.store, at.batch)
    work = with_expert_jobs(raw_annotations, decided.gold)
    tables = measure_agreement(
        work["raw_boxes"],
        work["raw_labels"],
        work["completed_jobs"],
        at.ontology,
        seed=at.settings.seed,
        gold=decided.gold,
        independent=decided.independent,
        assigned={job.annotator for job in tasks.jobs_of(at.store, at.batch) if job.of_annotator},
    )
    return Output(
        tables,
        metadata={
            MADE_OF: made_of.of_batch(at.store, at.batch).get("raw_annotations", ""),
            "jobs": raw_annotations["completed_jobs"].height,
            **console_link(at.settings, AGREEMENT, batch=at.batch),
            "alpha by class": drawing(plot_intervals(tables["per_class"], "name", "alpha", "low", "high")),
            "overall": markdown(tables["overall"]),
            "gate": markdown(tables["gate"]),
        },
    )


@asset(
    partitions_def=video_batch,
    kinds={"parquet"},
    deps=[AssetKey("qc_decisions"), AssetKey("agreement")],
    **shown_as(GROUP),
)
def consensus_labels(
    context: AssetExecutionContext, platform: Platform, raw_annotations: Tables
) -> Output[Tables]:
    """Boxes and labels of approved clips with vote shares and posterior; disputed seconds."""
    at = platform.batch(context.partition_key)
    # Asked for before the decisions are: a reading in between is newer, and the next run's.
    reading = made_of.of_batch(at.store, at.batch).get("raw_annotations", "")
    decided = decision_state(at.store, at.batch)
    tables = consensus_of_batch(raw_annotations, at.ontology, decided)
    return Output(
        tables,
        metadata={
            MADE_OF: consensus_state(reading, decided.newest),
            NEWEST_DECISION: decided.newest,
            **console_link(at.settings, QUALITY, batch=at.batch),
            "approved clips": len(decided.approved),
            "excluded annotators": ", ".join(sorted(decided.excluded)) or "none",
            "needs": markdown(tables["needs"].filter(pl.col("need") != "")),
        },
    )
