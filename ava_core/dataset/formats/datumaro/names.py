"""Names in Datumaro's folder: AVA's, but for the pictures.

datumaro/annotations/   ava_<split>_v2.2.csv, ava_action_list_v2.2.pbtxt (in a dialect of its own)
datumaro/frames/        <video>/<video>_<timestamp>.jpg
"""

from __future__ import annotations

from typing import Final

from ava_core.dataset.formats.ava import names as ava

FOLDER: Final = "datumaro"
ANNOTATIONS: Final = f"{FOLDER}/{ava.ANNOTATIONS}"
FRAMES: Final = f"{FOLDER}/{ava.FRAMES}"
LABEL_MAP: Final = f"{FOLDER}/{ava.LABEL_MAP}"


def rows_csv(split: str) -> str:
    """The annotation rows of a split."""
    return f"{FOLDER}/{ava.rows_csv(split)}"


def picture_name(video: str, timestamp: int) -> str:
    """A keyframe's picture in `frames/<video>/`."""
    return f"{video}_{timestamp:04d}.jpg"
