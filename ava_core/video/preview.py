"""What people would rather look at than read: contact sheets, and clips with tracks drawn over them."""

from __future__ import annotations

import colorsys
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.progress import Progress, ProgressSink, ignore_progress
from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS
from ava_core.base.storage import Storage
from ava_core.video.media.frames import decoded_frames, jpeg
from ava_core.video.proposals.keyframes import boxes_at

Picture = npt.NDArray[np.uint8]

SHEET_WIDTH: Final = 960
SHEET_COLUMNS: Final = 3
SHEET_CELLS: Final = 24
SHEET_QUALITY: Final = 70
GOLDEN: Final = 0.618034
"""Hues a golden ratio apart: neighbouring ids never look alike."""


def colour_of(track_id: int) -> tuple[int, int, int]:
    """A colour of one's own for each track, BGR."""
    red, green, blue = colorsys.hsv_to_rgb(track_id * GOLDEN % 1.0, 0.75, 1.0)
    return int(blue * 255), int(green * 255), int(red * 255)


def draw_boxes(picture: Picture, boxes: pl.DataFrame) -> Picture:
    """Draw tracks (`track_id, x1, y1, x2, y2, interpolated`) into a BGR picture, interpolated ones thin."""
    import cv2

    for track_id, interpolated, *box in boxes.select("track_id", "interpolated", *BOX_COLUMNS).iter_rows():
        x1, y1, x2, y2 = (round(value) for value in box)
        colour = colour_of(track_id)
        cv2.rectangle(picture, (x1, y1), (x2, y2), colour, 1 if interpolated else 2)
        cv2.rectangle(picture, (x1, y1 - 14), (x1 + 8 + 9 * len(str(track_id)), y1), colour, -1)
        cv2.putText(
            picture,
            str(track_id),
            (x1 + 3, y1 - 3),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.42,
            (0, 0, 0),
            1,
            cv2.LINE_AA,
        )
    return picture


def contact_sheet(clips: pl.DataFrame, tracks: pl.DataFrame, storage: Storage) -> bytes:
    """A JPEG with the middle keyframe of up to 24 clips, tracks drawn; spread evenly where there are more."""
    import cv2

    rows = clips.sort("clip_id").to_dicts()
    chosen = (
        [rows[int(i)] for i in np.linspace(0, len(rows) - 1, min(SHEET_CELLS, len(rows))).round()]
        if rows
        else []
    )
    width = SHEET_WIDTH // SHEET_COLUMNS
    cells = []
    for clip in chosen:
        second = clip["frames"] // CLIP_FPS // 2
        picture = _keyframe(clip, second, storage)
        wanted = pl.DataFrame({"clip_id": [clip["clip_id"]], "frame": [second * CLIP_FPS]})
        draw_boxes(picture, boxes_at(tracks.filter(pl.col("clip_id") == clip["clip_id"]), wanted))
        cell = cv2.resize(
            picture, (width, round(width * clip["height"] / clip["width"])), interpolation=cv2.INTER_AREA
        )
        label = f"{clip['clip_id'][-34:]} {second:02d} s"
        cv2.putText(
            cell,
            label,
            (4, cell.shape[0] - 5),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.38,
            (255, 255, 255),
            1,
            cv2.LINE_AA,
        )
        cells.append(cell)
    return jpeg(_grid(cells, width), SHEET_QUALITY)


def write_previews(
    clips: pl.DataFrame,
    tracks: pl.DataFrame,
    storage: Storage,
    out: Path,
    sink: ProgressSink = ignore_progress,
) -> list[Path]:
    """Write a contact sheet per source video and a preview per clip into the folder `out`; returns the files."""
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for (source_id,), own in clips.sort("clip_id").group_by(["source_id"], maintain_order=True):
        files.append(out / f"{source_id}.jpg")
        files[-1].write_bytes(contact_sheet(own, tracks, storage))
    progress = Progress("preview", clips.height, "clips", sink)
    for clip in clips.sort("clip_id").to_dicts():
        files.append(out / f"{clip['clip_id']}.mp4")
        with storage.fetched(storage.path(clip["path"])) as path:
            render_preview(path, tracks.filter(pl.col("clip_id") == clip["clip_id"]), files[-1])
        progress.advance()
    progress.finish()
    return files


def render_preview(clip: Path, tracks: pl.DataFrame, target: Path) -> None:
    """Write a clip with its tracks (`schemas.TRACKS` of this clip) drawn over it: H.264 that browsers play."""
    import av

    by_frame = _boxes_by_frame(tracks)
    with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream: Any = None
        for number, picture in enumerate(decoded_frames(clip)):
            if stream is None:
                stream = container.add_stream(
                    "libx264", rate=CLIP_FPS, options={"crf": "26", "preset": "veryfast"}
                )
                stream.height, stream.width, stream.pix_fmt = *picture.shape[:2], "yuv420p"
                stream.time_base = Fraction(1, CLIP_FPS)
            if number in by_frame:
                draw_boxes(picture, by_frame[number])
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, CLIP_FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _boxes_by_frame(tracks: pl.DataFrame) -> dict[int, pl.DataFrame]:
    if tracks.is_empty():
        return {}
    last = int(str(tracks["frame"].max()))
    wanted = pl.DataFrame({"clip_id": tracks["clip_id"][0], "frame": range(last + 1)})
    boxes = boxes_at(tracks, wanted)
    return {int(str(frame)): group for (frame,), group in boxes.group_by(["frame"])}


def _keyframe(clip: dict[str, Any], second: int, storage: Storage) -> Picture:
    import cv2

    path = storage.asset_dir(clip["batch"], "clips") / "keyframes" / clip["clip_id"] / f"{second:04d}.jpg"
    picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(picture, dtype=np.uint8)


def _grid(cells: list[Picture], width: int) -> Picture:
    """Cells in rows of three; an empty sheet where there is none."""
    if not cells:
        return np.zeros((90, SHEET_WIDTH, 3), np.uint8)
    height = max(cell.shape[0] for cell in cells)
    lines = -(-len(cells) // SHEET_COLUMNS)
    sheet = np.zeros((lines * height, SHEET_COLUMNS * width, 3), np.uint8)
    for number, cell in enumerate(cells):
        top, left = number // SHEET_COLUMNS * height, number % SHEET_COLUMNS * width
        sheet[top : top + cell.shape[0], left : left + width] = cell
    return sheet
