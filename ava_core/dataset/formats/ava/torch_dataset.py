"""A split of a release for PyTorch: clips of frames around keyframes, boxes, multi-hot labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, BOX_COLUMNS, CLIP_FPS
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.reader import action_names, excluded_of, frames_of, read_rows

FRAMES: Final = 32
STRIDE: Final = 2
"""32 frames, every second one: about two seconds around the keyframe, as SlowFast sees them."""


class AvaSplit:
    """A map-style dataset, one item a labelled keyframe; excluded seconds are left out.

    Give it to `torch.utils.data.DataLoader` with `collate_fn=collate`. `frames`: how many pictures an item has;
    `stride`: frames from one to the next, raising it shows more time and less motion; `size`: `(height, width)` to
    which pictures are scaled, their own where `None`. Near the ends of a video its first or last picture is
    repeated. Raises `InputError` where the folder holds no such split.
    """

    def __init__(
        self,
        folder: Path | str,
        split: str,
        *,
        frames: int = FRAMES,
        stride: int = STRIDE,
        size: tuple[int, int] | None = None,
    ) -> None:
        self.folder, self.frames, self.stride, self.size = Path(folder), frames, stride, size
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
        self.items = rows.partition_by("video_id", "timestamp", maintain_order=True)

    @property
    def num_classes(self) -> int:
        """Columns of the labels: a column's number is the action's id, so column 0 is never set."""
        return max(self.class_names) + 1

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """The keyframe of that number.

        `clip`: float tensor `(3, frames, height, width)`, RGB in [0, 1]; `boxes`: `(people, 4)`, `(x1, y1, x2, y2)`
        in pixels of the clip; `labels`: `(people, num_classes)`, 0 or 1; `video_id`, `timestamp`, `person_ids`.
        """
        import torch

        rows = self.items[index]
        video, timestamp = rows.row(0)[:2]
        clip = self._pictures(video, timestamp)
        people = rows.unique("person_id", keep="first", maintain_order=True)
        height, width = clip.shape[1:3]
        boxes = people.select(BOX_COLUMNS).to_numpy() * (width, height, width, height)
        labels = np.zeros((people.height, self.num_classes), np.float32)
        place = {person: number for number, person in enumerate(people["person_id"])}
        for person, action in rows.select("person_id", "action_id").rows():
            labels[place[person], action] = 1.0
        return {
            "clip": torch.from_numpy(clip).permute(3, 0, 1, 2).float() / 255.0,
            "boxes": torch.from_numpy(boxes.astype(np.float32)),
            "labels": torch.from_numpy(labels),
            "video_id": video,
            "timestamp": timestamp,
            "person_ids": list(place),
        }

    def _pictures(self, video: str, timestamp: int) -> Any:
        """`(frames, height, width, 3)`, RGB, 8 bits."""
        import cv2

        middle = (timestamp - AVA_TIMESTAMP_OFFSET) * CLIP_FPS
        numbers = middle + (np.arange(self.frames) - self.frames // 2) * self.stride
        pictures = []
        for number in np.clip(numbers, 0, self.lengths[video] - 1):
            path = self.folder / names.FRAMES / video / names.frame_name(video, number + 1)
            picture = cv2.imread(str(path))
            if picture is None:
                raise InputError(f"{path} cannot be read.", "`ava validate` lists missing pictures.")
            if self.size is not None:
                picture = cv2.resize(picture, self.size[::-1], interpolation=cv2.INTER_AREA)
            pictures.append(picture[:, :, ::-1])
        return np.stack(pictures)


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
