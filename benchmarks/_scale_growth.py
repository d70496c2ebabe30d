"""CPU and memory a clip of tracking and its keyframe boxes, as a batch grows; each size in a process of its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from ava_core.base.schemas import CLIP_FPS, CLIPS, DETECTIONS
from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.video.detection.cache import ClipDetections, keep, provenance
from ava_core.video.detection.registry import make_detector
from ava_core.video.proposals.keyframes import keyframe_proposals
from ava_core.video.tracking.batch import track_clips
from benchmarks._bench import Bars, table
from benchmarks.tracking import crowd

SIZES = (100, 1000)
PEOPLE, SECONDS, STEP = 10, 15, 6
FLAT = 1.2
"""What a clip of the larger batch may take of one of the smaller."""
MEMORY_LIMIT_MB = 1200


def growth(bars: Bars) -> None:
    """Measure, print, judge."""
    found = {size: _in_a_process(size) for size in SIZES}
    stages = ("track", "proposals")
    print(f"\nClips of {PEOPLE} people whose detections are kept: CPU-ms a clip, MB at most")
    table(
        ["clips", *stages, "MB"],
        [
            [str(size), *(1e3 * one[stage] / size for stage in stages), one["MB"]]
            for size, one in found.items()
        ],
    )
    bars.figure("growth", found)
    small, large = SIZES
    for stage in stages:
        ratio = found[large][stage] / large / (found[small][stage] / small)
        bars.bar(f"{stage}: CPU a clip at {large} over {small}", ratio, FLAT, holds=ratio <= FLAT)
    memory = found[large]["MB"]
    bars.bar(f"MB for a batch of {large} clips", memory, MEMORY_LIMIT_MB, holds=memory <= MEMORY_LIMIT_MB)


def _in_a_process(size: int) -> dict[str, float]:
    program = f"from benchmarks._scale_growth import measure; measure({size})"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return measured


def measure(size: int) -> None:
    """CPU seconds of each stage of a batch of so many clips, and the most memory that the process took."""
    with tempfile.TemporaryDirectory(prefix="ava-bench-") as folder:
        at = BatchContext("b", load_settings(runner="inline"), storage=Storage(Path(folder)))
        clips = _kept_clips(at, size)
        track_clips(at, clips.head(1))  # what is imported is none of a clip's time
        spent = {}
        began = time.process_time()
        tracks = track_clips(at, clips)
        spent["track"] = time.process_time() - began
        began = time.process_time()
        keyframe_proposals(clips, tracks)
        spent["proposals"] = time.process_time() - began
    spent["MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(spent))


def _kept_clips(at: BatchContext, size: int) -> pl.DataFrame:
    """Clips with kept detections of people who walk about."""
    sampled = np.arange(0, SECONDS * CLIP_FPS, STEP)
    rows = [
        ("c", frame, *box.tolist())
        for frame, boxes in zip(sampled.tolist(), crowd(PEOPLE, len(sampled)), strict=True)
        for box in boxes
    ]
    boxes = pl.DataFrame(rows, schema=dict(DETECTIONS), orient="row")
    made_by = provenance(at.settings, make_detector(at.settings))
    names = [f"clip_{number:05}" for number in range(size)]
    for name in names:
        keep(at, name, name, ClipDetections(boxes.with_columns(clip_id=pl.lit(name)), sampled, made_by))
    clips = [
        {"clip_id": name, "batch": at.batch, "frames": SECONDS * CLIP_FPS, "sha256": name} for name in names
    ]
    return pl.DataFrame(clips, schema=dict(CLIPS))
