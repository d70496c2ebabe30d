"""Addresses of the annotation server's own pages, for people."""

from __future__ import annotations

from typing import Final

JOB_PAGE: Final = "/tasks/{task_id}/jobs/{job_id}"
"""Where a job opens, below the server's address."""


def job_page(server: str, task_id: int, job_id: int) -> str:
    """The page on which a person opens a job."""
    return server + JOB_PAGE.format(task_id=task_id, job_id=job_id)


def at_frame(page: str, frame: int | str = "") -> str:
    """A job's page at a frame; without one, what the frame's number is appended to."""
    return f"{page}?frame={frame}"
