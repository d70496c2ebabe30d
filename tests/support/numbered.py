"""A dataset whose pictures carry their own number, so that a reader's picture can be compared with its instant."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import polars as pl

from ava_core.base.schemas import CLIPS, DISPUTED, PROPOSALS, empty
from ava_core.dataset.formats.ava.rows import ROW_COLUMNS
from ava_core.dataset.formats.dataset import Dataset
from ava_core.ontology import load_ontology
from ava_core.video.media.encoding import H264File

WIDTH, HEIGHT = 128, 32
EDGE = 8
"""Height of the black bars above and below the picture in the clips' own videos."""
BITS = 16
BAR = WIDTH // BITS
LENGTHS = {"a_long": 450, "b_middle": 201, "c_short": 150, "d_long": 450, "e_short": 150}
"""Frames of the clips: 15 s, 6.7 s and 5 s; a short one is last by name."""


def picture(clip: int, frame: int) -> np.ndarray:
    """Black and white bars: the clip's number in the first 4 bits, the frame's in the other 12, low bits first."""
    value = clip | frame << 4
    bars = np.array([255 * (value >> bit & 1) for bit in range(BITS)], np.uint8)
    return np.ascontiguousarray(np.tile(np.repeat(bars, BAR), (HEIGHT, 1))[..., None].repeat(3, axis=2))


def number_in(shown: np.ndarray) -> tuple[int, int]:
    """The clip's and the frame's number in a picture."""
    columns = shown[HEIGHT // 2, BAR // 2 :: BAR, 0] > 127
    value = sum(int(bit) << n for n, bit in enumerate(columns))
    return value & 15, value >> 4


def number_of(path: Path) -> tuple[int, int]:
    """The clip's and the frame's number in the picture of a file."""
    return number_in(cv2.imread(str(path)))


def write_video(path: Path, clip: int, frames: int) -> Path:
    """The clip's own video, with bars above and below the pictures."""
    video = H264File(path, WIDTH, HEIGHT + 2 * EDGE)
    for frame in range(frames):
        shown = np.pad(picture(clip, frame), ((EDGE, EDGE), (0, 0), (0, 0)))
        video.add(av.VideoFrame.from_ndarray(shown, format="rgb24").reformat(format="yuv420p"), frame)
    video.finish()
    return path


def numbered_dataset(folder: Path, split: str = "val") -> Dataset:
    """Clips of `LENGTHS` in one split, one person at every second with context; `folder` takes pictures and videos."""
    ontology = load_ontology("street")
    action = ontology.actions[0].id
    clips, rows, proposals = [], [], []
    for number, (clip, frames) in enumerate(LENGTHS.items()):
        (folder / clip).mkdir(parents=True)
        for frame in range(frames):
            cv2.imwrite(str(folder / clip / f"{clip}_{frame + 1:06d}.jpg"), picture(number, frame))
        clips.append({
            "clip_id": clip, "source_id": clip, "batch": "b", "index": 0, "start_s": 0.0, "duration_s": frames / 30,
            "frames": frames, "width": WIDTH, "height": HEIGHT + 2 * EDGE, "scale_x": 1.0, "scale_y": 1.0, "pad_x": 0,
            "pad_y": EDGE, "content_width": WIDTH, "content_height": HEIGHT, "path": "", "sha256": clip,
        })  # fmt: skip
        for second in range(2, frames // 30 - 1):
            left = 0.1 + second / 100
            rows.append((clip, 900 + second, left, 0.25, left + 0.25, 0.75, action, 1))
            proposals.append({
                "clip_id": clip, "second": second, "track_id": 1, "x1": left * WIDTH, "y1": EDGE + 8.0,
                "x2": (left + 0.25) * WIDTH, "y2": EDGE + 24.0, "score": 0.95, "interpolated": False,
            })  # fmt: skip
    return Dataset(
        title="numbered",
        rows=pl.DataFrame(rows, ROW_COLUMNS, orient="row").cast(
            {"timestamp": pl.Int32, "action_id": pl.Int32, "person_id": pl.Int32}
        ),
        clips=pl.DataFrame(clips, schema=dict(CLIPS)),
        proposals=pl.DataFrame(proposals, schema=dict(PROPOSALS)),
        disputed=empty(DISPUTED),
        split_of=dict.fromkeys(LENGTHS, split),
        ontology=ontology,
        pictures={clip: folder / clip for clip in LENGTHS},
        videos={
            clip: write_video(folder / f"{clip}.mp4", number, frames)
            for number, (clip, frames) in enumerate(LENGTHS.items())
        },
    )
