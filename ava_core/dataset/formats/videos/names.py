"""The layout `videos/`: `<split>/<clip>.mp4`, and `<split>/metadata.parquet`, by which Hugging Face's `videofolder`
finds the labels of each."""

from __future__ import annotations

from typing import Final

FOLDER: Final = "videos"
METADATA: Final = "metadata.parquet"
SUFFIX: Final = ".mp4"


def video(split: str, clip: str) -> str:
    """The video of a clip."""
    return f"{FOLDER}/{split}/{clip}{SUFFIX}"


def metadata(split: str) -> str:
    """The labels of the clips of a split, a row a clip."""
    return f"{FOLDER}/{split}/{METADATA}"
