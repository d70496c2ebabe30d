"""Overlap of boxes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def pairwise_iou(a: Array, b: Array) -> Array:
    """Intersection over union of every box of `a` `(N, 4)` with every box of `b` `(M, 4)`: `(N, M)`."""
    left_top = np.maximum(a[:, None, :2], b[None, :, :2])
    right_bottom = np.minimum(a[:, None, 2:4], b[None, :, 2:4])
    shared = np.clip(right_bottom - left_top, 0.0, None).prod(axis=2)
    area_a = np.clip(a[:, 2:4] - a[:, :2], 0.0, None).prod(axis=1)
    area_b = np.clip(b[:, 2:4] - b[:, :2], 0.0, None).prod(axis=1)
    union = area_a[:, None] + area_b[None, :] - shared
    overlap: Array = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlap


def grown(boxes: Array, share: float) -> Array:
    """Boxes that grew by `share` of their width and height on each side."""
    by = (boxes[:, 2:4] - boxes[:, :2]) * share
    return np.column_stack([boxes[:, :2] - by, boxes[:, 2:4] + by])
