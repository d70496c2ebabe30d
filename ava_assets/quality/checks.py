"""Checks on agreement and consensus: whether the labels may be trusted."""

import polars as pl
from dagster import AssetCheckExecutionContext, AssetCheckResult, AssetCheckSeverity, AssetIn, asset_check

from ava_assets.metadata import markdown
from ava_assets.partitions import video_batch
from ava_assets.quality import assets
from ava_assets.resources import Platform
from ava_core.base.errors import InputError
from ava_core.base.schemas import PLACE
from ava_core.decisions import decision_state
from ava_core.quality.agreement.verify import differing, in_full, verify_agreement
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


@asset_check(
    asset=assets.agreement,
    partitions_def=video_batch,
    additional_ins={"raw_annotations": AssetIn("raw_annotations")},
)
def alphas_are_krippendorffs(
    context: AssetCheckExecutionContext, platform: Platform, agreement: Tables, raw_annotations: Tables
) -> AssetCheckResult:
    """The package `krippendorff` comes to the same alphas, to the ninth digit, from the readings as they are stored."""
    at = platform.batch(context.partition_key)
    gold = decision_state(at.store, at.batch).gold
    try:
        verified = verify_agreement(raw_annotations, agreement, at.ontology, gold=gold, seed=at.settings.seed)
    except InputError as error:
        # The work went on after the figures were measured: nothing is wrong with them.
        return AssetCheckResult(passed=False, severity=AssetCheckSeverity.WARN, description=str(error))
    wrong = differing(verified)
    return AssetCheckResult(
        passed=wrong.is_empty(), metadata={"figures": verified.height, "differ": markdown(in_full(wrong))}
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
