"""People by RF-DETR (Roboflow, Apache-2.0): Nano to Large, weights from a file, never downloaded here.

RF-DETR predicts a set, so it needs no non-maximum suppression; suppressing at IoU .6 would remove people who
really overlap. Only near-identical boxes (IoU ≥ .9) are thinned.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from ava_core.base.errors import DetectorError
from ava_core.video.detection.base import CACHE_THRESHOLD, Boxes, Frame

COCO_PERSON: Final = 1
"""COCO's category id of a person, which RF-DETR's published weights use as class id."""
COCO_CLASSES: Final = 90
"""COCO's category ids run up to it; weights that know so many are the published ones."""
PEOPLE: Final = frozenset({"person", "persons", "people", "pedestrian", "pedestrians", "human", "humans"})
"""Names under which people's own weights know a person."""

DUPLICATE_IOU: Final = 0.9
GPU_BATCH, CPU_BATCH = 32, 1
"""Frames a call. Nano on an H200: 77, 900, 1,379 and 1,729 frames/s at 1, 16, 32 and 64; beyond 32 decoding is what
a GPU waits for. On a CPU more at once only take longer."""

VARIANTS: Final = {
    "nano": ("RFDETRNano", "rf-detr-nano.pth"),
    "small": ("RFDETRSmall", "rf-detr-small.pth"),
    "medium": ("RFDETRMedium", "rf-detr-medium.pth"),
    "large": ("RFDETRLarge", "rf-detr-large-2026.pth"),
}
"""Class and published weights file by size."""


class RfDetrDetector:
    """RF-DETR on one device, loaded once.

    Parameters: `size` nano, small, medium or large (COCO AP 48.4, 53.0, 54.7, 56.5); `weights` a file, or `None`
    for random weights, which serve tests alone; `device` auto, cpu, cuda, cuda:1, mps; `resolution` the side of
    the model's input in pixels, raising it finds smaller people and costs time.
    """

    name = "rfdetr"
    pixel_format: Literal["rgb24", "luma"] = "rgb24"
    warm_up_frames = 0

    def __init__(
        self, size: str, weights: Path | None, *, device: str = "auto", resolution: int | None = None
    ) -> None:
        if weights is not None:
            check_weights(weights)
        from ava_core.video.detection.torchvision_cure import make_torchvision_importable

        make_torchvision_importable()
        import rfdetr
        import torch

        self.device = device if device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")
        self.batch_size = GPU_BATCH if self.device.startswith("cuda") else CPU_BATCH
        self.size, self.weights, self.resolution = size, weights, resolution
        self.version = f"{size} (rfdetr {importlib.metadata.version('rfdetr')})"
        options: dict[str, Any] = {
            "pretrain_weights": str(weights) if weights else None,
            "device": self.device,
        }
        if resolution:
            options["resolution"] = resolution
        self._model = getattr(rfdetr, VARIANTS[size][0])(**options)
        context = self._model.model
        self.people = person_ids(context.class_names or (), context.args.num_classes, self.version)
        if self.device.startswith("cuda"):
            self._model.inference(compile=False, dtype=torch.float16)

    @property
    def parameters(self) -> dict[str, Any]:
        """Size, weights by name and bytes, resolution."""
        weights = f"{self.weights.name}:{self.weights.stat().st_size}" if self.weights else "random"
        return {"size": self.size, "weights": weights, "resolution": self.resolution}

    def start_video(self, first_frames: Sequence[Frame]) -> None:
        """Nothing to do: every frame stands alone."""

    def detect(self, frames: Sequence[Frame]) -> list[Boxes]:
        """People in each frame, as one batch."""
        found = self._model.predict(list(frames), threshold=CACHE_THRESHOLD, include_source_image=False)
        found = found if isinstance(found, list) else [found]
        return [_people(one, frame, self.people) for one, frame in zip(found, frames, strict=True)]


def person_ids(names: Sequence[str], classes: int, weights: str) -> list[int]:
    """Class ids that mean a person in weights of `classes` classes whose `names` they say, if they do.

    Classes of one's own count from 0 in the order of their names; a single one is taken for a person whatever it is
    called. Raises `DetectorError` where none can be told to be a person.
    """
    if classes >= COCO_CLASSES and len(names) != classes:
        return [COCO_PERSON]
    if classes == 1 or len(names) == 1:
        return [0]
    found = [number for number, name in enumerate(names) if name.strip().casefold() in PEOPLE]
    if not found:
        known = ", ".join(names) or f"{classes} classes without names"
        raise DetectorError(
            f"{weights}: these weights have no person class, only {known}.",
            "Name one class person when you train, or use weights that detect people.",
        )
    return found


def check_weights(weights: Path) -> None:
    """Raises `DetectorError` where the file is not there."""
    if not weights.is_file():
        raise DetectorError(
            f"RF-DETR's weights are not at {weights}.",
            f"Put {weights.name} there (Roboflow publishes it), or set AVA_RFDETR_WEIGHTS to its path. "
            f"Nothing is downloaded automatically.",
        )


def default_weights(size: str, rf_home: Path) -> Path:
    """Where the weights of that size are looked for."""
    return rf_home.expanduser() / VARIANTS[size][1]


def _people(found: Any, frame: Frame, ids: Sequence[int]) -> Boxes:
    people = np.isin(np.asarray(found.class_id), ids)
    boxes = np.asarray(found.xyxy, dtype=np.float64)[people]
    return proper_people(boxes, np.asarray(found.confidence, dtype=np.float64)[people], frame)


def proper_people(boxes: Boxes, scores: Boxes, frame: Frame) -> Boxes:
    """Boxes `(N, 4)` with their scores `(N)`: clipped to the frame, those outside and duplicates left out."""
    height, width = frame.shape[:2]
    boxes = boxes.clip(0, [width, height, width, height])
    table = np.column_stack([boxes, scores]).reshape(-1, 5)
    table = table[(table[:, 2] > table[:, 0]) & (table[:, 3] > table[:, 1])]
    return without_duplicates(table)


def without_duplicates(boxes: Boxes) -> Boxes:
    """Of boxes that are nearly the same (IoU ≥ .9) only the one scored highest, best first."""
    boxes = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    kept: list[int] = []
    for i in range(len(boxes)):
        if not kept or _iou(boxes[i], boxes[kept]).max() < DUPLICATE_IOU:
            kept.append(i)
    return boxes[kept]


def _iou(box: Boxes, others: Boxes) -> Boxes:
    left_top = np.maximum(box[:2], others[:, :2])
    right_bottom = np.minimum(box[2:4], others[:, 2:4])
    shared = np.clip(right_bottom - left_top, 0, None).prod(axis=1)
    areas = (others[:, 2:4] - others[:, :2]).prod(axis=1) + (box[2:4] - box[:2]).prod()
    result: Boxes = shared / (areas - shared)
    return result
