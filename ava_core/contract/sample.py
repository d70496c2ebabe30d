"""A small dataset with everything that a layout may ask for: two clips in two splits, pictures, videos."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from ava_core.base.schemas import CLIP_FPS, CLIPS, DISPUTED, PROPOSALS, empty
from ava_core.dataset.formats.ava.rows import ROWS
from ava_core.dataset.formats.dataset import Dataset
from ava_core.ontology import load_ontology
from ava_core.video.media.encoding import H264File

WIDTH: Final = 64
HEIGHT: Final = 32
SECONDS: Final = 5
SPLIT_OF: Final = {"gate_000": "train", "yard_000": "val"}
"""Clips and their splits; test is empty, as it is in many datasets."""
SECOND: Final = 2
"""Of each clip, the second at which one person is labelled: it has its two seconds of context on both sides."""


def sample_dataset(folder: Path) -> Dataset:
    """The dataset; `folder` takes pictures and videos."""
    ontology = load_ontology("street")
    action = ontology.actions[0].id
    for clip in SPLIT_OF:
        _pictures(folder / clip, clip)
        _video(folder / f"{clip}.mp4", shade=100 + len(SPLIT_OF[clip]))
    rows = [(clip, 900 + SECOND, 0.1, 0.25, 0.35, 0.75, action, 1) for clip in SPLIT_OF]
    return Dataset(
        title="sample",
        rows=pl.DataFrame(rows, schema=dict(ROWS), orient="row"),
        clips=pl.DataFrame([_clip(clip) for clip in SPLIT_OF], schema=dict(CLIPS)),
        proposals=pl.DataFrame([_proposal(clip) for clip in SPLIT_OF], schema=dict(PROPOSALS)),
        disputed=empty(DISPUTED),
        split_of=SPLIT_OF,
        ontology=ontology,
        pictures={clip: folder / clip for clip in SPLIT_OF},
        videos={clip: folder / f"{clip}.mp4" for clip in SPLIT_OF},
    )


def _pictures(folder: Path, clip: str) -> None:
    import cv2

    folder.mkdir(parents=True)
    jpeg = cv2.imencode(".jpg", np.full((HEIGHT, WIDTH, 3), 90, np.uint8))[1].tobytes()
    for frame in range(1, SECONDS * CLIP_FPS + 1):
        (folder / f"{clip}_{frame:06d}.jpg").write_bytes(jpeg)


def _video(path: Path, shade: int) -> None:
    """A video of its own content for each shade, as long as the pictures are many."""
    import av

    video = H264File(path, WIDTH, HEIGHT)
    picture = av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), shade, np.uint8), format="rgb24")
    for frame in range(SECONDS * CLIP_FPS):
        video.add(picture.reformat(format="yuv420p"), frame)
    video.finish()


def _clip(clip: str) -> dict[str, object]:
    return {
        "clip_id": clip, "source_id": clip.removesuffix("_000"), "batch": "sample", "index": 0, "start_s": 0.0,
        "duration_s": float(SECONDS), "frames": SECONDS * CLIP_FPS, "width": WIDTH, "height": HEIGHT, "scale_x": 1.0,
        "scale_y": 1.0, "pad_x": 0, "pad_y": 0, "content_width": WIDTH, "content_height": HEIGHT,
        "path": f"{clip}.mp4", "sha256": clip,
    }  # fmt: skip


def _proposal(clip: str) -> dict[str, object]:
    box = {"x1": 6.4, "y1": 8.0, "x2": 22.4, "y2": 24.0}
    return {
        "clip_id": clip, "second": SECOND, "track_id": 1, **box, "score": 0.95, "interpolated": False,
    }  # fmt: skip
