"""Addresses at which a person opens a job: the console's own page, and that of a real CVAT."""

from __future__ import annotations

from typing import Final

from ava_core.base.console_pages import LABEL, on_console
from ava_core.base.settings import Settings

JOB_PAGE: Final = "/tasks/{task_id}/jobs/{job_id}"
"""Where a job opens, below the address of a real CVAT."""


def job_page(settings: Settings, task_id: int, job_id: int) -> str:
    """The page on which a person opens a job: the console's, since the embedded server has none, or a real CVAT's."""
    if settings.cvat_is_embedded:
        return on_console(settings, LABEL, job_id=job_id)
    return settings.resolved_cvat_url + JOB_PAGE.format(task_id=task_id, job_id=job_id)


def at_frame(page: str, frame: int | str = "") -> str:
    """A job's page at a frame; without one, what the frame's number is appended to."""
    return f"{page}?frame={frame}"
