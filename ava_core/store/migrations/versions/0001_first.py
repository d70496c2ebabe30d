"""The first schema: batches, projects, tasks, jobs, annotators, readings, annotations, decisions, events, audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

MOMENT = sa.DateTime(timezone=True)
JSON_DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "annotators",
        sa.Column("username", sa.String(length=150), nullable=False),
        sa.Column("cvat_user_id", sa.Integer(), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("username"),
    )
    op.create_table(
        "audit",
        sa.Column("audit_id", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(length=150), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("detail", JSON_DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("audit_id"),
    )
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)
    op.create_table(
        "batches",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("source_path", sa.Text(), nullable=False),
        sa.Column("options", JSON_DOCUMENT, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "projects",
        sa.Column("project_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("project_id"),
    )
    op.create_table(
        "webhook_events",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("payload", JSON_DOCUMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("batch", sa.String(length=63), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=150), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("before", JSON_DOCUMENT, nullable=False),
        sa.Column("after", JSON_DOCUMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["batch"],
            ["batches.name"],
        ),
        sa.PrimaryKeyConstraint("decision_id"),
    )
    op.create_index("decisions_of_batch", "decisions", ["batch", "decision_id"], unique=False)
    op.create_table(
        "tasks",
        sa.Column("task_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("assignee", sa.String(length=150), nullable=True),
        sa.Column("retrieved_at", MOMENT, nullable=True),
        sa.Column("qc_status", sa.String(length=32), nullable=False),
        sa.Column("batch", sa.String(length=63), nullable=False),
        sa.Column("clip_id", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch"],
            ["batches.name"],
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.project_id"],
        ),
        sa.PrimaryKeyConstraint("task_id"),
        sa.UniqueConstraint("clip_id"),
    )
    op.create_index("tasks_of_batch", "tasks", ["batch", "qc_status"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("batch", sa.String(length=63), nullable=False),
        sa.Column("clip_id", sa.String(length=200), nullable=False),
        sa.Column("job_type", sa.String(length=32), nullable=False),
        sa.Column("annotator", sa.String(length=150), nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("server_updated_at", sa.String(length=40), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("predrawn", JSON_DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["tasks.task_id"],
        ),
        sa.PrimaryKeyConstraint("job_id"),
    )
    op.create_index("jobs_of_annotator", "jobs", ["annotator", "state"], unique=False)
    op.create_index("jobs_of_batch", "jobs", ["batch", "state"], unique=False)
    op.create_index("jobs_of_task", "jobs", ["task_id"], unique=False)
    op.create_table(
        "readings",
        sa.Column("reading_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("annotator", sa.String(length=150), nullable=False),
        sa.Column("server_updated_at", sa.String(length=40), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["jobs.job_id"],
        ),
        sa.PrimaryKeyConstraint("reading_id"),
        sa.UniqueConstraint("job_id", "version"),
    )
    op.create_table(
        "annotations",
        sa.Column("annotation_id", sa.Integer(), nullable=False),
        sa.Column("reading_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("xtl", sa.Float(), nullable=False),
        sa.Column("ytl", sa.Float(), nullable=False),
        sa.Column("xbr", sa.Float(), nullable=False),
        sa.Column("ybr", sa.Float(), nullable=False),
        sa.Column("outside", sa.Boolean(), nullable=False),
        sa.Column("attributes", JSON_DOCUMENT, nullable=False),
        sa.Column("annotator", sa.String(length=150), nullable=False),
        sa.ForeignKeyConstraint(
            ["reading_id"],
            ["readings.reading_id"],
        ),
        sa.PrimaryKeyConstraint("annotation_id"),
    )
    op.create_index("annotations_of_job", "annotations", ["job_id"], unique=False)
    op.create_index("annotations_of_reading", "annotations", ["reading_id"], unique=False)
