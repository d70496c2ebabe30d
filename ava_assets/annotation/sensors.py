"""Watches CVAT: which jobs changed there is noted here, and what has to be read follows from that."""

import json
import time

from dagster import DefaultSensorStatus, SensorDefinition, SensorEvaluationContext, SkipReason, sensor

from ava_assets.resources import Platform
from ava_core.annotation.reconcile import reconcile
from ava_core.annotation.sync import look_at_jobs
from ava_core.base.errors import CvatError
from ava_core.base.text import plural
from ava_core.store import webhook_events

ALL_AGAIN_SECONDS = 3600
"""Time between two looks at all jobs: should a change ever slip past the cursor, it is found then."""

RECONCILE_SECONDS = 300
"""Time between two comparisons of the server's projects, tasks and members with what the platform made."""


def cvat_sensor(platform: Platform, poll_seconds: int, look_seconds: int) -> SensorDefinition:
    """The sensor that polls CVAT every `poll_seconds`, and within `look_seconds` when the webhook told of a job.

    Every look reads whatever changed on the server since the last one, so a lost event is only a late one.
    `platform` is given and no resource of the sensor's: for a resource Dagster opens its storage at every look.
    """

    @sensor(
        name="cvat_jobs",
        minimum_interval_seconds=look_seconds,
        default_status=DefaultSensorStatus.RUNNING,
        description="Records which jobs changed in CVAT; the batch sensor decides what to read.",
    )
    def cvat_jobs(context: SensorEvaluationContext) -> SkipReason:
        cursor = json.loads(context.cursor) if context.cursor else {}
        store = platform.store
        event = webhook_events.newest_of_jobs(store)
        woken = event > cursor.get("event", 0)
        # The first tick of a daemon looks in any case, and so does one after the clock was set back.
        waited = (
            look_seconds >= poll_seconds
            or context.last_tick_completion_time is None
            or not 0 <= time.time() - cursor.get("at", 0) < poll_seconds
        )
        if not (woken or waited):
            return SkipReason("No webhook event about a job; the next look at CVAT is not due yet.")
        all_again = not 0 <= time.time() - cursor.get("all", 0) < ALL_AGAIN_SECONDS
        reconciled = cursor.get("reconciled", 0)
        try:
            with platform.gateway() as gateway:
                if all_again or not 0 <= time.time() - reconciled < RECONCILE_SECONDS:
                    reconcile(gateway, store, platform.settings)
                    reconciled = time.time()
                looked, changes = look_at_jobs(gateway, store, None if all_again else cursor.get("jobs"))
        except CvatError as error:
            return SkipReason(str(error))
        seen = {"jobs": looked, "event": event, "at": time.time(), "reconciled": reconciled}
        seen["all"] = seen["at"] if all_again else cursor["all"]
        context.update_cursor(json.dumps(seen))
        return SkipReason(f"{plural(len(changes), 'job')} changed.")

    return cvat_jobs
