"""Videos that are cut and tracked on one node of a Ray cluster, then on two: time by the clock, and the same bytes."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.video.cutting import cut_clips
from ava_core.video.intake.source_videos import take_in_sources
from ava_core.video.tracking.batch import track_clips
from benchmarks._bench import Bars, table
from benchmarks.ingest import TWO_WORKERS, VIDEOS, hashes, write_street
from tests.support.ray_cluster import two_nodes


def ray_nodes(bars: Bars) -> None:
    """Measure, print, judge. It says nothing on a machine that has other work to do, or fewer than two cores."""
    seconds, made = {}, {}
    with tempfile.TemporaryDirectory(prefix="ava-bench-") as folder, two_nodes() as nodes:
        videos = Path(folder) / "in"
        videos.mkdir()
        street = write_street(Path(folder) / "street.mp4").read_bytes()
        for number in range(VIDEOS):
            # Bytes behind the end make it another file, and the same video.
            (videos / f"cam{number}.mp4").write_bytes(street + bytes([number]))
        for workers in (1, 2):
            out = Path(folder) / str(workers)
            settings = load_settings(
                runner="ray", ray_address=nodes.address, workers=workers, clip_fit="scale", detect_fps=5
            )
            at = BatchContext("b", settings, storage=Storage(out))
            sources = take_in_sources(at, videos)
            began = time.perf_counter()
            track_clips(at, cut_clips(at, sources))
            seconds[workers], made[workers] = time.perf_counter() - began, hashes(out)
    print(f"\n{VIDEOS} videos of 1080p on Ray, scaled to 720p, cut and tracked")
    table(["units at a time", "seconds"], [[str(number), spent] for number, spent in seconds.items()])
    bars.figure("Ray, seconds by units at a time", seconds)
    ratio = seconds[1] / seconds[2]
    same = made[1] == made[2]
    bars.bar("two Ray nodes over one, same bytes", ratio, TWO_WORKERS, holds=ratio >= TWO_WORKERS and same)
