"""The layout `shards/`: `<split>-%05d.tar` of samples `<clip>.mp4`, `<clip>.json`."""

from __future__ import annotations

from typing import Final

FOLDER: Final = "shards"


def shard(split: str, number: int) -> str:
    """A tar file of a split; numbers count from 0."""
    return f"{FOLDER}/{split}-{number:05d}.tar"
