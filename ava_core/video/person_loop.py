"""A person from near over three seconds, as a picture that moves: small enough to stand in a list."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ava_core.base.errors import MediaError
from ava_core.base.schemas import CLIP_FPS
from ava_core.video.media.frames import decoded_frames, jpeg

AROUND: Final = 1.5
"""Seconds before and after the moment: what AVA's annotators are shown of one."""
EVERY: Final = 6
"""Frames of the clip to a picture of the loop: five a second."""
SIDE: Final = 160
"""Of the pictures, in pixels."""
MARGIN: Final = 0.6
"""Of the box's longer side, around it: people walk on."""
LOOP_QUALITY: Final = 60
STILL_QUALITY: Final = 80


def person_loop(clip: Path, box: Sequence[float], second: int) -> tuple[bytes, bytes]:
    """The surroundings of a box over the three seconds around a `second` of a clip, and the picture at that second.

    `box`: x1, y1, x2, y2 in pixels of the clip. Returns a WebP that repeats without end, and a JPEG. Raises
    `MediaError` where the clip does not reach that far.
    """
    import cv2

    middle = second * CLIP_FPS
    first, last = max(0, middle - round(AROUND * CLIP_FPS)), middle + round(AROUND * CLIP_FPS)
    loop: list[Any] = []
    still: bytes | None = None
    for number, picture in enumerate(islice(decoded_frames(clip), last + 1)):
        near = (number - middle) % EVERY == 0 and number >= first
        if near:
            loop.append(_cut(picture, box))
        if number == middle:
            still = jpeg(loop[-1], STILL_QUALITY)
    if still is None:
        raise MediaError(f"{clip.name} has no second {second}")
    animation = cv2.Animation()
    animation.frames, animation.loop_count = loop, 0
    animation.durations = [1000 * EVERY // CLIP_FPS] * len(loop)
    done, data = cv2.imencodeanimation(".webp", animation, [cv2.IMWRITE_WEBP_QUALITY, LOOP_QUALITY])
    if not done:
        raise MediaError(f"a loop of {clip.name} cannot be written")
    return bytes(data), still


def _cut(picture: npt.NDArray[np.uint8], box: Sequence[float]) -> Any:
    """The square around a box, moved into the picture where it would reach beyond."""
    import cv2

    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box
    side = min(round(max(x2 - x1, y2 - y1) * (1 + 2 * MARGIN)), width, height)
    left = min(max(round((x1 + x2 - side) / 2), 0), width - side)
    top = min(max(round((y1 + y2 - side) / 2), 0), height - side)
    part = np.ascontiguousarray(picture[top : top + side, left : left + side])
    return cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
