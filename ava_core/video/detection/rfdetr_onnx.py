"""People by RF-DETR as an ONNX file, on ONNX Runtime: on a CPU about 60 % of the time that torch takes.

`export_onnx` makes such a file from a weights file; AVA_RFDETR_WEIGHTS then names it. What goes in and comes out is
what `rfdetr` itself does with it: bilinear scaling without antialiasing, ImageNet's mean and deviation; sigmoid of
the class scores, boxes as centre and size in shares of the picture.
"""

from __future__ import annotations

import importlib.metadata
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from ava_core.base.errors import DetectorError
from ava_core.base.work.cores import available
from ava_core.video.detection.base import CACHE_THRESHOLD, Boxes, Frame
from ava_core.video.detection.rfdetr import CPU_BATCH, VARIANTS, person_ids, proper_people

SUFFIX: Final = ".onnx"
NOTES: Final = "rfdetr_notes"
"""Where an exported file says more than its weights: the names of its classes."""
MEAN: Final = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION: Final = np.array([0.229, 0.224, 0.225], np.float32)


class RfDetrOnnxDetector:
    """RF-DETR on ONNX Runtime's CPU provider, loaded once. `weights`: an exported file with a free batch size."""

    name = "rfdetr"
    pixel_format: Literal["rgb24", "luma"] = "rgb24"
    device = "cpu"
    batch_size = CPU_BATCH
    warm_up_frames = 0

    def __init__(self, weights: Path) -> None:
        if not weights.is_file():
            raise DetectorError(
                f"RF-DETR's ONNX file is not at {weights}.", "Export it, or set AVA_RFDETR_WEIGHTS."
            )
        try:
            import onnxruntime
        except ImportError:
            raise DetectorError(
                f"{weights.name} needs ONNX Runtime, which is not installed.",
                "pip install 'ava-platform[onnx]'",
            ) from None
        self.weights = weights
        self.version = f"onnx (onnxruntime {importlib.metadata.version('onnxruntime')})"
        options = onnxruntime.SessionOptions()
        # Left alone, it counts the machine's cores, not those it may run on.
        options.intra_op_num_threads = len(available())
        self._session: Any = onnxruntime.InferenceSession(
            str(weights), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self.resolution = int(self._session.get_inputs()[0].shape[-1])
        # The last output slot stands for no class at all.
        classes = int(self._session.get_outputs()[1].shape[-1]) - 1
        notes = json.loads(self._session.get_modelmeta().custom_metadata_map.get(NOTES, "{}"))
        self.people = person_ids(notes.get("class_names", ()), classes, weights.name)

    @property
    def parameters(self) -> dict[str, Any]:
        """Weights by name and bytes, resolution."""
        weights = f"{self.weights.name}:{self.weights.stat().st_size}"
        return {"weights": weights, "resolution": self.resolution}

    def start_video(self, first_frames: Sequence[Frame]) -> None:
        """Nothing to do: every frame stands alone."""

    def detect(self, frames: Sequence[Frame]) -> list[Boxes]:
        """People in each frame, as one batch."""
        batch = np.stack([_as_input(frame, self.resolution) for frame in frames])
        boxes, classes = self._session.run(["dets", "labels"], {self._input: batch})
        return [_people(*one, self.people) for one in zip(boxes, classes, frames, strict=True)]


def export_onnx(size: str, weights: Path | None, target: Path, *, resolution: int | None = None) -> None:
    """Write RF-DETR of that size and weights as ONNX; needs the package `onnx`. `None` = random weights."""
    from ava_core.video.detection.torchvision_cure import make_torchvision_importable

    make_torchvision_importable()
    import rfdetr

    options: dict[str, Any] = {"resolution": resolution} if resolution else {}
    model = getattr(rfdetr, VARIANTS[size][0])(
        pretrain_weights=str(weights) if weights else None, device="cpu", **options
    )
    with tempfile.TemporaryDirectory(prefix="ava-onnx-") as folder:
        notes = {"class_names": model.model.class_names or []}
        made = model.export(output_dir=folder, format="onnx", dynamic_batch=True, verbose=False, notes=notes)
        target.write_bytes(Path(made).read_bytes())


def _as_input(frame: Frame, resolution: int) -> npt.NDArray[np.float32]:
    import cv2

    picture = cv2.resize(
        frame.astype(np.float32) / 255, (resolution, resolution), interpolation=cv2.INTER_LINEAR
    )
    return np.ascontiguousarray(((picture - MEAN) / DEVIATION).transpose(2, 0, 1), dtype=np.float32)


def _people(boxes: Boxes, classes: Boxes, frame: Frame, ids: Sequence[int]) -> Boxes:
    scores = 1 / (1 + np.exp(-classes[:, ids].max(axis=1).astype(np.float64)))
    kept = scores > CACHE_THRESHOLD
    centre, size = boxes[kept, :2].astype(np.float64), boxes[kept, 2:].astype(np.float64)
    height, width = frame.shape[:2]
    corners = np.column_stack([centre - size / 2, centre + size / 2]) * [width, height, width, height]
    return proper_people(corners, scores[kept], frame)
