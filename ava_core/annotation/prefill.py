"""Pre-drawn tracks: what annotators find when they open a job.

A track is drawn with as few keyframes as keep the line between them within IoU .9 of the tracker's boxes, is
hidden where the tracker saw nothing, ends with `outside`, and has every attribute `unset`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.schemas import BOX_COLUMNS
from ava_core.ontology import Ontology
from ava_core.ontology.form import SEED_TRACK_ATTRIBUTE, values_from_labels
from ava_core.video.tracking.iou import pairwise_iou

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEAST_IOU: Final = 0.9
DECIMALS: Final = 2


def prefill_tracks(
    tracks: pl.DataFrame, frames: int, *, longest_step: float | None = None
) -> list[dict[str, Any]]:
    """Sparse tracks of one clip from `schemas.TRACKS`, independent of any server.

    Each is `{"seed_track": id, "shapes": [{"frame", "box": [x1, y1, x2, y2], "outside"}, …]}`, by frame;
    `frames` is the clip's length; `longest_step`: rows further apart than so many frames have a hole between them,
    by default twice the track's usual distance.
    """
    drawn = []
    for (track_id,), rows in tracks.sort("track_id", "frame").group_by(["track_id"], maintain_order=True):
        numbers = rows["frame"].to_numpy().astype(np.int64)
        boxes = rows.select(BOX_COLUMNS).to_numpy().round(DECIMALS)
        shapes: list[dict[str, Any]] = []
        for first, last in _spans(numbers, longest_step):
            kept = first + np.array(_keyframes(numbers[first : last + 1], boxes[first : last + 1]))
            shapes += [_shape(int(numbers[i]), boxes[i], outside=False) for i in kept]
            if numbers[last] + 1 < frames:
                shapes.append(_shape(int(numbers[last]) + 1, boxes[last], outside=True))
        drawn.append({"seed_track": int(str(track_id)), "shapes": shapes})
    return drawn


def to_api(
    drawn: list[dict[str, Any]], ontology: Ontology, label_id: int, specs: Mapping[str, int]
) -> list[dict[str, Any]]:
    """The tracks in the form of CVAT's API.

    A shape may hold `labels`, action ids by group; the first one of a track without any says `unset` of all. Values
    hold until the next shape that sets them.
    """
    return [
        {
            "label_id": label_id,
            "frame": track["shapes"][0]["frame"],
            "attributes": [{"spec_id": specs[SEED_TRACK_ATTRIBUTE], "value": str(track["seed_track"])}],
            "shapes": [
                {
                    "frame": shape["frame"],
                    "points": [round(value, DECIMALS) for value in shape["box"]],
                    "outside": shape["outside"],
                    "attributes": _values(shape.get("labels", {} if place == 0 else None), ontology, specs),
                }
                for place, shape in enumerate(track["shapes"])
            ],
        }
        for track in drawn
    ]


def _values(
    labels: Mapping[str, list[int]] | None, ontology: Ontology, specs: Mapping[str, int]
) -> list[dict[str, Any]]:
    if labels is None:
        return []
    said = values_from_labels(ontology, labels)
    return [{"spec_id": specs[name], "value": value} for name, value in said.items()]


def _shape(frame: int, box: Array, *, outside: bool) -> dict[str, Any]:
    return {"frame": frame, "box": [float(value) for value in box], "outside": outside}


def _spans(frames: Ints, longest_step: float | None) -> list[tuple[int, int]]:
    """Places of the first and last row of each stretch without a hole."""
    gaps = np.diff(frames)
    if not gaps.size:
        return [(0, 0)]
    holes = np.flatnonzero(gaps > (longest_step or 2 * np.median(gaps)))
    starts, ends = np.concatenate([[0], holes + 1]), np.concatenate([holes, [len(frames) - 1]])
    return [(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]


def _keyframes(frames: Ints, boxes: Array) -> list[int]:
    """Fewest places such that lines between them stay near enough; found by splitting where it is worst."""
    last = len(frames) - 1
    if last == 0:
        return [0]
    share = ((frames - frames[0]) / (frames[-1] - frames[0]))[:, None]
    line = boxes[0] + (boxes[-1] - boxes[0]) * share
    overlap = np.array([pairwise_iou(a[None], b[None])[0, 0] for a, b in zip(line, boxes, strict=True)])
    worst = int(overlap.argmin())
    if overlap[worst] >= LEAST_IOU or worst in (0, last):
        return [0, last]
    left = _keyframes(frames[: worst + 1], boxes[: worst + 1])
    return left[:-1] + [worst + place for place in _keyframes(frames[worst:], boxes[worst:])]
