"""cvat_tasks → (people annotate in CVAT) → raw_annotations. No run waits on a person."""

import polars as pl
from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetSpec,
    MetadataValue,
    Output,
    asset,
)

from ava_assets.logging import log_progress
from ava_assets.metadata import MADE_OF, console_link, shown_as
from ava_assets.partitions import video_batch
from ava_assets.resources import Platform
from ava_core.annotation.adjudication import read_experts
from ava_core.annotation.retrieve import check_rules, read_completed
from ava_core.annotation.tasks import create_tasks
from ava_core.base.console_pages import PROGRESS
from ava_core.base.schemas import CVAT_JOBS
from ava_core.decisions import reopen_redone, review_reread
from ava_core.operations.needs import reading_state

GROUP = "annotation"
CVAT_POOL = "cvat"
"""Pool of the steps that talk to the annotation server."""

annotated_in_cvat = AssetSpec(
    "annotated_in_cvat",
    partitions_def=video_batch,
    deps=["cvat_tasks"],
    kinds={"cvat"},
    description="Annotators' work in CVAT. No run makes it: a sensor reports the completed jobs it has read.",
    **shown_as(GROUP, made_by="people"),
)


@asset(
    partitions_def=video_batch,
    kinds={"cvat", "parquet"},
    pool=CVAT_POOL,
    **shown_as(GROUP, columns=CVAT_JOBS),
)
def cvat_tasks(
    context: AssetExecutionContext,
    platform: Platform,
    clips: pl.DataFrame,
    tracks: pl.DataFrame,
    dense_proposals: pl.DataFrame,
) -> Output[pl.DataFrame]:
    """One row per CVAT job: a task per clip, a job per annotator, tracks pre-drawn. Never makes one twice."""
    at = platform.batch(context.partition_key)
    table = create_tasks(at, clips, tracks, sink=log_progress(context))
    per_annotator = table.filter(pl.col("annotator") != "").group_by("annotator").len().sort("annotator")
    return Output(
        table,
        metadata={
            **console_link(at.settings, PROGRESS, batch=at.batch),
            "tasks": table["task_id"].n_unique(),
            "jobs per annotator": MetadataValue.json(dict(per_annotator.rows())),
            "annotation server": MetadataValue.url(at.settings.resolved_cvat_url),
        },
    )


@asset(
    partitions_def=video_batch,
    kinds={"cvat", "parquet"},
    pool=CVAT_POOL,
    deps=[AssetKey("annotated_in_cvat"), AssetKey("cvat_tasks")],
    **shown_as(GROUP),
)
def raw_annotations(
    context: AssetExecutionContext, platform: Platform, clips: pl.DataFrame
) -> Output[dict[str, pl.DataFrame]]:
    """Boxes and labels per clip, annotator and keyframe; every reading is kept as a version of its own."""
    at = platform.batch(context.partition_key)
    # Asked for before the work is read: what is completed meanwhile is read by the next run.
    state = reading_state(at.store, at.batch)
    tables = read_completed(at, clips, sink=log_progress(context))
    findings = check_rules(at, tables)
    experts = read_experts(at, clips)
    unsettled = pl.concat([tables["job_findings"], experts["job_findings"]])
    redone = reopen_redone(at.store, at.batch)
    reread = review_reread(at.store, at.batch, at.settings.later_readings)
    boxes = tables["raw_boxes"]
    return Output(
        tables | experts | {"rule_findings": findings, "job_findings": unsettled},
        metadata={
            MADE_OF: state,
            **console_link(at.settings, PROGRESS, batch=at.batch),
            "jobs read": boxes["job_id"].n_unique(),
            "rejected clips redone": len(redone),
            "approved clips read again": len(reread),
            "edited share": float(boxes["edited"].mean() or 0.0),  # type: ignore[arg-type]
        },
    )
