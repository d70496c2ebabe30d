"""Why a run failed, in one sentence, and whether trying again can help."""

from __future__ import annotations

from dataclasses import dataclass

from dagster import DagsterEventType, DagsterInstance

CHECK_FAILED = "DagsterAssetCheckFailedError"
"""Dagster's name for a check that blocks what would follow: the same work fails it again."""


@dataclass(frozen=True)
class Failure:
    """A sentence, and whether only a person helps: what blocks is a matter of judgement, or was one."""

    sentence: str
    needs_a_person: bool = False


def failure_of(instance: DagsterInstance, run_id: str) -> Failure:
    """The first error of a run's steps, or of what started it; else what Dagster said of the run itself."""
    for record in instance.all_logs(run_id, of_type=DagsterEventType.STEP_FAILURE):
        event = record.get_dagster_event()
        error = event.step_failure_data.error
        cause = error.cause if error and error.cause else error
        if cause is not None:
            return Failure(f"{event.step_key}: {cause.message.strip()}", cause.cls_name == CHECK_FAILED)
    for record in instance.all_logs(run_id, of_type=DagsterEventType.ENGINE_EVENT):
        event = record.get_dagster_event()
        if error := event.engine_event_data.error:
            cause = error.cause or error
            return Failure(f"{event.message} {cause.message.strip()}")
    for record in instance.all_logs(run_id, of_type=DagsterEventType.RUN_FAILURE):
        return Failure(record.get_dagster_event().message or "Its run ended during its first step.")
    return Failure(f"Run {run_id} failed before its first step.")
