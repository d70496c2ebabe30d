"""Batches can be put into the archive."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the moment at which a batch was archived: null for all that there are."""
    op.add_column("batches", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
