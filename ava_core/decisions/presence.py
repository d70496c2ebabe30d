"""Whether somebody is there at all: an expert's word on it, kept among the adjudications of labels."""

from __future__ import annotations

from typing import Final

import polars as pl

from ava_core.base.schemas import PLACE

PRESENCE: Final = "presence"
"""Stands in the `group` column where it is about whether there is a person at all."""

SOMEBODY: Final = 1
"""The one "action" of that group: `action_ids` is [1] where somebody is there, and [] where nobody is."""


def presence_ids(present: bool) -> list[int]:
    """`action_ids` of `schemas.ADJUDICATIONS` that say whether somebody is there."""
    return [SOMEBODY] if present else []


def on_labels(adjudications: pl.DataFrame) -> pl.DataFrame:
    """The rows of `schemas.ADJUDICATIONS` that are about a group of the ontology."""
    return adjudications.filter(pl.col("group") != PRESENCE)


def on_presence(adjudications: pl.DataFrame) -> pl.DataFrame:
    """`clip_id, second, person_id, present` of the rows of `schemas.ADJUDICATIONS` that are about presence."""
    rows = adjudications.filter(pl.col("group") == PRESENCE)
    return rows.select(*PLACE, present=pl.col("action_ids").list.contains(SOMEBODY))
