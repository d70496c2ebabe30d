"""Overlap of boxes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def pairwise_iou(a: Array, b: Array) -> Array:
    """Intersection over union of every box of `a` `(N, 4)` with every box of `b` `(M, 4)`: `(N, M)`."""
    # Coordinates in rows of their own: numpy's loops are fast along contiguous memory alone.
    ax1, ay1, ax2, ay2 = np.ascontiguousarray(a[:, :4].T)[..., None]
    bx1, by1, bx2, by2 = np.ascontiguousarray(b[:, :4].T)
    shared: Array = np.minimum(ax2, bx2)
    shared -= np.maximum(ax1, bx1)
    np.maximum(shared, 0.0, out=shared)
    height = np.minimum(ay2, by2)
    height -= np.maximum(ay1, by1)
    np.maximum(height, 0.0, out=height)
    shared *= height
    area_a = np.maximum(ax2 - ax1, 0.0) * np.maximum(ay2 - ay1, 0.0)
    area_b = np.maximum(bx2 - bx1, 0.0) * np.maximum(by2 - by1, 0.0)
    union = np.add(area_a, area_b, out=height)
    union -= shared
    # Where there is no union nothing is shared either.
    np.divide(shared, union, out=shared, where=union > 0)
    return shared


def grown(boxes: Array, share: float) -> Array:
    """Boxes that grew by `share` of their width and height on each side."""
    by = (boxes[:, 2:4] - boxes[:, :2]) * share
    return np.column_stack([boxes[:, :2] - by, boxes[:, 2:4] + by])
