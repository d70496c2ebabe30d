"""A clip may have several tasks; a task is known by its name within its project."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

UNIQUE_NAMES = {"uq": "%(table_name)s_%(column_0_name)s_key"}
"""How PostgreSQL names a unique constraint by itself; SQLite names none, so the same name is given to it."""


def upgrade() -> None:
    """Let go of one task a clip."""
    with op.batch_alter_table("tasks", naming_convention=UNIQUE_NAMES) as table:
        table.drop_constraint("tasks_clip_id_key", type_="unique")
    op.create_index("tasks_of_clip", "tasks", ["clip_id"], unique=False)
    op.create_index("tasks_by_name", "tasks", ["project_id", "name"], unique=True)
