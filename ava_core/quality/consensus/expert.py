"""An expert's own version of a clip, in the place of the annotators' consensus."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import polars as pl

from ava_core.base.schemas import CONSENSUS_BOXES, CONSENSUS_LABELS, PLACE, BoxRule, LabelRule, conform

RULE: Final[BoxRule | LabelRule] = "expert"


def with_expert_work(
    consensus: dict[str, pl.DataFrame],
    expert_boxes: pl.DataFrame,
    expert_labels: pl.DataFrame,
    expert_clips: Collection[str],
    approved: Collection[str],
) -> dict[str, pl.DataFrame]:
    """The tables of `consensus.form.form_consensus` in which `expert_clips` say what the expert said.

    `expert_boxes`, `expert_labels`: `schemas.RAW_BOXES`, `RAW_LABELS` of these clips. A clip that the expert emptied is
    empty; clips that are not approved stay out. What is settled by the expert is disputed and queued no more.
    """
    clips = sorted(set(expert_clips) & set(approved))
    if not clips:
        return consensus
    own, others = pl.col("clip_id").is_in(clips), ~pl.col("clip_id").is_in(clips)
    boxes = _with_person(expert_boxes.filter(own))
    persons = boxes.select("clip_id", "track_key", "second", "person_id")
    labels = (
        expert_labels.filter(own)
        .join(persons, on=["clip_id", "track_key", "second"])
        .explode("action_ids", empty_as_null=False)
        .drop_nulls("action_ids")
    )
    said = [pl.lit(1).alias("votes"), pl.lit(1).alias("voters"), pl.lit(RULE).alias("rule")]
    new_boxes = conform(
        boxes.with_columns(*said, agreement_iou=pl.lit(None, pl.Float64)), CONSENSUS_BOXES, "expert boxes"
    )
    new_labels = conform(
        labels.with_columns(*said, action_id="action_ids", posterior=pl.lit(None, pl.Float64)),
        CONSENSUS_LABELS,
        "expert labels",
    )
    settled = {name: consensus[name].filter(others) for name in ("disputed", "queue", "needs")}
    return (
        consensus
        | settled
        | {
            "consensus_boxes": _together(consensus["consensus_boxes"].filter(others), new_boxes, PLACE),
            "consensus_labels": _together(
                consensus["consensus_labels"].filter(others), new_labels, [*PLACE, "action_id"]
            ),
        }
    )


def _with_person(boxes: pl.DataFrame) -> pl.DataFrame:
    """Boxes with `person_id`: the number in the consensus that the track descends from; new people get new ones."""
    tracks = boxes.select("clip_id", "track_key", "seed_track_id").unique().sort("clip_id", "track_key")
    first_of_seed = (
        pl.struct("clip_id", "seed_track_id").is_first_distinct() & pl.col("seed_track_id").is_not_null()
    )
    highest = pl.col("seed_track_id").max().over("clip_id").fill_null(0)
    fresh = (~first_of_seed).cum_sum().over("clip_id")
    numbered = tracks.with_columns(
        person_id=pl.when(first_of_seed).then("seed_track_id").otherwise(highest + fresh).cast(pl.Int32)
    )
    return boxes.join(numbered.select("clip_id", "track_key", "person_id"), on=["clip_id", "track_key"])


def _together(kept: pl.DataFrame, new: pl.DataFrame, order: Sequence[str]) -> pl.DataFrame:
    return pl.concat([kept, new.select(kept.columns)]).sort(order)
