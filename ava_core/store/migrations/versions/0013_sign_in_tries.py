"""Wrong passwords are counted by name and by where they come from; locks of a whole name end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make `sign_in_tries`; it takes the place of two columns of `users` and of `annotators`."""
    op.create_table(
        "sign_in_tries",
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("username", sa.String(150), primary_key=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("sign_in_tries_by_time", "sign_in_tries", ["at"], unique=False)
    for table in ("users", "annotators"):
        op.drop_column(table, "failures")
        op.drop_column(table, "locked_until")
