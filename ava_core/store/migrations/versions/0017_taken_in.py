"""Which videos were taken in, by content: whether one is known already is a question, not a walk through all files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make `taken_in`. Batches that are there already are noted from their files when a batch is taken in next."""
    owner = sa.ForeignKey("batches.name", ondelete="CASCADE")
    op.create_table(
        "taken_in",
        sa.Column("batch", sa.String(63), owner, primary_key=True),
        sa.Column("source_id", sa.String(200), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("usable", sa.Boolean(), nullable=False),
    )
    op.create_index("taken_in_by_content", "taken_in", ["sha256"], unique=False)
