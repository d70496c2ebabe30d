"""Checks on tasks and on what annotators said."""

import polars as pl
from dagster import AssetCheckExecutionContext, AssetCheckResult, AssetCheckSeverity, AssetIn, asset_check

from ava_assets.annotation import assets
from ava_assets.metadata import markdown
from ava_assets.partitions import video_batch
from ava_assets.resources import Platform
from ava_core.annotation.answered import shares
from ava_core.base.schemas import GRAVE
from ava_core.store import discrepancies

Tables = dict[str, pl.DataFrame]

SHOWN_FINDINGS = 20
"""Breaches that the check itself shows; the table `rule_findings` has all."""


@asset_check(
    asset=assets.cvat_tasks,
    partitions_def=video_batch,
    blocking=True,
    additional_ins={"clips": AssetIn("clips")},
)
def every_clip_has_its_task(cvat_tasks: pl.DataFrame, clips: pl.DataFrame) -> AssetCheckResult:
    """Each clip has its task, no annotator has a clip twice, and no task lies beside the plan."""
    tasks = cvat_tasks.select("clip_id", "task_id").unique()
    missing = clips.join(tasks, on="clip_id", how="anti")["clip_id"].to_list()
    copies = cvat_tasks.filter(pl.col("annotator") != "").select("clip_id", "annotator")
    doubled = copies.filter(copies.is_duplicated())["clip_id"].unique().to_list()
    beside = tasks.join(clips, on="clip_id", how="anti")["clip_id"].to_list()
    return AssetCheckResult(
        passed=not (missing or doubled or beside),
        metadata={"missing": str(missing), "doubled": str(doubled), "different from the plan": str(beside)},
    )


@asset_check(asset=assets.raw_annotations, partitions_def=video_batch)
def cvat_has_what_was_made(context: AssetCheckExecutionContext, platform: Platform) -> AssetCheckResult:
    """No task, label or member of the batch was removed or changed on the server when it was looked at last."""
    found = discrepancies.known(platform.store, context.partition_key)
    return AssetCheckResult(
        passed=not found,
        severity=AssetCheckSeverity.WARN,
        metadata={f"{one.kind} {one.subject}": f"{one.said} {one.cure}" for one in found},
    )


@asset_check(asset=assets.raw_annotations, partitions_def=video_batch)
def every_job_is_read_as_it_is(raw_annotations: Tables) -> AssetCheckResult:
    """No job could not be read or was held back (error), and none has values outside the ontology (warning)."""
    findings = raw_annotations["job_findings"]
    grave = not findings.filter(pl.col("kind") != "unknown_value").is_empty()
    return AssetCheckResult(
        passed=findings.is_empty(),
        severity=AssetCheckSeverity.ERROR if grave else AssetCheckSeverity.WARN,
        metadata={"findings": markdown(findings.head(SHOWN_FINDINGS))},
    )


@asset_check(asset=assets.raw_annotations, partitions_def=video_batch)
def annotations_are_clean(raw_annotations: Tables) -> AssetCheckResult:
    """No box is degenerate and no attribute has a value outside the ontology; flagged ones are kept."""
    boxes = raw_annotations["raw_boxes"]
    flags = boxes.select(pl.col("flags").explode(empty_as_null=False)).to_series().drop_nulls()
    counts = {row["flags"]: row["count"] for row in flags.value_counts().to_dicts()}
    return AssetCheckResult(
        passed=flags.is_empty(), severity=AssetCheckSeverity.WARN, metadata={"flags": str(counts)}
    )


@asset_check(asset=assets.raw_annotations, partitions_def=video_batch)
def annotations_obey_the_rules(raw_annotations: Tables) -> AssetCheckResult:
    """No rule that blocks is broken (error), and none that flags (warning); each breach opens in CVAT.

    Notes are no breaches: they say how the work was read.
    """
    findings = raw_annotations["rule_findings"]
    counts = findings.group_by("severity", "rule").len("breaches").sort("severity", "rule")
    blocked = not findings.filter(GRAVE).is_empty()
    shown = findings.select("rule", "clip_id", "annotator", "second", "detail", "link").head(SHOWN_FINDINGS)
    return AssetCheckResult(
        passed=(findings["severity"] == "note").all(),
        severity=AssetCheckSeverity.ERROR if blocked else AssetCheckSeverity.WARN,
        metadata={"breaches": markdown(counts), "first": markdown(shown)},
    )


@asset_check(asset=assets.raw_annotations, partitions_def=video_batch)
def living_seconds_are_answered(  # type: ignore[no-untyped-def]
    context, platform: Platform, raw_annotations: Tables
) -> AssetCheckResult:
    """In every group most living person-seconds were answered; below AVA_ANSWERED_LEAST (error) nothing is released."""
    settings = platform.batch(context.partition_key).settings
    table = shares(raw_annotations["answered"])
    least = float(table["share"].min() or 0.0) if table.height else 1.0  # type: ignore[arg-type]
    return AssetCheckResult(
        passed=least >= settings.answered_warning,
        severity=AssetCheckSeverity.ERROR if least < settings.answered_least else AssetCheckSeverity.WARN,
        metadata={"least answered": least, "by group": markdown(table)},
    )
