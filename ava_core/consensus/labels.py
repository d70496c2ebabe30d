"""One answer per group from several, by majority.

Exclusive groups: the action with most votes. A tie goes to the action that the same person's other seconds of
the clip speak for, then to the lower id; the rule says so. Multi groups: every action that more than half of
those who rated the group named, at most `max_active` of them by votes, then id.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from ava_core.ontology import Ontology
from ava_core.tables import ADJUDICATIONS, CONSENSUS_LABELS, conform

AT: Final = ["clip_id", "second", "person_id", "group"]


def vote(rated: pl.DataFrame, ontology: Ontology) -> pl.DataFrame:
    """`tables.CONSENSUS_LABELS` from ratings (`agreement.ratings.ratings`) of trusted annotators."""
    voters = rated.group_by(AT).agg(voters=pl.col("annotator").n_unique())
    votes = (
        rated.explode("action_ids", empty_as_null=False)
        .rename({"action_ids": "action_id"})
        .drop_nulls("action_id")
        .group_by(*AT, "action_id")
        .agg(votes=pl.col("annotator").n_unique())
        .join(voters, on=AT)
        .with_columns(around=pl.col("votes").sum().over("clip_id", "person_id", "group", "action_id"))
    )
    exclusive = [group.name for group in ontology.groups if group.kind == "exclusive"]
    limits = pl.DataFrame(
        {"group": [g.name for g in ontology.groups], "limit": [g.max_active for g in ontology.groups]}
    )
    ordered = votes.sort(*AT, "votes", "around", "action_id", descending=[False] * 4 + [True, True, False])
    ranked = ordered.with_columns(rank=pl.int_range(pl.len()).over(AT)).join(limits, on="group")
    is_exclusive = pl.col("group").is_in(exclusive)
    ties = (pl.col("votes") == pl.col("votes").max().over(AT)).sum().over(AT) > 1
    rule = (
        pl.when(pl.col("voters") == 1)
        .then(pl.lit("single"))
        .when(is_exclusive & ties)
        .then(pl.lit("majority_tie"))
        .otherwise(pl.lit("majority"))
    )
    kept = ranked.with_columns(rule=rule, posterior=pl.lit(None, dtype=pl.Float64)).filter(
        pl.when(is_exclusive)
        .then(pl.col("rank") == 0)
        .otherwise((2 * pl.col("votes") > pl.col("voters")) & (pl.col("rank") < pl.col("limit")))
    )
    return conform(kept.sort(*AT, "action_id"), CONSENSUS_LABELS, "consensus labels")


def adjudicate(labels: pl.DataFrame, adjudications: pl.DataFrame) -> pl.DataFrame:
    """`labels` in which an expert's decisions (`tables.ADJUDICATIONS`) replace the votes of their group."""
    if adjudications.is_empty():
        return labels
    decided = conform(adjudications, ADJUDICATIONS, "adjudications")
    rows = decided.explode("action_ids", empty_as_null=False).rename({"action_ids": "action_id"})
    rows = rows.drop_nulls("action_id").with_columns(
        votes=pl.lit(1), voters=pl.lit(1), posterior=pl.lit(1.0), rule=pl.lit("adjudicated")
    )
    kept = labels.join(decided, on=AT, how="anti")
    return pl.concat([kept, conform(rows, CONSENSUS_LABELS, "adjudications")]).sort(*AT, "action_id")
