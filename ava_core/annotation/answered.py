"""How much of what annotators drew was answered: the share of living person-seconds at which a group was
rated, or the annotator said that they cannot tell.

Tables in, tables out. A group that is left unset says nothing, and a dataset turns silence into "no": so the share is
shown while people still work, warned of when a batch is read, and held against a release.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

from ava_core.base.schemas import ANSWERED, Schema, conform
from ava_core.ontology import Ontology

JOB: Final = ("clip_id", "annotator", "job_id")

SHARES: Final[Schema] = {
    "group": pl.String,
    "living": pl.Int64,
    "answered": pl.Int64,
    "share": pl.Float64,  # null where nobody is seen
}


def count_answers(
    boxes: pl.DataFrame, labels: pl.DataFrame, unclear: pl.DataFrame, ontology: Ontology
) -> pl.DataFrame:
    """`schemas.ANSWERED` of `schemas.RAW_BOXES` and `RAW_LABELS`: a row per job that drew anybody, and group.

    `unclear`: where annotators said that they cannot tell, in the columns of `schemas.HELD_ANSWERS`. It is no label,
    but they have looked: it counts as answered.
    """
    groups = pl.DataFrame({"group": [group.name for group in ontology.groups]}, schema={"group": pl.String})
    living = boxes.group_by(JOB).agg(living=pl.len()).join(groups, how="cross")
    said = pl.concat([table.select(*JOB, "group") for table in (labels, unclear)])
    answered = said.group_by(*JOB, "group").agg(answered=pl.len())
    table = living.join(answered, on=[*JOB, "group"], how="left").with_columns(
        pl.col("answered").fill_null(0)
    )
    return conform(table, ANSWERED, "answered").sort(*JOB, "group")


def shares(
    answered: pl.DataFrame, clips: Collection[str] | None = None, without: Collection[str] = ()
) -> pl.DataFrame:
    """`SHARES` by group of `schemas.ANSWERED`, the least answered first.

    Counted are the jobs of `clips` (`None`: all) and of everybody but the annotators `without`.
    """
    kept = ~pl.col("annotator").is_in(sorted(without))
    if clips is not None:
        kept &= pl.col("clip_id").is_in(sorted(clips))
    sums = answered.filter(kept).group_by("group").agg(pl.col("living", "answered").sum())
    share = pl.when(pl.col("living") > 0).then(pl.col("answered") / pl.col("living"))
    return conform(sums.with_columns(share=share), SHARES, "shares").sort("share", "group")


def by_job(answered: pl.DataFrame) -> dict[int, float]:
    """The share of all groups together, by job."""
    sums = answered.group_by("job_id").agg(pl.col("living", "answered").sum()).filter(pl.col("living") > 0)
    return dict(sums.select("job_id", pl.col("answered") / pl.col("living")).rows())
