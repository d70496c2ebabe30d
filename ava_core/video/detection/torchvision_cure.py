"""Lets torchvision be imported beside a torch build that its compiled part does not load with.

A CUDA build of torchvision beside a CPU build of torch fails at import with "operator torchvision::nms does not
exist", since it registers shape functions for operators that its compiled part would have defined. Defining the
two schemas first lets the import go through. RF-DETR calls neither operator.
"""

from __future__ import annotations

from typing import Any

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_kept: list[Any] = []
"""The library object: its definitions vanish with it."""


def make_torchvision_importable() -> None:
    """Define the missing operators, once, and only where torchvision's own do not load."""
    import torch

    if _kept or hasattr(torch.ops.torchvision, "nms"):
        return
    if _compiled_part_loads():
        return
    library = torch.library.Library("torchvision", "DEF")
    for schema in _SCHEMAS:
        library.define(schema)
    _kept.append(library)


def _compiled_part_loads() -> bool:
    import importlib.util
    from pathlib import Path

    import torch

    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return False
    for library in Path(spec.origin).parent.glob("_C*.so"):
        try:
            torch.ops.load_library(str(library))
        except OSError:
            continue
        return hasattr(torch.ops.torchvision, "nms")
    return False
