"""Pictures in the places where readers look for them: hard links where the file system allows, else copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ava_core.base.files import link_or_copy
from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, CLIP_FPS
from ava_core.dataset.formats.ava import names

Pictures = Mapping[str, Path]
"""Of each video, the folder of its frames, whose names sort by time."""


def link_frames(folder: Path, pictures: Pictures) -> None:
    """`frames/<video>/<video>_%06d.jpg` from 1: SlowFast, pytorchvideo."""
    for video, target in _folders(folder / names.FRAMES, pictures):
        for number, picture in numbered(pictures[video]):
            link_or_copy(picture, target / names.frame_name(video, number))


def link_rawframes(folder: Path, pictures: Pictures) -> None:
    """`rawframes/<video>/img_%05d.jpg` from 1: mmaction2."""
    for video, target in _folders(folder / names.RAWFRAMES, pictures):
        for number, picture in numbered(pictures[video]):
            link_or_copy(picture, target / names.rawframe_name(number))


def link_keyframes(folder: Path, pictures: Pictures) -> None:
    """`keyframes/<video>/<timestamp>.jpg`, the first picture of every second: AlphAction."""
    for video, target in _folders(folder / names.KEYFRAMES, pictures):
        for second, picture in keyframes(pictures[video]):
            link_or_copy(picture, target / names.keyframe_name(AVA_TIMESTAMP_OFFSET + second))


def keyframes(frames: Path) -> Iterator[tuple[int, Path]]:
    """The first picture of every second, with the second."""
    for number, picture in numbered(frames):
        if (number - 1) % CLIP_FPS == 0:
            yield (number - 1) // CLIP_FPS, picture


def numbered(frames: Path) -> Iterator[tuple[int, Path]]:
    """All pictures of a folder in order, from 1."""
    return enumerate(sorted(frames.glob("*.jpg")), start=1)


def _folders(root: Path, pictures: Pictures) -> Iterator[tuple[str, Path]]:
    for video in sorted(pictures):
        (root / video).mkdir(parents=True, exist_ok=True)
        yield video, root / video
