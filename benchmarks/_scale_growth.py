"""CPU and memory a clip of each stage that computes, as a batch grows; each size in a process of its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl

from ava_core.base.schemas import CLIP_FPS, CLIPS, DETECTIONS
from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.ontology import Ontology, load_ontology
from ava_core.quality.agreement.build import match_work
from ava_core.quality.agreement.measure import measure_work
from ava_core.quality.consensus.form import form_from_work
from ava_core.video.cutting import cut_clips
from ava_core.video.detection.cache import ClipDetections, keep, provenance
from ava_core.video.detection.registry import make_detector
from ava_core.video.intake.source_videos import take_in_sources
from ava_core.video.proposals.keyframes import keyframe_proposals
from ava_core.video.tracking.batch import track_clips
from benchmarks._bench import Bars, table
from benchmarks.ingest import repeated
from benchmarks.tracking import crowd
from tests.support.planted_work import good_annotators, plant
from tests.support.world import write_seven_seconds

SIZES = (100, 1000)
PEOPLE, SECONDS, STEP = 10, 15, 6
STAGES = ("cut", "track", "proposals", "agreement", "consensus")
CUT_SECONDS = 7
CLIPS_A_SOURCE, PLANTED = 20, 50
FLAT = 1.2
"""What a clip of the larger batch may take of one of the smaller."""
MEMORY_LIMIT_MB = 1200


def growth(bars: Bars) -> None:
    """Measure, print, judge."""
    found = {size: _in_a_process(size) for size in SIZES}
    print(f"\nClips of {PEOPLE} people, cut ones of {CUT_SECONDS} s: CPU-ms a clip, MB at most")
    table(
        ["clips", *STAGES, "MB"],
        [
            [str(size), *(1e3 * one[stage] / size for stage in STAGES), one["MB"]]
            for size, one in found.items()
        ],
    )
    bars.figure("growth", found)
    small, large = SIZES
    for stage in STAGES:
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
        cut_clips(*_sources(Path(folder), CLIPS_A_SOURCE))
        cut = _sources(Path(folder), size)
        spent: dict[str, float] = {}
        with _timed(spent, "cut"):
            cut_clips(*cut)
        with _timed(spent, "track"):
            tracks = track_clips(at, clips)
        with _timed(spent, "proposals"):
            keyframe_proposals(clips, tracks)
        del tracks
        work = _work(size)
        with _timed(spent, "agreement"):
            matched = match_work(*work)
            measure_work(matched)
        with _timed(spent, "consensus"):
            form_from_work(matched, approved=work[2]["clip_id"].unique())
    spent["MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(spent))


@contextmanager
def _timed(spent: dict[str, float], stage: str) -> Iterator[None]:
    """Note the CPU seconds of a stage."""
    began = time.process_time()
    yield
    spent[stage] = time.process_time() - began


def _sources(folder: Path, clips: int) -> tuple[BatchContext, pl.DataFrame]:
    """A batch whose small videos hold so many clips, and its source videos."""
    at = BatchContext(
        f"cut{clips}",
        load_settings(runner="inline", clip_seconds=CUT_SECONDS, clip_min_seconds=1, clip_fit="scale"),
        storage=Storage(folder),
    )
    videos = folder / f"videos{clips}"
    videos.mkdir()
    seven = write_seven_seconds(folder / "seven.mp4")
    long = repeated(seven, CLIPS_A_SOURCE, folder / "long.mp4", CUT_SECONDS).read_bytes()
    for number in range(clips // CLIPS_A_SOURCE):
        # Bytes behind the end make it another file, and the same video.
        (videos / f"cam{number}.mp4").write_bytes(long + bytes([number]))
    return at, take_in_sources(at, videos)


def _work(clips: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, Ontology]:
    """Three people's work on so many clips: planted once, and repeated under other names."""
    small = plant(good_annotators(3, 0), seed=0, clips=PLANTED, people=PEOPLE)
    tables = [
        pl.concat(
            table.with_columns(clip_id=pl.col("clip_id") + f"_{n:02d}", job_id=pl.col("job_id") + n * 1000)
            for n in range(clips // PLANTED)
        )
        for table in (small.raw_boxes, small.raw_labels, small.completed)
    ]
    return tables[0], tables[1], tables[2], load_ontology("ava80")


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
