"""Whether what people's work goes into is behind it: a check of each such asset.

People have no timetable, so no age is too old. What counts is whether an asset was made of the newest that there is, as
the sensor of batches sees it, too.
"""

from dagster import (
    AssetCheckEvaluation,
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetKey,
    asset_check,
)

from ava_assets.partitions import video_batch
from ava_assets.resources import Platform
from ava_core.operations.needs import BEHIND, behind
from ava_core.store import Store

NAME = "is_up_to_date"
UP_TO_DATE = "Made of the newest work and decisions."


def _check(asset: str) -> AssetChecksDefinition:
    @asset_check(
        asset=asset,
        name=NAME,
        partitions_def=video_batch,
        description="Made of the newest completed work and decisions of the batch. Where it is behind, the sensor "
        "`batches` asks for a run.",
    )
    def up_to_date(context: AssetCheckExecutionContext, platform: Platform) -> AssetCheckResult:
        said = behind(platform.store, context.partition_key).get(asset)
        return AssetCheckResult(
            passed=said is None, severity=AssetCheckSeverity.WARN, description=said or UP_TO_DATE
        )

    return up_to_date


CHECKS = [_check(asset) for asset in BEHIND]


def found_behind(store: Store, batch: str) -> list[AssetCheckEvaluation]:
    """The checks that fail now, to be shown before a run has made the assets anew."""
    return [
        AssetCheckEvaluation(
            asset_key=AssetKey(asset), check_name=NAME, passed=False, severity=AssetCheckSeverity.WARN,
            description=said, partition=batch,
        )
        for asset, said in behind(store, batch).items()
    ]  # fmt: skip
