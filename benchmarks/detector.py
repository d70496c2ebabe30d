"""Detectors: frames a second by model, back end, precision and batch, beside one another in one run.

RF-DETR runs with random weights where none lie at hand: its time does not depend on them. A GPU is used where
there is one, ONNX Runtime where it is installed. The motion detector is the one that costs next to nothing.

On a GPU, the model's own plain predict loop (one frame a call, full precision) is measured beside ours, and a clip
is decoded in the same run: the share of decoding says when more detector helps no further.

    python -m benchmarks.detector [--json FILE] [--size nano] [--resolution 384] [--seconds 10]
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ava_core.video.detection.base import CACHE_THRESHOLD, Detector, Frame
from ava_core.video.detection.motion import MotionDetector
from ava_core.video.detection.rfdetr import GPU_BATCH, VARIANTS, RfDetrDetector
from ava_core.video.media.frames import decoded_frames
from benchmarks._bench import Bars, argument_parser, table

Make = Callable[[], "Detector | PlainLoop"]

PLAIN: Final = "rfdetr plain loop cuda"
HALF: Final = "rfdetr torch cuda half"
GPU_BAR: Final = 5.0
"""How many times the frames of the plain loop a GPU must take."""


def main() -> None:
    """Measure, print."""
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--size", choices=sorted(VARIANTS), default="nano")
    parser.add_argument("--resolution", type=int, default=384)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each is measured")
    options = parser.parse_args()
    bars = Bars("detector")
    frames = street_frames(32)
    rows = []
    with tempfile.TemporaryDirectory(prefix="ava-bench-") as folder:
        for name, make, batches in detectors(options.size, options.resolution, Path(folder)):
            detector = make()
            detector.start_video(frames)
            for batch in batches:
                wall, cpu = measure(detector, frames, batch, options.seconds)
                rows.append([name, batch, 1 / wall, 1e3 * wall, 1e3 * cpu])
                bars.figure(f"{name}, batch {batch}, frames/s", 1 / wall)
        decoded = decoding_rate(frames, Path(folder) / "street.mp4")
        rows.append(["decoding H.264 720p", "", decoded, 1e3 / decoded, ""])
        bars.figure("decoding, frames/s", decoded)
    rate = {(name, batch): frames_per_second for name, batch, frames_per_second, *_ in rows}
    if (PLAIN, 1) in rate:
        best = rate[HALF, GPU_BATCH]
        bars.bar(f"{HALF}, batch {GPU_BATCH}, beside the plain loop", best / rate[PLAIN, 1], GPU_BAR,
                 holds=best >= GPU_BAR * rate[PLAIN, 1])  # fmt: skip
        bars.figure("share of decoding in decode, then detect", best / (best + decoded))
    print(f"\n720p frames, RF-DETR {options.size} at {options.resolution}")
    table(["detector", "batch", "frames/s", "ms/frame", "CPU-ms/frame"], rows)
    bars.finish(options.json)


def detectors(size: str, resolution: int, folder: Path) -> Iterator[tuple[str, Make, tuple[int, ...]]]:
    """Name, maker and batch sizes of what can run here."""
    import torch

    yield "motion", MotionDetector, (1,)
    yield (
        "rfdetr torch cpu",
        lambda: RfDetrDetector(size, None, device="cpu", resolution=resolution),
        (1, 2, 4),
    )
    if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnx"):
        from ava_core.video.detection.rfdetr_onnx import RfDetrOnnxDetector, export_onnx

        target = folder / f"{size}.onnx"
        export_onnx(size, None, target, resolution=resolution)
        yield "rfdetr onnx cpu", lambda: RfDetrOnnxDetector(target), (1, 2, 4)
    if torch.cuda.is_available():
        yield PLAIN, lambda: PlainLoop(size, resolution), (1,)
        yield (
            HALF,
            lambda: RfDetrDetector(size, None, device="cuda", resolution=resolution),
            (1, 4, 16, GPU_BATCH),
        )


class PlainLoop:
    """RF-DETR as its README shows it: `predict` on one frame after the other."""

    def __init__(self, size: str, resolution: int) -> None:
        import rfdetr

        self._model = getattr(rfdetr, VARIANTS[size][0])(
            pretrain_weights=None, device="cuda", resolution=resolution
        )

    def start_video(self, first_frames: Sequence[Frame]) -> None:
        """Nothing to do."""

    def detect(self, frames: Sequence[Frame]) -> list[Any]:
        """What is found in each frame."""
        return [self._model.predict(frame, threshold=CACHE_THRESHOLD) for frame in frames]


def decoding_rate(frames: list[Frame], path: Path) -> float:
    """Frames a second at which a clip of these frames is decoded to RGB."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "yuv420p"
        for frame in frames * 8:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    begin = time.perf_counter()
    count = sum(1 for _ in decoded_frames(path, "rgb24"))
    return count / (time.perf_counter() - begin)


def measure(
    detector: Detector | PlainLoop, frames: list[Frame], batch: int, seconds: float
) -> tuple[float, float]:
    """Wall and CPU seconds a frame, after one batch to warm up."""
    detector.detect(frames[:batch])
    done, begin, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - begin < seconds:
        start = done % (len(frames) - batch + 1)
        detector.detect(frames[start : start + batch])
        done += batch
    return (time.perf_counter() - begin) / done, (time.process_time() - cpu) / done


def street_frames(count: int) -> list[Frame]:
    """A noisy 720p street with people who walk."""
    noise = np.random.default_rng(0)
    street = noise.integers(60, 180, (720, 1280, 3)).astype(np.uint8)
    frames = []
    for number in range(count):
        frame = street.copy()
        for who in range(8):
            left = (who * 150 + number * 6) % 1200
            frame[200 + 20 * who : 340 + 20 * who, left : left + 50] = (40 + 20 * who, 90, 200)
        frames.append(frame)
    return frames


if __name__ == "__main__":
    main()
