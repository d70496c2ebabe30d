"""Practice clips and the tries at them, who may have real work, examples of actions, and active time by class."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0013"

MOMENT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BOX = ("x1", "y1", "x2", "y2")


def upgrade() -> None:
    """Make `practice_clips`, `practice_tries`, `practice_rules`, `action_examples`; annotators qualify; active
    time has a class."""
    op.add_column("annotators", sa.Column("qualified_at", MOMENT, nullable=True))
    op.add_column("active_times", sa.Column("action_id", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "practice_clips",
        sa.Column("practice_id", sa.Integer(), primary_key=True),
        sa.Column("batch", sa.String(63), nullable=False),
        sa.Column("clip_id", sa.String(200), nullable=False),
        sa.Column("measure", sa.String(150), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("predrawn", DOCUMENT, nullable=False),
        sa.Column("truth", DOCUMENT, nullable=False),
        sa.Column("chosen_by", sa.String(150), nullable=False),
        sa.Column("chosen_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
    )
    op.create_index("practice_of_clip", "practice_clips", ["batch", "clip_id"], unique=False)
    op.create_table(
        "practice_tries",
        sa.Column("try_id", sa.Integer(), primary_key=True),
        sa.Column("practice_id", sa.Integer(), sa.ForeignKey("practice_clips.practice_id"), nullable=False),
        sa.Column("annotator", sa.String(150), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tracks", DOCUMENT, nullable=False),
        sa.Column("begun_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("correct", sa.Integer(), nullable=False),
        sa.Column("remarks", DOCUMENT, nullable=False),
        sa.UniqueConstraint("practice_id", "annotator", "number"),
    )
    op.create_table(
        "practice_rules",
        sa.Column("rule_id", sa.Integer(), primary_key=True),
        sa.Column("pass_mark", sa.Float(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("set_by", sa.String(150), nullable=False),
        sa.Column("set_at", MOMENT, nullable=False),
    )
    op.create_table(
        "action_examples",
        sa.Column("example_id", sa.Integer(), primary_key=True),
        sa.Column("ontology", sa.String(100), nullable=False),
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("batch", sa.String(63), nullable=False),
        sa.Column("clip_id", sa.String(200), nullable=False),
        sa.Column("second", sa.Integer(), nullable=False),
        *(sa.Column(side, sa.Float(), nullable=False) for side in BOX),
        sa.Column("marked_by", sa.String(150), nullable=False),
        sa.Column("marked_at", MOMENT, nullable=False),
    )
    op.create_index("examples_of_action", "action_examples", ["ontology", "action_id"], unique=False)
