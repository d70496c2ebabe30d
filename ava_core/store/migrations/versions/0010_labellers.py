"""Annotators sign in at the console, and their active time is kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"

MOMENT = sa.DateTime(timezone=True)
JSON_DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make `labeller_sessions` and `active_times`; annotators get what signing in needs."""
    op.add_column("annotators", sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("annotators", sa.Column("locked_until", MOMENT, nullable=True))
    op.add_column("annotators", sa.Column("preferences", JSON_DOCUMENT, nullable=False, server_default="{}"))
    op.create_table(
        "labeller_sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=150), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["username"], ["annotators.username"]),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("labeller_sessions_of_annotator", "labeller_sessions", ["username"], unique=False)
    op.create_table(
        "active_times",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("annotator", sa.String(length=150), nullable=False),
        sa.Column("track", sa.String(length=40), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index("active_times_of_job", "active_times", ["job_id"], unique=False)
    op.create_index("active_times_of_annotator", "active_times", ["annotator"], unique=False)
