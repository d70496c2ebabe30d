"""Checks on what was made of the video."""

import polars as pl
from dagster import AssetCheckResult, AssetCheckSeverity, MetadataValue, asset_check

from ava_assets.partitions import video_batch
from ava_assets.resources import Platform
from ava_assets.video import assets
from ava_core.base.schemas import CLIP_FPS, USABLE
from ava_core.video.outcome import WORTH_A_WARNING, clips_without_people, outcome_of, set_aside_of


@asset_check(asset=assets.source_videos, partitions_def=video_batch, blocking=True)
def a_video_is_usable(source_videos: pl.DataFrame) -> AssetCheckResult:
    """At least one file of the batch can be read."""
    usable = source_videos.filter(USABLE).height
    return AssetCheckResult(passed=usable > 0, metadata={"usable": usable})


@asset_check(asset=assets.source_videos, partitions_def=video_batch)
def no_video_is_quarantined(source_videos: pl.DataFrame) -> AssetCheckResult:
    """Every file of the batch can be read."""
    refused = source_videos.filter(pl.col("status") == "quarantined")
    return AssetCheckResult(
        passed=refused.is_empty(),
        severity=AssetCheckSeverity.WARN,
        metadata={"quarantined": refused.height, "names": ", ".join(refused["original_name"])},
    )


@asset_check(asset=assets.clips, partitions_def=video_batch, blocking=True)
def clips_run_at_thirty_frames(clips: pl.DataFrame) -> AssetCheckResult:
    """Every clip has as many frames as its duration holds at 30 fps, give or take one."""
    off = clips.filter((pl.col("frames") - pl.col("duration_s") * CLIP_FPS).abs() > 1)
    return AssetCheckResult(passed=off.is_empty(), metadata={"clips off": ", ".join(off["clip_id"])})


@asset_check(asset=assets.clips, partitions_def=video_batch)
def clips_hold_the_videos(context, platform: Platform) -> AssetCheckResult:  # type: ignore[no-untyped-def]
    """The clips hold what was filmed, but for 1 %; every usable video gave at least one."""
    outcome = outcome_of(platform.batch(context.partition_key))
    if outcome is None:
        return AssetCheckResult(passed=True, metadata={"clips": "were made elsewhere"})
    without = outcome.without_clips.height
    return AssetCheckResult(
        passed=not without and outcome.lost_share < WORTH_A_WARNING,
        severity=AssetCheckSeverity.ERROR if without else AssetCheckSeverity.WARN,
        metadata={
            "in words": outcome.sentence,
            "lost": f"{outcome.lost_share:.1%}",
            "videos without clips": MetadataValue.md(
                "\n".join(f"* {one}" for one in outcome.complaints) or "none"
            ),
        },
    )


@asset_check(asset=assets.tracks, partitions_def=video_batch)
def people_were_found(context, platform: Platform, tracks: pl.DataFrame) -> AssetCheckResult:  # type: ignore[no-untyped-def]
    """Someone was tracked in the batch, and every clip could be; without people, look at the detector."""
    at = platform.batch(context.partition_key)
    untracked = set_aside_of(at, "tracks").height
    return AssetCheckResult(
        passed=not tracks.is_empty() and not untracked,
        severity=AssetCheckSeverity.WARN,
        metadata={
            "tracks": tracks.select("clip_id", "track_id").n_unique(),
            "clips without people": clips_without_people(at.table("clips"), tracks),
            "clips that could not be tracked": untracked,
        },
    )


@asset_check(asset=assets.dense_proposals, partitions_def=video_batch, blocking=True)
def proposals_are_proper_boxes(dense_proposals: pl.DataFrame) -> AssetCheckResult:
    """Every box has a width and a height and begins inside the picture."""
    bad = dense_proposals.filter(
        (pl.col("x2") <= pl.col("x1")) | (pl.col("y2") <= pl.col("y1")) | (pl.min_horizontal("x1", "y1") < 0)
    )
    return AssetCheckResult(
        passed=bad.is_empty(), metadata={"boxes": dense_proposals.height, "bad": bad.height}
    )
