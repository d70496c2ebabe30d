"""The id of a clip belongs to one batch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table. An id that two batches share already is left to the one that had the first task of it."""
    clips = op.create_table(
        "clips",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("clip_id", sa.String(length=200), nullable=False),
        sa.Column("batch", sa.String(length=63), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batches.name"]),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("clips_of_batch", "clips", ["batch"], unique=False)
    rows = op.get_bind().execute(sa.text("SELECT clip_id, batch FROM tasks ORDER BY task_id")).all()
    known: dict[str, dict[str, str]] = {}
    for clip_id, batch in rows:
        known.setdefault(clip_id.casefold(), {"key": clip_id.casefold(), "clip_id": clip_id, "batch": batch})
    op.bulk_insert(clips, list(known.values()))
