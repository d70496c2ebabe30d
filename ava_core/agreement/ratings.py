"""Labels as ratings: for each person at each second and each group, who said what.

An absent track is a missing rating, not a "no" to every class; so is a group that was left unset.
"""

from __future__ import annotations

import polars as pl

from ava_core.ontology import Ontology

UNIT = ["clip_id", "second", "person_id", "group"]


def ratings(raw_labels: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """`tables.RAW_LABELS` with the person of each track: `clip_id, second, person_id, group, annotator, action_ids`."""
    joined = raw_labels.join(persons, on=["clip_id", "annotator", "track_key"])
    return joined.select(*UNIT, "annotator", "action_ids").sort(*UNIT, "annotator")


def class_counts(rated: pl.DataFrame, ontology: Ontology) -> pl.DataFrame:
    """Votes of each class in each unit that two or more rated: `UNIT, action_id, votes, raters`.

    Only classes that someone voted for have a row; every other class of the group has no votes there.
    """
    raters = rated.group_by(UNIT).agg(raters=pl.col("annotator").n_unique()).filter(pl.col("raters") >= 2)
    votes = (
        rated.explode("action_ids", empty_as_null=False)
        .rename({"action_ids": "action_id"})
        .drop_nulls("action_id")
        .group_by(*UNIT, "action_id")
        .agg(votes=pl.col("annotator").n_unique())
    )
    return votes.join(raters, on=UNIT).sort(*UNIT, "action_id")
