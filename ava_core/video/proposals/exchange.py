"""The older tools' exchange files: `tracking_jsons.zip` and `frames.zip`."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import polars as pl

from ava_core.base.schemas import BOX_COLUMNS
from ava_core.batch import BatchContext


def frame_name(clip_id: str, second: int) -> str:
    """Name of a keyframe's picture; the number is the second."""
    return f"{clip_id}_frame_{second:04d}.jpg"


def write_tracking_jsons(path: Path, clips: pl.DataFrame, tracks: pl.DataFrame) -> None:
    """A zip with `<clip_id>.json` per clip: a list of `{video_id, frame, track_id, bbox}`, frames at 30 fps."""
    by_clip = {clip: rows for (clip,), rows in tracks.group_by(["clip_id"], maintain_order=True)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for clip_id in clips["clip_id"].sort():
            rows = by_clip.get(clip_id)
            content = [] if rows is None else [
                {
                    "video_id": clip_id,
                    "frame": row["frame"],
                    "track_id": row["track_id"],
                    "bbox": [round(row[name], 2) for name in BOX_COLUMNS],
                }
                for row in rows.iter_rows(named=True)
            ]  # fmt: skip
            _add(archive, f"{clip_id}.json", json.dumps(content).encode())


def write_frames_zip(at: BatchContext, path: Path, clips: pl.DataFrame) -> int:
    """A zip with the keyframes' pictures of all clips; returns how many."""
    count = 0
    # JPEGs do not shrink: they are only stored.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for clip_id in clips["clip_id"].sort():
            folder = at.folder("clips") / "keyframes" / clip_id
            for picture in sorted(folder.glob("*.jpg")):
                _add(archive, frame_name(clip_id, int(picture.stem)), picture.read_bytes())
                count += 1
    return count


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Add a file without the time of day: the same content gives the same zip, wherever it is made."""
    archive.writestr(zipfile.ZipInfo(name), data, compress_type=archive.compression)
