"""Watching Dagster's instance from a command: waiting for an asset, and saying why a run failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from dagster import (
    AssetKey,
    AssetRecordsFilter,
    DagsterRunStatus,
    EventLogRecord,
    RunsFilter,
)
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.storage.tags import WILL_RETRY_TAG

from ava_assets.running.failures import failure_of
from ava_assets.running.instance import open_instance
from ava_assets.running.services import Service, ServiceError
from ava_core.base.errors import AvaError
from ava_core.base.settings import Settings

POLL_SECONDS = 0.5

FAILED_TICKS = 3
"""So many failures of a sensor in a row are no hiccup."""


class RunFailedError(AvaError):
    """A Dagster run failed; the message is that of the step."""


class RunWatcher:
    """Looks at what the daemon's runs did. `services` are checked meanwhile: a dead daemon is said at once."""

    def __init__(self, settings: Settings, services: Sequence[Service] = ()) -> None:
        self.instance = open_instance(settings)
        self.services = services

    def wait_for(
        self,
        asset: str,
        partition: str,
        *,
        after: float = 0.0,
        timeout: float = 600.0,
        until: Callable[[EventLogRecord], bool] = lambda record: True,
    ) -> EventLogRecord:
        """Wait for a materialisation of `asset` later than `after` (epoch seconds) that satisfies `until`.

        Raises `RunFailedError` as soon as a run fails, `ServiceError` when a process dies or time runs out.
        """
        deadline = time.monotonic() + timeout
        wanted = AssetRecordsFilter(
            asset_key=AssetKey(asset), asset_partitions=[partition], after_timestamp=after or None
        )
        while time.monotonic() < deadline:
            for service in self.services:
                service.check()
            records = self.instance.fetch_materializations(wanted, limit=1).records
            if records and until(records[0]):
                return records[0]
            self.raise_failure(after)
            self.raise_sick_sensor()
            time.sleep(POLL_SECONDS)
        raise ServiceError(
            f"{asset} of {partition} was not made within {timeout:.0f} s.", "See the logs in HOME/logs."
        )

    def raise_failure(self, after: float = 0.0) -> None:
        """Raise `RunFailedError` if a run failed since `after`, unless Dagster is about to start it again."""
        failed = self.instance.get_run_records(RunsFilter(statuses=[DagsterRunStatus.FAILURE]), limit=1)
        lost = bool(failed) and failed[0].dagster_run.tags.get(WILL_RETRY_TAG) == "true"
        if failed and not lost and (failed[0].end_time or 0.0) >= after:
            raise RunFailedError(failure_of(self.instance, failed[0].dagster_run.run_id).sentence)

    def raise_sick_sensor(self) -> None:
        """Raise `RunFailedError` if the last looks of a sensor all failed: nothing would ever come of waiting."""
        for state in self.instance.all_instigator_state():
            ticks = self.instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=FAILED_TICKS)
            if len(ticks) == FAILED_TICKS and all(tick.status == TickStatus.FAILURE for tick in ticks):
                reason = ticks[0].error.message.strip() if ticks[0].error else "no reason given"
                raise RunFailedError(f"Sensor {state.instigator_name} is failing: {reason}")

    def step_seconds(self, partition: str) -> dict[str, float]:
        """Wall seconds of each step in the partition's successful runs, summed by step."""
        seconds: dict[str, float] = {}
        runs = RunsFilter(statuses=[DagsterRunStatus.SUCCESS], tags={"dagster/partition": partition})
        for run in self.instance.get_runs(runs):
            for step in self.instance.get_run_step_stats(run.run_id):
                if step.start_time and step.end_time:
                    seconds[step.step_key] = seconds.get(step.step_key, 0.0) + step.end_time - step.start_time
        return seconds
