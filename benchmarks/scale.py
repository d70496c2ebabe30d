"""What grows: batches from 100 clips to 1,000, work on one Ray node and on two, a release in an object store whose
every answer takes a while, beside one sent picture by picture, and a platform with a long history.

    python -m benchmarks.scale [--json FILE] [--only growth|ray|release|idle|history]
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from ava_core.dataset.export.folders import fetched_folder
from benchmarks._bench import Bars, argument_parser, table
from benchmarks._scale_growth import growth
from benchmarks._scale_history import history
from benchmarks._scale_idle import idle
from benchmarks._scale_ray import ray_nodes
from tests.support.object_store import ObjectStore, object_store
from tests.support.world import FRAMES, World, write_seven_seconds

LATENCY_S = 0.03
"""Of each answer of the store."""
CLIPS = 8
PLACES = 3
"""Layouts that hold every picture: frames/, rawframes/, kinetics/."""
SAMPLE = 40
"""Pictures that are fetched and sent one by one; the time of all follows from theirs."""
LEAST = 20.0


def one_by_one(world: World, clip: str) -> float:
    """Seconds to fetch and send a picture: how a release went before."""
    dataset = world.storage.asset_dir("north", "ava_csv") / "dataset"
    by_hand = world.storage.path("by_hand")
    with fetched_folder(world.storage, dataset, only=f"frames/{clip}") as local:
        found = sorted(local.rglob("*.jpg"))[:SAMPLE]
        for picture in found:
            (by_hand / picture.name).write_bytes(picture.read_bytes())
    began = time.perf_counter()
    for picture in found:
        content = (by_hand / picture.name).read_bytes()
        for place in range(PLACES):
            (by_hand / str(place) / picture.name).write_bytes(content)
    return (time.perf_counter() - began) / SAMPLE


def measured(store: ObjectStore, folder: Path) -> tuple[float, float]:
    """Seconds of a release, and of its pictures one by one."""
    world = World(folder, write_seven_seconds(folder / "seven.mp4"), f"s3://{store.bucket}/platform")
    clips = world.add_batch("north", [f"cam{number}" for number in range(CLIPS)])
    store.latency = LATENCY_S
    slow = one_by_one(world, clips[0]) * FRAMES * CLIPS
    began = time.perf_counter()
    world.release("v1", flavours=["frames", "rawframes", "kinetics"])
    quick = time.perf_counter() - began
    world.close()
    return quick, slow


def release(bars: Bars) -> None:
    """A release in an object store: measure, print, judge."""
    with tempfile.TemporaryDirectory() as folder, object_store() as store:
        place = Path(folder) / "home"
        place.mkdir()
        quick, slow = measured(store, place)
    rows = [["a clip an object, copied by the store", quick], ["picture by picture (from a sample)", slow]]
    table(
        [
            f"{CLIPS} clips, {CLIPS * FRAMES * PLACES} pictures, {LATENCY_S * 1000:.0f} ms an answer",
            "seconds",
        ],
        rows,
    )
    bars.figure("release to S3, s", quick)
    bars.figure("picture by picture, s", slow)
    bars.bar("release to S3, times as fast", slow / quick, LEAST, holds=slow / quick >= LEAST)


ROWS = {"growth": growth, "ray": ray_nodes, "release": release, "idle": idle, "history": history}


def main() -> None:
    """Measure, print, judge."""
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--only", choices=list(ROWS), help="one of the measurements")
    options = parser.parse_args()
    bars = Bars("scale")
    for name, measure in ROWS.items():
        if options.only in (None, name):
            measure(bars)
    bars.finish(options.json)


if __name__ == "__main__":
    main()
