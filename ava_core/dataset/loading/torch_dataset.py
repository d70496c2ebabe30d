"""A split of a release for PyTorch: clips of frames around keyframes, boxes, multi-hot labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, BOX_COLUMNS, CLIP_FPS
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.reader import action_names, excluded_of, frames_of, read_rows
from ava_core.dataset.loading.pictures import Source, pictures_in

FRAMES: Final = 32
STRIDE: Final = 2
"""32 frames, every second one: about two seconds around the keyframe, as SlowFast sees them."""


class AvaSplit:
    """A map-style dataset, one item a labelled keyframe; excluded seconds are left out.

    Give it to `torch.utils.data.DataLoader` with `collate_fn=collate`. `frames`: how many pictures an item has;
    `stride`: frames from one to the next, raising it shows more time and less motion; `size`: `(height, width)` to
    which pictures are scaled, their own where `None`. Near the ends of a video its first or last picture is
    repeated. `source`: read `frames`, `videos` or `shards`, the first of them that is there where none is named; the
    pictures are the same. `uint8`: clips as bytes, a quarter of the memory that goes between processes, instead of
    floats; `transform`: is given each item and returns what goes out. Works behind workers, forked or spawned: what
    they share is plain values and numpy arrays alone. Raises `InputError` where the folder holds no such split.
    """

    def __init__(
        self,
        folder: Path | str,
        split: str,
        *,
        frames: int = FRAMES,
        stride: int = STRIDE,
        size: tuple[int, int] | None = None,
        source: Source | None = None,
        uint8: bool = False,
        transform: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        self.folder, self.frames, self.stride, self.size = Path(folder), frames, stride, size
        self.uint8, self.transform = uint8, transform
        self.class_names = action_names(self.folder)
        if not self.class_names:
            raise InputError(
                f"{self.folder / names.LABEL_MAP} does not exist.", "Give the folder of a dataset."
            )
        self.lengths = frames_of(self.folder, split)
        rows = read_rows(self.folder).filter(pl.col("split") == split)
        rows = rows.join(excluded_of(self.folder), on=["video_id", "timestamp"], how="anti")
        if rows.is_empty():
            raise InputError(f"Split {split!r} of {self.folder} holds no label.", "Choose another split.")
        self.pictures = pictures_in(self.folder, split, source)
        # A thread pool such as polars' does not survive a fork: workers touch plain arrays alone.
        keyframes = rows.partition_by("video_id", "timestamp", maintain_order=True)
        self.items = [_keyframe(own, self.num_classes) for own in keyframes]

    @property
    def num_classes(self) -> int:
        """Columns of the labels: a column's number is the action's id, so column 0 is never set."""
        return max(self.class_names) + 1

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        """The keyframe of that number, or what `transform` makes of it.

        `clip`: float tensor `(3, frames, height, width)`, RGB in [0, 1], or bytes from 0 to 255; `boxes`:
        `(people, 4)`, `(x1, y1, x2, y2)` in pixels of the clip; `labels`: `(people, num_classes)`, 0 or 1;
        `video_id`, `timestamp`, `person_ids`.
        """
        import torch

        own = self.items[index]
        pictures = self._pictures(own.video_id, own.timestamp)
        height, width = pictures.shape[2:]
        boxes = own.boxes * np.array([width, height, width, height])
        clip = torch.from_numpy(pictures)
        item = {
            "clip": clip if self.uint8 else clip.float() / 255.0,
            "boxes": torch.from_numpy(boxes.astype(np.float32)),
            "labels": torch.from_numpy(own.labels.astype(np.float32)),
            "video_id": own.video_id,
            "timestamp": own.timestamp,
            "person_ids": own.person_ids.tolist(),
        }
        return item if self.transform is None else self.transform(item)

    def _pictures(self, video: str, timestamp: int) -> npt.NDArray[np.uint8]:
        """`(3, frames, height, width)`, RGB."""
        import cv2
        from torch.utils.data import get_worker_info

        if get_worker_info() is not None:
            cv2.setNumThreads(0)  # its threads do not survive a fork either, and workers are many already

        middle = (timestamp - AVA_TIMESTAMP_OFFSET) * CLIP_FPS
        numbers = middle + (np.arange(self.frames) - self.frames // 2) * self.stride
        within = np.clip(numbers, 0, self.lengths[video] - 1).tolist()
        clip = np.empty(0, np.uint8)
        for place, picture in enumerate(self.pictures.read(video, within, self.size)):
            if place == 0:
                clip = np.empty((3, self.frames, *picture.shape[:2]), np.uint8)
            for channel in range(3):
                clip[channel, place] = picture[:, :, 2 - channel]
        return clip


@dataclass(frozen=True)
class _Keyframe:
    """A labelled second: `boxes` `(people, 4)` as shares, `labels` `(people, classes)` of booleans."""

    video_id: str
    timestamp: int
    person_ids: npt.NDArray[np.int32]
    boxes: npt.NDArray[np.float32]
    labels: npt.NDArray[np.bool_]


def _keyframe(rows: pl.DataFrame, classes: int) -> _Keyframe:
    people = rows.unique("person_id", keep="first", maintain_order=True)
    place = {person: number for number, person in enumerate(people["person_id"])}
    labels = np.zeros((people.height, classes), np.bool_)
    for person, action in rows.select("person_id", "action_id").rows():
        labels[place[person], action] = True
    boxes = people.select(BOX_COLUMNS).to_numpy().astype(np.float32)
    video, timestamp = rows.row(0)[:2]
    return _Keyframe(video, timestamp, people["person_id"].to_numpy(), boxes, labels)


def collate(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Items of one size as a batch: `clip` `(items, 3, frames, height, width)`, `labels` of all people in a row.

    `boxes` is a list of `(people, 4)`, one an item, as torchvision's `roi_align` takes it.
    """
    import torch

    return {
        "clip": torch.stack([item["clip"] for item in items]),
        "boxes": [item["boxes"] for item in items],
        "labels": torch.cat([item["labels"] for item in items]),
        "keyframes": [(item["video_id"], item["timestamp"]) for item in items],
    }
