"""What a batch's work would come to: its consensus before anybody has approved anything, drafted once."""

from __future__ import annotations

from typing import Final

import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.storage import changed_at
from ava_core.quality.consensus import batch as consensus
from ava_core.quality.consensus.form import Draft
from ava_ui.known.console import Console

RAW: Final = ("raw_boxes", "raw_labels", "completed_jobs")

Work = dict[str, pl.DataFrame]
"""Tables of a batch by name."""


def raw_tables(console: Console, batch: str) -> Work:
    """The tables of `raw_annotations`. Raises `InputError` where nothing was read yet."""
    found = {}
    for name in (*RAW, *consensus.EXPERT_TABLES):
        table = console.tables.table(batch, "raw_annotations", name)
        if table is not None:
            found[name] = table
        elif name in RAW:
            raise InputError(
                f"No annotations have been read for batch {batch} yet.",
                "They are read when an annotator completes a job.",
            )
    return found


def preview_consensus(console: Console, batch: str, clip_id: str = "") -> Work:
    """The consensus as it would be if every clip were approved, or of one clip alone."""
    raw = raw_tables(console, batch)
    clips = [clip_id] if clip_id else raw["completed_jobs"]["clip_id"].unique().to_list()
    decided = console.decisions.of(batch)
    return consensus.drafted_consensus(draft(console, batch), raw, decided, approved=clips)


def doubtful_answers(console: Console, batch: str) -> pl.DataFrame:
    """`schemas.ADJUDICATION_QUEUE` of a batch: what is not settled yet, the most doubtful first."""
    decided = console.decisions.of(batch)
    return consensus.doubtful_answers(draft(console, batch), raw_tables(console, batch), decided)


def draft(console: Console, batch: str) -> Draft:
    """The costly part of a batch's consensus: kept until work changes or somebody is left out."""
    ontology, decided = console.ontology(batch), console.decisions.of(batch)
    changed = changed_at(console.storage.table_path(batch, "raw_annotations", "raw_boxes"))
    made_of = changed, decided.excluded, decided.independent, ontology.digest
    return console.drafts.get(
        batch, made_of, lambda _: consensus.draft_of_batch(raw_tables(console, batch), ontology, decided)
    )
