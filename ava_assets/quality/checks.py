"""Checks on agreement and consensus: whether the labels may be trusted."""

import polars as pl
from dagster import AssetCheckResult, AssetCheckSeverity, AssetIn, asset_check

from ava_assets.metadata import markdown
from ava_assets.partitions import video_batch
from ava_assets.quality import assets
from ava_core.base.schemas import PLACE
from ava_core.quality.review.floors import below_floor

Tables = dict[str, pl.DataFrame]

LABELLED_SHARE = 0.9
LEAST_ANNOTATORS = 2


@asset_check(asset=assets.agreement, partitions_def=video_batch)
def nobody_is_suspect(agreement: Tables) -> AssetCheckResult:
    """The gate finds every annotator reliable. A suspect is for a person to judge, so this only warns."""
    suspects = agreement["gate"].filter(pl.col("status") != "ok")
    return AssetCheckResult(
        passed=suspects.is_empty(),
        severity=AssetCheckSeverity.WARN,
        metadata={"suspect": ", ".join(suspects["annotator"])},
    )


@asset_check(
    asset=assets.consensus_labels,
    partitions_def=video_batch,
    blocking=True,
    additional_ins={"agreement": AssetIn("agreement")},
)
def classes_reach_their_floor(consensus_labels: Tables, agreement: Tables) -> AssetCheckResult:
    """No class is below the alpha that the ontology asks for; where one is, no dataset is made of the batch."""
    floors = agreement["per_class"].drop_nulls("minimum_alpha").filter(pl.col("positives") > 0)
    below = below_floor(agreement["per_class"])
    shown = below.select("action_id", "name", "alpha", "minimum_alpha", "reason")
    return AssetCheckResult(
        passed=below.is_empty(), metadata={"floors": floors.height, "below": markdown(shown)}
    )


@asset_check(asset=assets.agreement, partitions_def=video_batch)
def clips_have_annotators_enough(agreement: Tables) -> AssetCheckResult:
    """Every clip was completed by two annotators or more; agreement says nothing about the others."""
    alone = agreement["clips"].filter(pl.col("annotators") < LEAST_ANNOTATORS)
    return AssetCheckResult(
        passed=alone.is_empty(),
        severity=AssetCheckSeverity.WARN,
        metadata={"clips": agreement["clips"].height, "with one annotator": alone.height},
    )


@asset_check(asset=assets.consensus_labels, partitions_def=video_batch)
def approved_people_have_labels(consensus_labels: Tables) -> AssetCheckResult:
    """Nine in ten consensus boxes carry a label; fewer means that annotators left attributes unset."""
    boxes = consensus_labels["consensus_boxes"].select(PLACE)
    labelled = consensus_labels["consensus_labels"].select(PLACE).unique()
    share = boxes.join(labelled, on=boxes.columns).height / boxes.height if boxes.height else 0.0
    return AssetCheckResult(
        passed=share >= LABELLED_SHARE, severity=AssetCheckSeverity.WARN, metadata={"labelled share": share}
    )
