"""Names in the folder of COCO with videos; pictures are named as they lie below `frames/`."""

from __future__ import annotations

from typing import Final

FOLDER: Final = "coco"


def split_json(split: str) -> str:
    """Videos, images, annotations and categories of a split."""
    return f"{FOLDER}/{split}.json"
