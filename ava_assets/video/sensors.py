"""The inbox: a zip or folder put there becomes a batch, a partition and a run."""

import json

from dagster import (
    AssetKey,
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
from ava_core.store import batches
from ava_core.video.intake.inbox import look_into_inbox

VIDEO_ASSETS = ("source_videos", "clips", "tracks", "dense_proposals")

video_to_tasks = define_asset_job(
    "video_to_tasks",
    selection=AssetSelection.assets(*VIDEO_ASSETS, "cvat_tasks"),
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
    """Registers what has settled in the inbox, then asks for a partition and a run of each new batch.

    Tasks of a batch that is dealt out on request are left to whoever has seen the plan.
    """
    settings, store = platform.settings, platform.store
    seen = json.loads(context.cursor) if context.cursor else {}
    look = look_into_inbox(settings.inbox_dir, store, seen)
    known = set(video_batch.get_partition_keys(dynamic_partitions_store=context.instance))
    new = [name for name in batches.names(store, archived=False) if name not in known]
    context.update_cursor(json.dumps(look.seen))
    if not new:
        return SkipReason(look.sentence)
    return SensorResult(
        dynamic_partitions_requests=[video_batch.build_add_request(new)],
        run_requests=[
            RunRequest(run_key=f"batch:{name}", partition_key=name, asset_selection=_wanted(platform, name))
            for name in new
        ],
    )


def _wanted(platform: Platform, name: str) -> list[AssetKey] | None:
    """What a batch's first run makes; `None` for everything up to its tasks."""
    own = platform.batch(name).settings
    return None if own.deal_out == "at once" else [AssetKey(asset) for asset in VIDEO_ASSETS]
