"""consensus_labels → ava_csv, and ava_release over all approved batches."""

from __future__ import annotations

import polars as pl
from dagster import AssetExecutionContext, AutomationCondition, Config, MaterializeResult, MetadataValue, Output, asset

from ava_assets.logging import log_progress
from ava_assets.partitions import video_batch
from ava_assets.resources import Platform
from ava_core.export.batch import write_batch
from ava_core.export.inputs import load_batch
from ava_core.export.release import write_release

GROUP = "dataset"

Tables = dict[str, pl.DataFrame]


@asset(
    partitions_def=video_batch,
    group_name=GROUP,
    kinds={"csv"},
    automation_condition=AutomationCondition.eager(),
)
def ava_csv(
    context: AssetExecutionContext, platform: Platform, consensus_labels: Tables
) -> Output[pl.DataFrame]:
    """This batch in AVA layouts: csv, frame list, frames, pbtxt, proposals."""
    at = platform.batch(context.partition_key)
    written = write_batch(
        load_batch(at.storage, at.store, at.batch), at.storage, at.settings, at.ontology, sink=log_progress(context)
    )
    return Output(written.rows, metadata={"rows": written.rows.height, "folder": MetadataValue.path(str(written.folder))})
