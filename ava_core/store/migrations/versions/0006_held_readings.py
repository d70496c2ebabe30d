"""Projects know the ids of their form; readings can be held back, set aside, and taken up again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns. Forms of older projects are learned when their jobs are read; all older readings count."""
    form = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
    op.add_column("projects", sa.Column("form", form, nullable=True))
    op.add_column("readings", sa.Column("held", sa.Text(), nullable=False, server_default=""))
    op.add_column("readings", sa.Column("judged_by", sa.String(150), nullable=False, server_default=""))
