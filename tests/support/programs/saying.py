"""What the programs have in common: torchvision that can be imported, boxes with their labels, the lines they print."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ava_core.video.detection.torchvision_cure import make_torchvision_importable
from tests.support.numbered import HEIGHT, WIDTH, number_in

Said = list[Any]


def item(video: str, timestamp: int, boxes: Iterable[Any], labels: Iterable[Any], key: Any) -> Said:
    """A keyframe as the programs print it; `key`: its picture `(height, width, 3)` of bytes."""
    people = [
        [*(round(float(side), 4) for side in box), sorted(int(label) for label in own)]
        for box, own in zip(boxes, labels, strict=True)
    ]
    picture = np.asarray(key)
    number = list(number_in(picture)) if picture.shape[:2] == (HEIGHT, WIDTH) else []
    return [video, int(timestamp), people, number]


def run(read: Callable[[Path, str], Iterable[Said]]) -> None:
    """Print what a reader makes of each split."""
    folder, *splits = sys.argv[1:]
    make_torchvision_importable()
    for split in splits:
        print(json.dumps(list(read(Path(folder), split))))
