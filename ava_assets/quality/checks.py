"""Checks on agreement and consensus: whether the labels may be trusted."""

import polars as pl
from dagster import AssetCheckResult, AssetCheckSeverity, asset_check

from ava_assets.partitions import video_batch
from ava_assets.quality import assets

Tables = dict[str, pl.DataFrame]


@asset_check(asset=assets.agreement, partitions_def=video_batch)
def nobody_is_suspect(agreement: Tables) -> AssetCheckResult:
    """The gate finds every annotator reliable. A suspect is for a person to judge, so this only warns."""
    suspects = agreement["gate"].filter(pl.col("status") != "ok")
    return AssetCheckResult(
        passed=suspects.is_empty(),
        severity=AssetCheckSeverity.WARN,
        metadata={"suspect": ", ".join(suspects["annotator"])},
    )


@asset_check(asset=assets.consensus_labels, partitions_def=video_batch)
def approved_people_have_labels(consensus_labels: Tables) -> AssetCheckResult:
    """Nine in ten consensus boxes carry a label; fewer means that annotators left attributes unset."""
    boxes = consensus_labels["consensus_boxes"].select("clip_id", "second", "person_id")
    labelled = consensus_labels["consensus_labels"].select("clip_id", "second", "person_id").unique()
    share = boxes.join(labelled, on=boxes.columns).height / boxes.height if boxes.height else 0.0
    return AssetCheckResult(
        passed=share >= LABELLED_SHARE, severity=AssetCheckSeverity.WARN, metadata={"labelled share": share}
    )


LABELLED_SHARE = 0.9
