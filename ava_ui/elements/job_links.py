"""Where a job's number leads: to the page on which it is labelled here, and over a real CVAT to CVAT's page, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from ava_core.annotation.pages import JOB_PAGE
from ava_core.base.settings import Settings
from ava_ui import addresses

IN_CVAT: Final = "in_cvat"
"""The column of links into a real CVAT."""


def job_links(settings: Settings) -> dict[str, str]:
    """Links of a table that has `job_id`, and over a real CVAT `task_id` and `IN_CVAT`."""
    here = {"job_id": addresses.LABEL}
    return here if settings.cvat_is_embedded else here | {IN_CVAT: settings.resolved_cvat_url + JOB_PAGE}


def with_cvat(settings: Settings, jobs: pl.DataFrame) -> pl.DataFrame:
    """The jobs, over a real CVAT with the column `IN_CVAT`."""
    return jobs if settings.cvat_is_embedded else jobs.with_columns(pl.lit("open").alias(IN_CVAT))


def job_labels(settings: Settings, labels: Mapping[str, str]) -> dict[str, str]:
    """Heads of the table's columns, over a real CVAT with that of `IN_CVAT`."""
    return dict(labels) if settings.cvat_is_embedded else {**labels, IN_CVAT: "in CVAT"}
