"""The inbox: a zip or folder put there becomes a batch, a partition and a run."""

import json

from dagster import (
    AssetSelection,
    DefaultSensorStatus,
    RunRequest,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    define_asset_job,
    sensor,
)

from ava_assets.partitions import video_batch
from ava_assets.resources import Platform
from ava_core.inbox import look_into_inbox
from ava_core.store import batches

video_to_tasks = define_asset_job(
    "video_to_tasks",
    selection=AssetSelection.assets("source_videos", "clips", "tracks", "dense_proposals", "cvat_tasks"),
    partitions_def=video_batch,
    description="From a batch's input to tasks that wait for annotators.",
)


@sensor(
    job=video_to_tasks,
    name="inbox",
    minimum_interval_seconds=5,
    default_status=DefaultSensorStatus.RUNNING,
    description="Looks for new zips and folders in the inbox; each becomes a batch and a run.",
)
def inbox_sensor(context: SensorEvaluationContext, platform: Platform) -> SensorResult | SkipReason:
    """Registers what has settled in the inbox, then asks for a partition and a run of each new batch."""
    settings, store = platform.settings, platform.store
    seen = json.loads(context.cursor) if context.cursor else {}
    look = look_into_inbox(settings.inbox_dir, store, seen)
    known = set(video_batch.get_partition_keys(dynamic_partitions_store=context.instance))
    new = [name for name in batches.names(store) if name not in known]
    context.update_cursor(json.dumps(look.seen))
    if not new:
        return SkipReason(look.sentence)
    return SensorResult(
        dynamic_partitions_requests=[video_batch.build_add_request(new)],
        run_requests=[RunRequest(run_key=f"batch:{name}", partition_key=name) for name in new],
    )
