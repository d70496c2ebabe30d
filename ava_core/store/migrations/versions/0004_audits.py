"""Blind audits and what they check."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

MOMENT = sa.DateTime(timezone=True)
JSON_DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make `audits` and `audit_items`."""
    op.create_table(
        "audits",
        sa.Column("audit_id", sa.Integer(), nullable=False),
        sa.Column("batch", sa.String(length=63), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("started_by", sa.String(length=150), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batches.name"]),
        sa.PrimaryKeyConstraint("audit_id"),
    )
    op.create_index("audits_of_batch", "audits", ["batch", "audit_id"], unique=False)
    op.create_table(
        "audit_items",
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("audit_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("clip_id", sa.String(length=200), nullable=False),
        sa.Column("second", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("x1", "y1", "x2", "y2")),
        sa.Column("expected", JSON_DOCUMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("answered_by", sa.String(length=150), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=True),
        sa.Column("answer", JSON_DOCUMENT, nullable=True),
        sa.Column("wrong", sa.Boolean(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["audit_id"], ["audits.audit_id"]),
        sa.PrimaryKeyConstraint("item_id"),
        sa.UniqueConstraint("audit_id", "position"),
    )
