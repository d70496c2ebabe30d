"""Checks on datasets: whether AVA's readers would read them rightly."""

from dagster import AssetCheckResult, MetadataValue, asset_check

from ava_assets.dataset import assets
from ava_assets.partitions import video_batch
from ava_assets.resources import Platform
from ava_core.dataset.export.folders import fetched_folder
from ava_core.dataset.formats.ava.checks import errors_among, validate_dataset


@asset_check(asset=assets.ava_csv, partitions_def=video_batch)
def readers_accept_the_batch(context, platform: Platform) -> AssetCheckResult:  # type: ignore[no-untyped-def]
    """The batch's dataset keeps every rule of the AVA contract."""
    storage = platform.storage
    folder = storage.asset_dir(context.partition_key, "ava_csv") / "dataset"
    with fetched_folder(storage, folder) as local:
        findings = validate_dataset(local)
    return AssetCheckResult(
        passed=not errors_among(findings),
        metadata={
            "findings": MetadataValue.md("\n".join(f"* {finding}" for finding in findings[:20]) or "none")
        },
    )
