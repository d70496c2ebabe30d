"""What each asset of a batch was made of, and what a batch needs next."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"


def upgrade() -> None:
    """Make both tables. What the audit log says was made is taken over; what it was made of nobody knows any more."""
    op.create_table(
        "made_of",
        _batch(),
        sa.Column("asset", sa.String(64), primary_key=True),
        sa.Column("state", sa.Text(), nullable=False),
    )
    op.create_table(
        "batch_needs",
        _batch(),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("first_at", sa.Float(), nullable=False),
        sa.Column("asked_at", sa.Float(), nullable=True),
        sa.Column("next_at", sa.Float(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
    )
    op.execute(
        sa.text(
            "INSERT INTO made_of (batch, asset, state) "
            "SELECT DISTINCT batches.name, substr(audit.action, 6), '' FROM audit "
            "JOIN batches ON batches.name = audit.subject AND audit.at >= batches.created_at "
            "WHERE audit.action LIKE 'made %'"
        )
    )


def _batch() -> sa.Column[str]:
    owner = sa.ForeignKey("batches.name", ondelete="CASCADE")
    return sa.Column("batch", sa.String(63), owner, primary_key=True)
