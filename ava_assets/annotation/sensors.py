"""Watches CVAT: completed work becomes an event of `annotated_in_cvat`, and what follows starts by itself."""

import json

from dagster import (
    AssetMaterialization,
    DefaultSensorStatus,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from ava_assets.annotation.assets import annotated_in_cvat
from ava_assets.resources import Platform
from ava_core.cvat.sync import completed_work, look_at_jobs
from ava_core.errors import CvatError


def cvat_sensor(poll_seconds: int) -> SensorDefinition:
    """The sensor that polls CVAT every `poll_seconds` at most, and reconciles whatever webhooks missed."""

    @sensor(
        name="cvat_jobs",
        minimum_interval_seconds=poll_seconds,
        default_status=DefaultSensorStatus.RUNNING,
        description="Reads which jobs changed in CVAT; reports completed work of a batch as an asset event.",
    )
    def cvat_jobs(context: SensorEvaluationContext, platform: Platform) -> SensorResult | SkipReason:
        cursor = json.loads(context.cursor) if context.cursor else {}
        store = platform.store
        try:
            with platform.gateway() as gateway:
                looked, changes = look_at_jobs(gateway, store, cursor.get("jobs"))
        except CvatError as error:
            return SkipReason(str(error))
        # What was reported is told apart by a digest of (job, time of completion): work that is reopened and
        # completed again is reported again, the same work never twice.
        reported: dict[str, str] = cursor.get("reported", {})
        work = {batch: w for batch, w in completed_work(store).items() if reported.get(batch) != w.digest}
        now_reported = reported | {batch: w.digest for batch, w in work.items()}
        context.update_cursor(json.dumps({"jobs": looked, "reported": now_reported}))
        if not work:
            return SkipReason(f"{len(changes)} job(s) changed; no newly completed work.")
        return SensorResult(
            asset_events=[
                AssetMaterialization(
                    annotated_in_cvat.key,
                    partition=batch,
                    metadata={"completed jobs": w.completed, "jobs": w.total},
                )
                for batch, w in sorted(work.items())
            ]
        )

    return cvat_jobs
