"""Why a run failed, in the words of what broke it."""

from __future__ import annotations

from dagster import DagsterInstance, job
from dagster._core.events import EngineEventData
from dagster._utils.error import serializable_error_info_from_exc_info

from ava_assets.running.failures import failure_of


def test_a_run_that_could_not_even_start_says_why() -> None:
    @job
    def nothing() -> None: ...

    with DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(nothing)
        try:
            raise ImportError("no module named yard")
        except ImportError as error:
            told = serializable_error_info_from_exc_info((type(error), error, error.__traceback__))
        instance.report_engine_event(
            "Could not load job definition.", run, EngineEventData.engine_error(told)
        )
        instance.report_run_failed(run)
        said = failure_of(instance, run.run_id).sentence
    assert "no module named yard" in said
    assert "outside the execution context" not in said
