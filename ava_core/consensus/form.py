"""The consensus of a batch from approved clips and trusted annotators."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from ava_core.agreement.boxes import person_boxes
from ava_core.agreement.match import match_persons
from ava_core.agreement.ratings import ratings
from ava_core.consensus.boxes import merge_boxes
from ava_core.consensus.labels import adjudicate, vote
from ava_core.ontology import Ontology
from ava_core.tables import ADJUDICATIONS, CONSENSUS_LABELS, DISPUTED, conform, empty

PLACE = ["clip_id", "second", "person_id"]


def form_consensus(
    raw_boxes: pl.DataFrame,
    raw_labels: pl.DataFrame,
    completed: pl.DataFrame,
    ontology: Ontology,
    *,
    approved: Collection[str],
    excluded: Collection[str] = (),
    adjudications: pl.DataFrame | None = None,
) -> dict[str, pl.DataFrame]:
    """Tables `consensus_boxes`, `consensus_labels`, `disputed` and `persons` (see `ava_core.tables`).

    Only `approved` clips come out, and `excluded` annotators have no vote. Who is whom is decided with all
    annotators, so that excluding one renumbers nobody. A second in which exactly half of the voters see a
    person is disputed. The order of rows and annotators does not matter.
    """
    within = pl.col("clip_id").is_in(sorted(approved))
    trusted = ~pl.col("annotator").is_in(sorted(excluded))
    boxes, labels = raw_boxes.filter(within), raw_labels.filter(within)
    persons = match_persons(boxes)
    voters = completed.filter(within, trusted).group_by("clip_id").agg(voters=pl.col("annotator").n_unique())
    merged, ties = merge_boxes(person_boxes(boxes.filter(trusted), persons), voters)
    voted = vote(ratings(labels.filter(trusted), persons), ontology)
    decided = adjudications if adjudications is not None else empty(ADJUDICATIONS)
    final = adjudicate(voted, decided.filter(within)).join(merged.select(PLACE), on=PLACE, how="semi")
    half = ties.with_columns(reason=pl.lit("half of the annotators see this person")).unique(
        ["clip_id", "second"]
    )
    return {
        "consensus_boxes": merged.sort(PLACE),
        "consensus_labels": conform(final, CONSENSUS_LABELS, "consensus labels"),
        "disputed": conform(half, DISPUTED, "disputed").sort("clip_id", "second"),
        "persons": persons,
    }
