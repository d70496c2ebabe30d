"""Decisions made in the console or on the command line become events of `qc_decisions`."""

import json
import time
from typing import Any

from dagster import (
    AssetKey,
    AssetMaterialization,
    AssetRecordsFilter,
    DefaultSensorStatus,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from ava_assets.announcements import again, noted
from ava_assets.quality.assets import NEWEST_DECISION, qc_decisions
from ava_assets.resources import Platform
from ava_core.decisions import decisions_after
from ava_core.store import batches


@sensor(
    name="decisions",
    minimum_interval_seconds=5,
    default_status=DefaultSensorStatus.RUNNING,
    description="Reports batches that were decided on; consensus and dataset follow by themselves.",
)
def decision_sensor(context: SensorEvaluationContext, platform: Platform) -> SensorResult | SkipReason:
    """The cursor: `last` decision that was reported, the newest `of` each batch that waits, and what was `told`.

    Those of an archived batch wait until it is taken back, and are reported then.
    """
    cursor = _cursor(context.cursor)
    new = decisions_after(platform.store, cursor["last"])
    newest = cursor["of"] | {decision.batch: decision.decision_id for decision in new}
    archived = batches.archived(platform.store)
    active = newest.keys() - archived
    waiting = {batch for batch in active if _formed_with(context, batch) < newest[batch]}
    changed = {decision.batch for decision in new} & active | waiting - cursor["told"].keys()
    now = time.time()
    repeated = again(cursor["told"], waiting, now) - changed
    told = noted(cursor["told"], waiting, changed, repeated, now)
    last = max((decision.decision_id for decision in new), default=cursor["last"])
    of = {batch: number for batch, number in newest.items() if batch in told or batch in archived}
    context.update_cursor(json.dumps({"last": last, "of": of, "told": told}))
    if not changed | repeated:
        return SkipReason("No new decisions.")
    return SensorResult(
        asset_events=[
            AssetMaterialization(
                qc_decisions.key, partition=batch, metadata={"newest decision": newest[batch]}
            )
            for batch in sorted(changed | repeated)
        ]
    )


def _cursor(text: str | None) -> dict[str, Any]:
    """The cursor; older ones were the number alone."""
    found = json.loads(text) if text else 0
    return found if isinstance(found, dict) else {"last": int(found), "of": {}, "told": {}}


def _formed_with(context: SensorEvaluationContext, batch: str) -> int:
    """The newest decision that a batch's consensus was formed with; 0 where there is none yet."""
    wanted = AssetRecordsFilter(asset_key=AssetKey("consensus_labels"), asset_partitions=[batch])
    records = context.instance.fetch_materializations(wanted, limit=1).records
    made = records[0].asset_materialization if records else None
    value = made.metadata.get(NEWEST_DECISION) if made else None
    return int(value.value) if value is not None else 0  # type: ignore[arg-type]
