"""Watches CVAT: completed work becomes an event of `annotated_in_cvat`, and what follows starts by itself."""

import json
import time

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
from ava_assets.announcements import again, noted
from ava_assets.resources import Platform
from ava_core.annotation.reconcile import reconcile
from ava_core.annotation.sync import completed_work, look_at_jobs, unread_work
from ava_core.base.errors import CvatError
from ava_core.store import batches, webhook_events

WAKE_SECONDS = 5
"""Time between two looks at the webhook's events, which cost a question to the own database."""

ALL_AGAIN_SECONDS = 3600
"""Time between two looks at all jobs: should a change ever slip past the cursor, it is found then."""

RECONCILE_SECONDS = 300
"""Time between two comparisons of the server's projects, tasks and members with what the platform made."""


def cvat_sensor(poll_seconds: int) -> SensorDefinition:
    """The sensor that polls CVAT every `poll_seconds`, and at once when the webhook told of a job.

    Every look reads whatever changed on the server since the last one, so a lost event is only a late one.
    """

    @sensor(
        name="cvat_jobs",
        minimum_interval_seconds=min(WAKE_SECONDS, poll_seconds),
        default_status=DefaultSensorStatus.RUNNING,
        description="Reads which jobs changed in CVAT; reports completed work of a batch as an asset event.",
    )
    def cvat_jobs(context: SensorEvaluationContext, platform: Platform) -> SensorResult | SkipReason:
        cursor = json.loads(context.cursor) if context.cursor else {}
        store = platform.store
        event = webhook_events.newest_of_jobs(store)
        woken = event > cursor.get("event", 0)
        # The first tick of a daemon looks in any case.
        waited = (
            context.last_tick_completion_time is None or time.time() - cursor.get("at", 0) >= poll_seconds
        )
        if not (woken or waited):
            return SkipReason("No webhook event about a job; the next look at CVAT is not due yet.")
        all_again = time.time() - cursor.get("all", 0) >= ALL_AGAIN_SECONDS
        reconciled = cursor.get("reconciled", 0)
        try:
            with platform.gateway() as gateway:
                if all_again or time.time() - reconciled >= RECONCILE_SECONDS:
                    reconcile(gateway, store, platform.settings)
                    reconciled = time.time()
                looked, changes = look_at_jobs(gateway, store, None if all_again else cursor.get("jobs"))
        except CvatError as error:
            return SkipReason(str(error))
        # What was reported is told apart by a digest of (job, time of completion): work that is reopened and
        # completed again is reported again, the same work never twice.
        # That of an archived batch is reported once it is taken back.
        reported: dict[str, str] = cursor.get("reported", {})
        archived = batches.archived(store)
        completed = {batch: work for batch, work in completed_work(store).items() if batch not in archived}
        new = {batch for batch, w in completed.items() if reported.get(batch) != w.digest}
        unread, told, now = set(unread_work(store)) - archived, cursor.get("told", {}), time.time()
        repeated = again(told, unread, now) - new
        work = {batch: w for batch, w in completed.items() if batch in new | repeated}
        now_reported = reported | {batch: w.digest for batch, w in work.items()}
        seen = {"jobs": looked, "reported": now_reported, "event": event, "at": time.time()}
        seen["reconciled"] = reconciled
        seen["told"] = noted(told, unread, new, repeated, now)
        seen["all"] = seen["at"] if all_again else cursor["all"]
        context.update_cursor(json.dumps(seen))
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
