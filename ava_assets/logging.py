"""Progress of long work in Dagster's log."""

from __future__ import annotations

from dagster import AssetExecutionContext

from ava_core.base.progress import ProgressReport, ProgressSink


def log_progress(context: AssetExecutionContext) -> ProgressSink:
    """A sink that writes each report as a line of the run's log."""

    def sink(report: ProgressReport) -> None:
        context.log.info(str(report))

    return sink
