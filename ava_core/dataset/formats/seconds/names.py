"""The layout `seconds/`: `<video>/<timestamp>.mp4`, which shows the second that begins at the timestamp."""

from __future__ import annotations

from typing import Final

FOLDER: Final = "seconds"


def second(video: str, timestamp: int) -> str:
    """A second of a clip."""
    return f"{FOLDER}/{video}/{timestamp}.mp4"
