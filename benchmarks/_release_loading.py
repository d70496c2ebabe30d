"""Items a second from a release of 720p: the project's dataset from frames, videos and shards, and pytorchvideo's.

Every item is the 60 pictures around a keyframe, in their own size, out of two workers, each reader in a process of its
own. Run as a program it is that process.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from torch.utils.data import DataLoader

from ava_core.base.schemas import CLIP_FPS
from ava_core.dataset.formats.ava import names
from ava_core.dataset.loading.torch_dataset import AvaSplit
from benchmarks._bench import Bars, table
from benchmarks._release_hour import home_of_an_hour
from tests.support.throwaway import Unavailable, environment

CLIPS, FRAMES, WORKERS = 5, 60, 2
SUMMED: Final = 7
"""Every seventh value along each axis is compared: enough to tell pictures apart, and next to no time."""
PEER: Final = "pytorchvideo"
SOURCES: Final = ("frames", "videos", "shards")
ROUNDS: Final = 2
"""Of all readers in turn, the best of each counts: a neighbour who takes the processor hits one round."""


class Loaded(NamedTuple):
    """How many items came, in what time, with what CPU time, and the sum of some values of each, sorted."""

    items: int
    seconds: float
    cpu: float
    sums: list[int]

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.items / self.seconds


def measure(bars: Bars) -> None:
    """Note the rate of each reader; the peer's is left out, and said to be, where it cannot be installed."""
    with tempfile.TemporaryDirectory() as temporary:
        world = home_of_an_hour(Path(temporary) / "home", CLIPS)
        folder = Path(world.release("loaded", flavours=SOURCES).folder.path)
        world.close()
        pythons = dict.fromkeys(SOURCES, Path(sys.executable))
        try:
            pythons[PEER] = environment(Path(temporary) / "peer", PEER, shared=True)
        except Unavailable as why:
            print(f"{PEER} is left out: {why}")
        rounds = [
            {name: _loaded(python, name, folder) for name, python in pythons.items()} for _ in range(ROUNDS)
        ]
    best = {name: max((one[name] for one in rounds), key=lambda loaded: loaded.rate) for name in pythons}
    table(
        ["reader", "items", "items/s", "CPU ms an item"],
        [[name, one.items, one.rate, 1000 * one.cpu / one.items] for name, one in best.items()],
    )
    bars.figure("items_per_second", {name: one.rate for name, one in best.items()})
    bars.figure("cpu_seconds_per_item", {name: one.cpu / one.items for name, one in best.items()})
    if PEER in best:
        same = best[PEER].sums == best["frames"].sums
        bars.bar(f"pictures equal to {PEER}'s (1 = yes)", float(same), 1, holds=same)
        times = best["frames"].rate / best[PEER].rate
        bars.bar(f"items a second from frames, times {PEER}'s", times, 1, holds=times >= 1)


def _loaded(python: Path, reader: str, folder: Path) -> Loaded:
    done = subprocess.run(
        [python, "-m", "benchmarks._release_loading", reader, folder],
        capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    return Loaded(*json.loads(done.stdout.splitlines()[-1]))


def _items(reader: str, folder: Path) -> Iterable[Any]:
    """The pictures `(3, FRAMES, height, width)` of every keyframe of the training split."""
    if reader != PEER:
        data = AvaSplit(
            folder, "train", frames=FRAMES, stride=1, source=reader, uint8=True, transform=_pictures
        )
        return DataLoader(data, batch_size=None, num_workers=WORKERS)
    from ava_core.video.detection.torchvision_cure import make_torchvision_importable

    make_torchvision_importable()
    from pytorchvideo.data import Ava
    from pytorchvideo.data.clip_sampling import make_clip_sampler
    from torch.utils.data import SequentialSampler

    theirs = Ava(
        str(folder / names.frame_list("train")), str(folder / names.rows_csv("train")),
        video_path_prefix=str(folder / names.FRAMES), clip_sampler=make_clip_sampler("random", FRAMES / CLIP_FPS),
        video_sampler=SequentialSampler, transform=_pictures,
    )  # fmt: skip
    return DataLoader(theirs, batch_size=None, num_workers=WORKERS)


def _pictures(item: dict[str, Any]) -> Any:
    return item["clip"] if "clip" in item else item["video"]


def main() -> None:
    """Load everything once, and print a `Loaded` as JSON. The clock starts with the first item: then workers run."""
    reader, folder = sys.argv[1], Path(sys.argv[2])
    sums: list[int] = []
    started = 0.0
    for item in _items(reader, folder):
        started = started or time.perf_counter()
        sums.append(int(item.numpy()[:, ::SUMMED, ::SUMMED, ::SUMMED].sum(dtype="int64")))
    seconds = time.perf_counter() - started
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(one.ru_utime + one.ru_stime for one in used)
    print(json.dumps([len(sums), seconds, cpu, sorted(sums)]))


if __name__ == "__main__":
    main()
