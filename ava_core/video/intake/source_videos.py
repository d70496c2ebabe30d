"""Taking in a batch's input: one row per file, good ones stored, broken ones quarantined with their reason."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from ava_core.base.errors import MediaError
from ava_core.base.progress import Progress, ProgressSink, ignore_progress
from ava_core.base.schemas import SOURCE_VIDEOS, SourceStatus
from ava_core.base.set_aside import setting_aside
from ava_core.batch import BatchContext
from ava_core.video.given import is_given
from ava_core.video.intake.archive import FoundVideo, copy_file, plain_suffix, videos_of
from ava_core.video.intake.handover import manifest_of, take_over
from ava_core.video.intake.ids import SourceIds
from ava_core.video.intake.kinds import other_archive
from ava_core.video.intake.known import Known, nowhere
from ava_core.video.intake.older import import_older, is_older
from ava_core.video.media.hashing import hash_file
from ava_core.video.media.probe import VideoInfo, probe


def take_in_sources(
    at: BatchContext,
    input_path: Path,
    known: Known = nowhere,
    sink: ProgressSink = ignore_progress,
) -> pl.DataFrame:
    """Store the videos of a zip, folder or file; returns `schemas.SOURCE_VIDEOS`.

    Unusable files are quarantined with the reason, and the rest continue. Content that is already in this batch, or
    that `known` reports, is a duplicate. A video keeps the id that it already has. A folder from `ava preprocess` or
    from an older tool is used unchanged. Raises `InputError` if the input as a whole is unusable.
    """
    if manifest_of(input_path):
        return take_over(at, input_path, known)
    if is_given(at, "source_videos"):
        return at.table("source_videos")
    if is_older(input_path):
        return import_older(at, input_path)
    seen: dict[str, str] = {}
    ids = SourceIds(at)
    rows = []
    with videos_of(input_path) as found:
        progress = Progress("take in", len(found), "videos", sink)
        for video in found:
            row = _take_in(at, video, lambda sha256: seen.get(sha256) or known(sha256), ids)
            if row["status"] == "ok":
                seen[row["sha256"]] = f"{row['source_id']} of batch {at.batch}"
            rows.append(row)
            progress.advance()
        progress.finish()
    return pl.DataFrame(rows, schema=dict(SOURCE_VIDEOS))


def _take_in(at: BatchContext, video: FoundVideo, known: Known, ids: SourceIds) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(SOURCE_VIDEOS) | {
        "source_id": ids.of(video.name, PurePosixPath(video.name).stem), "batch": at.batch,
        "original_name": video.name, "path": "", "sha256": "", "size_bytes": 0, "status": "ok", "reason": "",
    }  # fmt: skip

    def refused(status: SourceStatus, reason: str) -> dict[str, Any]:
        return row | {"status": status, "reason": reason}

    if video.path is None:
        return refused("quarantined", video.problem)
    with setting_aside() as fate:
        row |= {"size_bytes": video.path.stat().st_size, "sha256": hash_file(video.path)}
    # A question that finds no answer is no fault of the video: it is not set aside.
    if not fate.reason and (where := known(row["sha256"])):
        return refused("duplicate", f"same content as {where}")
    if not fate.reason:
        with setting_aside() as fate:
            row |= vars(_probed(video.path)) | {"path": _stored(at, row, video, video.path)}
    return refused("quarantined", fate.reason) if fate.reason else row


def _stored(at: BatchContext, row: dict[str, Any], video: FoundVideo, path: Path) -> str:
    """Lay the video into the storage, unless it lies there; gives its path below the root."""
    target = at.folder("source_videos") / "files" / f"{row['source_id']}{plain_suffix(video.name)}"
    if not target.exists() or target.stat().st_size != row["size_bytes"]:
        with at.storage.writing(target) as temporary:
            copy_file(path, temporary)
    return str(target.relative_to(at.storage.root))


def _probed(path: Path) -> VideoInfo:
    """What a video is. Raises `MediaError`, which names an archive for what it is."""
    kind = other_archive(path)
    if kind:
        raise MediaError(f"it is an archive ({kind}); unpack it first")
    return probe(path)
