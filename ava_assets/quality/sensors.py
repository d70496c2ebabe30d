"""Decisions made in the console or on the command line become events of `qc_decisions`."""

from dagster import (
    AssetMaterialization,
    DefaultSensorStatus,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from ava_assets.quality.assets import qc_decisions
from ava_assets.resources import Platform
from ava_core.decisions import decisions_after


@sensor(
    name="decisions",
    minimum_interval_seconds=5,
    default_status=DefaultSensorStatus.RUNNING,
    description="Reports batches that were decided on; consensus and dataset follow by themselves.",
)
def decision_sensor(context: SensorEvaluationContext, platform: Platform) -> SensorResult | SkipReason:
    """The cursor is the id of the last decision that was reported."""
    last = int(context.cursor or 0)
    new = decisions_after(platform.store, last)
    if not new:
        return SkipReason("No new decisions.")
    by_batch: dict[str, int] = {}
    for decision in new:
        by_batch[decision.batch] = by_batch.get(decision.batch, 0) + 1
    return SensorResult(
        asset_events=[
            AssetMaterialization(qc_decisions.key, partition=batch, metadata={"new decisions": count})
            for batch, count in sorted(by_batch.items())
        ],
        cursor=str(max(decision.decision_id for decision in new)),
    )
