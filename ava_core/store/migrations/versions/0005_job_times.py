"""Jobs know when they were ready, begun and completed; an index of what is counted over all of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the moments. Of older jobs only the first reading's is known: they were completed before it."""
    for name in ("created_at", "started_at", "completed_at"):
        op.add_column("jobs", sa.Column(name, MOMENT, nullable=True))
    op.execute(
        "UPDATE jobs SET completed_at ="
        " (SELECT MIN(readings.read_at) FROM readings WHERE readings.job_id = jobs.job_id)"
        " WHERE stage = 'annotation' AND state = 'completed'"
    )
    op.create_index(
        "jobs_at_a_glance",
        "jobs",
        [
            "batch", "clip_id", "annotator", "stage", "state", "created_at", "started_at", "completed_at",
            "server_updated_at", "task_id",
        ],
        unique=False,
    )  # fmt: skip
