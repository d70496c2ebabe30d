"""The older tools' exchange files: their names, what stands in them, and how they are written.

dense_proposals.pkl   `dict[clip][frame_name] = [[x1, y1, x2, y2, score, track_id], …]`, pixels, builtins only
frames.zip            the keyframes' pictures, each named as in the pickle
tracking_jsons.zip    `<clip_id>.json`, the boxes of all tracks
"""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path
from typing import Final

import polars as pl

from ava_core.base.schemas import BOX_COLUMNS
from ava_core.batch import BatchContext

PICKLE: Final = "dense_proposals.pkl"
FRAMES: Final = "frames.zip"
TRACKING_JSONS: Final = "tracking_jsons.zip"


def frame_name(clip_id: str, second: int) -> str:
    """Name of a keyframe's picture; the number is the second."""
    return f"{clip_id}_frame_{second:04d}.jpg"


def write_older_pickle(path: Path, clips: pl.DataFrame, proposals: pl.DataFrame) -> None:
    """Write `dense_proposals.pkl` from `schemas.PROPOSALS`; every clip has an entry."""
    content: dict[str, dict[str, list[list[float]]]] = {clip: {} for clip in clips["clip_id"].sort()}
    columns = ("clip_id", "second", *BOX_COLUMNS, "score", "track_id")
    for clip_id, second, *box in proposals.select(columns).sort("clip_id", "second", "track_id").iter_rows():
        content[clip_id].setdefault(frame_name(clip_id, second), []).append(box)
    path.write_bytes(pickle.dumps(content, protocol=2))


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
