"""An hour of 720p, released twice from one home in one run: with every picture, and as shards.

All clips hold one recording, so the machine reads pictures from its memory where a real hour of them comes from the
disk: that favours the release with frames.
"""

from __future__ import annotations

import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from ava_core.base.schemas import CLIP_FPS
from ava_core.dataset.export.picture_sums import KEPT_PICTURES
from ava_core.dataset.formats.ava.names import frame_name
from ava_core.video.media.encoding import H264File
from ava_core.video.media.frames import write_frames
from ava_core.video.media.reading import opened
from benchmarks._bench import REFERENCE_DATA, Bars, table
from tests.support.world import Shape, World

SHAPE: Final = Shape(1280, 720, 0, 15 * CLIP_FPS)
CLIPS: Final = 3600 // 15
RECORDING: Final = REFERENCE_DATA / "video" / "vtest.avi"
"""Of 10 frames a second; shown at 30, so that every frame differs from the one before."""
TIMES_FASTER, TIMES_SMALLER = 3.0, 5.0


class Released(NamedTuple):
    """What a release took and holds."""

    seconds: float
    cpu: float
    files: int
    size: int


def write_clip(path: Path) -> Path:
    """15 s of a street at 720p, as the platform encodes a clip."""
    video = H264File(path, SHAPE.width, SHAPE.height)
    with opened(RECORDING) as reading:
        for number, one in enumerate(islice(reading.frames(), SHAPE.frames)):
            video.add(one.frame.reformat(SHAPE.width, SHAPE.height, "yuv420p"), number)
    video.finish()
    return path


def home_of_an_hour(folder: Path, clips: int = CLIPS) -> World:
    """A home with one approved batch of that many clips, its pictures made."""
    world = World(folder, write_clip(folder.parent / "clip.mp4"), shape=SHAPE)
    world.add_batch("hour", [f"cam{number:03d}" for number in range(clips)], dataset=False)
    _keep_pictures(world)
    world.write_batch("hour")
    return world


def _keep_pictures(world: World) -> None:
    """The pictures of one clip as those of all of them, where the batch's dataset looks for its own."""
    kept = world.storage.local(world.storage.asset_dir("hour", "ava_csv")) / KEPT_PICTURES
    kept.mkdir(parents=True)
    made = world.home / "pictures"
    write_frames(world.clip, made, lambda number: f"{number:06d}.jpg", (SHAPE.width, SHAPE.height))
    for clip, sha256 in world.at("hour").table("clips").select("clip_id", "sha256").rows():
        own = kept / f"{clip}-{sha256[:12]}-{SHAPE.width}x{SHAPE.height}"
        own.mkdir()
        for picture in made.iterdir():
            (own / frame_name(clip, int(picture.stem))).hardlink_to(picture)


def released(world: World, flavour: str) -> Released:
    """Release with one flavour."""
    wall, cpu = time.perf_counter(), time.process_time()
    folder = Path(world.release(flavour, flavours=[flavour]).folder.path)
    taken = time.perf_counter() - wall, time.process_time() - cpu
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return Released(*taken, len(sizes), sum(sizes))


def measure(bars: Bars, clips: int = CLIPS) -> None:
    """Note both releases, and how many times faster and smaller the second one is."""
    with tempfile.TemporaryDirectory() as temporary:
        world = home_of_an_hour(Path(temporary) / "home", clips)
        found = {flavour: released(world, flavour) for flavour in ("frames", "shards")}
        world.close()
    print(f"{clips * SHAPE.frames / CLIP_FPS / 3600:.2f} hours of {SHAPE.width}×{SHAPE.height}")
    table(
        ["release with", "seconds", "CPU seconds", "files", "GB"],
        [[name, one.seconds, one.cpu, one.files, one.size / 1e9] for name, one in found.items()],
    )
    frames, shards = found["frames"], found["shards"]
    bars.figure("hour", {name: one._asdict() for name, one in found.items()} | {"clips": clips})
    faster, smaller = frames.seconds / shards.seconds, frames.size / shards.size
    bars.bar("shards, times faster than frames", faster, TIMES_FASTER, holds=faster >= TIMES_FASTER)
    bars.bar("shards, times smaller than frames", smaller, TIMES_SMALLER, holds=smaller >= TIMES_SMALLER)
