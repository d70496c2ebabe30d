"""Files that an older tool made, as a batch: `dense_proposals.pkl` and `frames.zip`, with no video.

Each clip of theirs becomes a source video of one clip, in which every picture stays for its second; boxes and
track ids are theirs. Both pickle layouts are read, the older tools' and AVA's.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core import __version__
from ava_core.base.errors import InputError, MediaError
from ava_core.base.pickles import safe_load
from ava_core.base.pictures import picture_in
from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, CLIP_FPS, CLIPS, SOURCE_VIDEOS, TRACKS
from ava_core.batch import BatchContext
from ava_core.video.given import Manifest, mark_given
from ava_core.video.intake.ids import SourceIds
from ava_core.video.media.clip_writer import ClipWriter
from ava_core.video.media.codecs import require_encoder
from ava_core.video.media.geometry import Fit, fit_picture
from ava_core.video.proposals.exchange import FRAMES, PICKLE

GIVEN: Final = ["source_videos", "clips", "tracks"]
MAX_SECONDS: Final = 3600
"""Longest clip; a larger number in a picture's name is a mistake."""

Boxes = npt.NDArray[np.float64]
"""`(N, 6)`: `x1, y1, x2, y2, score, track_id`; pixels of the picture, or shares of it."""


@dataclass(frozen=True)
class OlderClip:
    """A clip of theirs: pictures (JPEG bytes' names in the zip) and boxes by second."""

    name: str
    pictures: Mapping[int, str]
    boxes: Mapping[int, Boxes]
    in_shares: bool


def is_older(path: Path) -> bool:
    """Whether the path is a folder of an older tool's files."""
    return (path / PICKLE).is_file() and (path / FRAMES).is_file()


def import_older(at: BatchContext, folder: Path) -> pl.DataFrame:
    """Make clips, tracks and their tables of an older tool's files; returns `schemas.SOURCE_VIDEOS`.

    A clip whose pictures or boxes cannot be used is quarantined with its reason. Raises `InputError` where the
    files as a whole cannot be read, `UnsafePickleError` for a pickle of more than boxes, and `SettingsError` where the
    encoder of the settings does not work on this machine.
    """
    require_encoder(at.settings)
    content = safe_load(folder / PICKLE)
    sources: list[dict[str, Any]] = []
    clips: list[dict[str, Any]] = []
    tracks = [pl.DataFrame(schema=dict(TRACKS))]
    ids = SourceIds(at)
    try:
        archive = zipfile.ZipFile(folder / FRAMES)
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(f"{folder / FRAMES} cannot be read: {error}.", "Make or copy it again.") from None
    with archive:
        for clip in _clips(content, archive):
            source = _source(clip, at.batch, ids)
            try:
                row, own = _make(at, clip, source, archive)
            except MediaError as error:
                sources.append(source | {"status": "quarantined", "reason": error.message})
                continue
            clips.append(row)
            tracks.append(own)
            sources.append(
                source | {"width": row["width"], "height": row["height"], "duration_s": row["duration_s"]}
            )
    tables = {
        "source_videos": pl.DataFrame(sources, schema=dict(SOURCE_VIDEOS)),
        "clips": pl.DataFrame(clips, schema=dict(CLIPS)),
        "tracks": pl.concat(tracks),
    }
    for asset, table in tables.items():
        at.storage.write_table(at.storage.table_path(at.batch, asset), table)
    mark_given(at, Manifest(at.batch, __version__, {}, GIVEN))
    return tables["source_videos"]


def _clips(content: Any, archive: zipfile.ZipFile) -> Iterator[OlderClip]:
    """The clips that both files speak of."""
    pictures: dict[str, dict[int, str]] = {}
    for name in archive.namelist():
        match = re.fullmatch(r"(.+)_frame_(\d{1,6})\.jpe?g", PurePosixPath(name).name, re.IGNORECASE)
        if match:
            pictures.setdefault(match[1], {})[int(match[2])] = name
    if not pictures:
        raise InputError(
            f"{archive.filename} holds no <clip>_frame_<second>.jpg.", "Use a zip made by the older tools."
        )
    boxes = _ava_boxes(content) if _is_ava(content) else _older_boxes(content)
    unknown = sorted(set(boxes) - set(pictures))
    if unknown:
        raise InputError(
            f"{PICKLE} speaks of {unknown[0]}, of which {archive.filename} has no picture.",
            "Use files of the same run.",
        )
    for name in sorted(pictures):
        yield OlderClip(name, pictures[name], boxes.get(name, {}), _is_ava(content))


def _is_ava(content: Any) -> bool:
    return isinstance(content, dict) and any(isinstance(value, np.ndarray) for value in content.values())


def _older_boxes(content: Any) -> dict[str, dict[int, Boxes]]:
    """Of `dict[clip][frame_name] = [[x1, y1, x2, y2, score, track_id], …]`."""
    found: dict[str, dict[int, Boxes]] = {}
    try:
        for clip, frames in content.items():
            own = found.setdefault(str(clip), {})
            for name, rows in frames.items():
                second = int(re.fullmatch(r".*_frame_(\d+)\.jpe?g", name)[1])  # type: ignore[index]
                own[second] = np.array(rows, dtype=np.float64).reshape(len(rows), 6)
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(
            f"{PICKLE} is not dict[clip][frame] = [[x1, y1, x2, y2, score, track_id], …]: {error}."
        ) from None
    return found


def _ava_boxes(content: Any) -> dict[str, dict[int, Boxes]]:
    """Of `{"<video_id>,<timestamp>": (N, 5)}` in shares; it has no track ids, so every box stands alone."""
    found: dict[str, dict[int, Boxes]] = {}
    try:
        for key, rows in content.items():
            video, timestamp = str(key).rsplit(",", 1)
            own = found.setdefault(video, {})
            alone = 1 + sum(len(boxes) for boxes in own.values())
            numbers = np.arange(alone, alone + len(rows), dtype=np.float64)
            own[int(timestamp) - AVA_TIMESTAMP_OFFSET] = np.column_stack(
                [np.asarray(rows).reshape(-1, 5), numbers]
            )
    except (TypeError, ValueError) as error:
        raise InputError(f"{PICKLE} is not {{'<video>,<timestamp>': boxes (N, 5)}}: {error}.") from None
    return found


def _source(clip: OlderClip, batch: str, ids: SourceIds) -> dict[str, Any]:
    return dict.fromkeys(SOURCE_VIDEOS) | {
        "source_id": ids.of(clip.name, clip.name), "batch": batch,
        "original_name": clip.name, "path": "", "container": FRAMES, "codec": "mjpeg", "rotation": 0,
        "mirrored": False, "pixel_aspect": 1.0, "interlaced": False, "frames": len(clip.pictures),
        "fps": 1.0, "variable_rate": False, "status": "ok", "reason": "",
    }  # fmt: skip


def _make(
    at: BatchContext, clip: OlderClip, source: dict[str, Any], archive: zipfile.ZipFile
) -> tuple[dict[str, Any], pl.DataFrame]:
    """Write the clip; returns its row of `schemas.CLIPS` and its `schemas.TRACKS`."""
    last = max([*clip.pictures, *clip.boxes])
    if last >= MAX_SECONDS:
        raise MediaError(f"it has a picture of second {last}; {MAX_SECONDS} is the limit")
    lacking = sorted(set(clip.boxes) - set(clip.pictures))
    if lacking:
        raise MediaError(f"it has boxes at second {lacking[0]} but no picture")
    pictures = {second: picture_in(archive, name) for second, name in sorted(clip.pictures.items())}
    height, width = pictures[min(pictures)].shape[:2]
    if any(picture.shape[:2] != (height, width) for picture in pictures.values()):
        raise MediaError("its pictures differ in size")
    digest = hashlib.sha256(b"".join(archive.read(name) for _, name in sorted(clip.pictures.items())))
    source |= {"sha256": digest.hexdigest(), "size_bytes": sum(len(p.tobytes()) for p in pictures.values())}
    fit = fit_picture(width, height, width, height, "scale")
    row = _write_clip(at, source, pictures, last + 1, fit)
    tracks = _tracks(row["clip_id"], clip, width, height, fit)
    note = {
        "detector": {"detector": "imported"},
        "tracker": {"name": "imported"},
        "ava_version": __version__,
        "key": "",
    }
    folder = at.folder("tracks") / "clips"
    at.storage.write_table(folder / f"{row['clip_id']}.parquet", tracks)
    at.storage.write_bytes(folder / f"{row['clip_id']}.json", json.dumps(note).encode())
    return row, tracks


def _write_clip(
    at: BatchContext,
    source: dict[str, Any],
    pictures: dict[int, npt.NDArray[np.uint8]],
    seconds: int,
    fit: Fit,
) -> dict[str, Any]:
    """Each picture for its second; a second without one shows the one before."""
    import av

    writer = ClipWriter(at, f"{source['source_id']}_000", fit)
    picture = pictures[min(pictures)]
    with writer:
        for second in range(seconds):
            picture = pictures.get(second, picture)
            frame = fit.apply(av.VideoFrame.from_ndarray(picture, format="bgr24"))
            for _ in range(CLIP_FPS):
                writer.add_picture(frame)
        sha256 = writer.commit()
    return writer.row(source, index=0, start_s=0.0, sha256=sha256)


def _tracks(clip_id: str, clip: OlderClip, width: int, height: int, fit: Fit) -> pl.DataFrame:
    """A row per box at its second's first frame. Ids count from 1: theirs are raised where they begin at 0."""
    scale = np.array([fit.scale_x, fit.scale_y] * 2)
    if clip.in_shares:
        scale = scale * [width, height, width, height]
    first = min((boxes[:, 5].min() for boxes in clip.boxes.values() if len(boxes)), default=1)
    rows = [
        (clip_id, second * CLIP_FPS, int(box[5]) + (1 - int(first) if first < 1 else 0),
         *(box[:4] * scale).tolist(), float(box[4]), False)
        for second, boxes in sorted(clip.boxes.items())
        for box in boxes
    ]  # fmt: skip
    table = pl.DataFrame(rows, schema=dict(TRACKS), orient="row").sort("track_id", "frame")
    # What is no box would not be one anywhere further on.
    proper = (pl.col("x2") > pl.col("x1")) & (pl.col("y2") > pl.col("y1"))
    return table.filter(proper).unique(["frame", "track_id"], keep="first", maintain_order=True)
