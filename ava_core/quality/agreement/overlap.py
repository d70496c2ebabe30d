"""Overlap of the boxes that a crew drew around the same person."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def box_iou(a: Array, b: Array) -> Array:
    """IoU of boxes `(…, 4)` one by one; nan where either is absent."""
    shared, union = areas(a, b)
    result: Array = np.divide(shared, union, out=np.where(np.isnan(union), np.nan, 0.0), where=union > 0)
    return result


def areas(a: Array, b: Array) -> tuple[Array, Array]:
    """Shared and united area of boxes `(…, 4)` one by one, in square pixels; nan where either is absent."""
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    shared = np.clip(width, 0, None) * np.clip(height, 0, None)
    return shared, area(a) + area(b) - shared


def area(boxes: Array) -> Array:
    """Areas `(…,)` of boxes `(…, 4)`, in square pixels; 0 of a box that is turned inside out."""
    width, height = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    result: Array = np.clip(width, 0, None) * np.clip(height, 0, None)
    return result


def edge_shifts(boxes: Array) -> Array:
    """Signed distance of each box's edges from the mean of the others' boxes, in shares of that mean box's width and
    height: `(P, K, 4)` of `(P, K, 4)`, to the right and down; nan where the box or every other is absent."""
    present = ~np.isnan(boxes[:, :, 0])
    known = np.where(present[:, :, None], boxes, 0.0)
    others = present.sum(axis=1, keepdims=True) - present
    mean = (known.sum(axis=1, keepdims=True) - known) / np.where(others > 0, others, np.nan)[:, :, None]
    size = np.tile(mean[..., 2:] - mean[..., :2], 2)
    result: Array = (boxes - mean) / np.where(size > 0, size, np.nan)
    return result
