"""The assets that need no person: source_videos → clips → tracks → dense_proposals."""

from pathlib import Path

import polars as pl
from dagster import AssetExecutionContext, MetadataValue, Output, asset

from ava_assets.logging import log_progress
from ava_assets.metadata import console_link, markdown, picture, place, shown_as
from ava_assets.partitions import video_batch
from ava_assets.resources import Platform
from ava_core.base.console_pages import BATCH
from ava_core.base.schemas import CLIPS, PROPOSALS, SOURCE_VIDEOS, TRACKS, USABLE
from ava_core.store import batches
from ava_core.video import cutting as media_clips
from ava_core.video import preview
from ava_core.video.intake import source_videos as media_sources
from ava_core.video.intake.known import known_sources, note_sources
from ava_core.video.proposals.batch import make_proposals
from ava_core.video.tracking.batch import track_clips, track_provenance

GROUP = "video"
DETECTOR_POOL = "detector"
"""Pool of the steps that run a detector: give it one slot per GPU."""


@asset(partitions_def=video_batch, kinds={"parquet"}, **shown_as(GROUP, columns=SOURCE_VIDEOS))
def source_videos(context: AssetExecutionContext, platform: Platform) -> Output[pl.DataFrame]:
    """One row per input file: identity, codec, rate, size, status. Unreadable files are quarantined."""
    at = platform.batch(context.partition_key)
    table = media_sources.take_in_sources(
        at,
        Path(batches.get(at.store, at.batch).source_path),
        known_sources(at),
        sink=log_progress(context),
    )
    note_sources(at, table)
    counts = {f"{row['status']}": row["len"] for row in table.group_by("status").len().to_dicts()}
    refused = table.filter(~USABLE).select("original_name", "status", "reason")
    link = console_link(at.settings, BATCH, batch=at.batch)
    return Output(table, metadata={**link, **counts, "not used": markdown(refused)})


@asset(
    partitions_def=video_batch, kinds={"parquet", "mp4"}, pool=DETECTOR_POOL, **shown_as(GROUP, columns=CLIPS)
)
def clips(
    context: AssetExecutionContext, platform: Platform, source_videos: pl.DataFrame
) -> Output[pl.DataFrame]:
    """15 s clips at constant 30 fps, cut in one decode pass that also feeds the detector and the keyframes."""
    at = platform.batch(context.partition_key)
    table = media_clips.cut_clips(at, source_videos, sink=log_progress(context))
    link = console_link(at.settings, BATCH, batch=at.batch)
    return Output(table, metadata={**link, "seconds": float(table["duration_s"].sum())})


@asset(partitions_def=video_batch, kinds={"parquet"}, pool=DETECTOR_POOL, **shown_as(GROUP, columns=TRACKS))
def tracks(context: AssetExecutionContext, platform: Platform, clips: pl.DataFrame) -> Output[pl.DataFrame]:
    """One row per clip, frame and track; which detector and tracker made them is kept beside."""
    at = platform.batch(context.partition_key)
    table = track_clips(at, clips, sink=log_progress(context))
    return Output(
        table,
        metadata={
            **console_link(at.settings, BATCH, batch=at.batch),
            "tracks": table.select("clip_id", "track_id").n_unique(),
            "provenance": MetadataValue.json(track_provenance(at)),
            "preview": picture(preview.contact_sheet(clips, table, at.storage)),
        },
    )


@asset(partitions_def=video_batch, kinds={"parquet", "pickle"}, **shown_as(GROUP, columns=PROPOSALS))
def dense_proposals(
    context: AssetExecutionContext, platform: Platform, clips: pl.DataFrame, tracks: pl.DataFrame
) -> Output[pl.DataFrame]:
    """Boxes at keyframes, as a table and in both pickle layouts that AVA's consumers read."""
    at = platform.batch(context.partition_key)
    table = make_proposals(at, clips, tracks, sink=log_progress(context))
    pickle = place(at.storage, at.folder("dense_proposals") / "dense_proposals.pkl")
    return Output(table, metadata={**console_link(at.settings, BATCH, batch=at.batch), "pickle": pickle})
