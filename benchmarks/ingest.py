"""Ingest: CPU time of one pass against the older way, on one 1080p video; memory of long videos.

The older way is the one that the system before this took: decode and write mp4v at 1280×720, decode and cut that
into mp4v again, decode once more for a JPEG a second, all with OpenCV. One pass does all of it in one decoding,
as it is by default (`clip_fit=auto`): a video that is H.264 at 30 fps already is copied, with the motion detector's
work. Any other is scaled to 1280×720 and encoded once; without a detector's work that is held to decoding, scaling
and encoding alone. Each way runs in a process of its own, in turns; the decode floor is what decoding alone takes.

A folder of videos is cut and tracked by one worker on one core, then by two on two: the time by the clock, the start of
the workers included, and whether both give the same bytes. It says nothing on a machine that has other work to do.

    python -m benchmarks.ingest [--json FILE] [--repeat N] [--hour]
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._bench import Bars, argument_parser, table

FPS, SECONDS = 30, 30
SIZE = (1920, 1080)
BITRATE = "4M"
"""Usual for 1080p CCTV."""
MEMORY_LIMIT_MB = 1500
LESS_THAN_OLDER = 2.5
OF_THE_FLOOR = 2.2
"""Decode floors that a video may take that is copied, detector included."""
OF_ITS_PARTS = 1.15
"""What one pass may take of decoding, scaling and encoding alone."""
VIDEOS = 4
"""In the folder that workers share."""
TWO_WORKERS = 1.7
"""How many times as fast two workers are as one."""


def main() -> None:
    """Measure, print, judge."""
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each way; the least counts")
    parser.add_argument("--hour", action="store_true", help="also run a whole hour for its memory")
    parser.add_argument("--way", nargs=2, metavar=("NAME", "VIDEO"), help="(one measurement in this process)")
    parser.add_argument("--workers", nargs=3, metavar=("N", "FOLDER", "OUT"), help="(the same, by N workers)")
    options = parser.parse_args()
    if options.workers:
        number, videos, out = options.workers
        _work_here(int(number), Path(videos), Path(out))
        return
    if options.way:
        name, video = options.way
        _measure_here(name, Path(video))
        return
    bars = Bars("ingest")
    with tempfile.TemporaryDirectory(prefix="ava-bench-") as folder:
        video = write_street(Path(folder) / "street.mp4")
        processor_time(bars, video, options.repeat)
        workers(bars, video, options.repeat)
        memory(bars, video, hour=options.hour)
    bars.finish(options.json)


def processor_time(bars: Bars, video: Path, repeat: int) -> None:
    """CPU seconds of each way."""
    runs = [{name: _measure(name, video) for name in WAYS} for _ in range(repeat)]
    best = {name: min(run[name]["cpu_s"] for run in runs) for name in WAYS}
    frames = FPS * SECONDS
    print(
        f"\n{SECONDS} s of 1080p at {FPS} fps, H.264, {video.stat().st_size / 1e6:.0f} MB; least of {repeat} runs"
    )
    table(
        ["way", "CPU-s", "CPU-ms/frame", "of the floor", "less than older"],
        [
            [name, cpu, 1e3 * cpu / frames, cpu / best["decode floor"], best["older way"] / cpu]
            for name, cpu in best.items()
        ],
    )
    bars.figure("CPU seconds", best)
    older = best["older way"] / best["default"]
    bars.bar("older way over default", older, LESS_THAN_OLDER, holds=older >= LESS_THAN_OLDER)
    floors = best["default"] / best["decode floor"]
    bars.bar("default over decode floor", floors, OF_THE_FLOOR, holds=floors <= OF_THE_FLOOR)
    overhead = best["one pass, scaled"] / best["decode, scale, encode"]
    bars.bar("one pass, scaled, over its parts", overhead, OF_ITS_PARTS, holds=overhead <= OF_ITS_PARTS)


def workers(bars: Bars, video: Path, repeat: int) -> None:
    """Two workers beside one: time by the clock, and the bytes that they give."""
    if len(os.sched_getaffinity(0)) < 2:
        print("\nOne core alone: two workers cannot be measured.")
        return
    folder = video.with_name("folder")
    folder.mkdir()
    for number in range(VIDEOS):
        # A box that players skip makes each another video.
        other = video.read_bytes() + struct.pack(">I4sB", 9, b"free", number)
        (folder / f"camera_{number}.mp4").write_bytes(other)
    runs: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    trees = []
    for number in [1, 2] * repeat:
        with tempfile.TemporaryDirectory(prefix="ava-bench-") as out:
            runs[number].append(_run("--workers", str(number), str(folder), out))
            trees.append(hashes(Path(out)))
    same = all(tree == trees[0] for tree in trees)
    best = {number: min(run["wall_s"] for run in own) for number, own in runs.items()}
    spent = {number: min(run["cpu_s"] for run in own) for number, own in runs.items()}
    print(f"\n{VIDEOS} such videos, scaled to 720p, cut and tracked; least of {repeat} runs")
    rows = [[n, wall, best[1] / wall, spent[n]] for n, wall in best.items()]
    table(["workers", "seconds", "times as fast", "CPU-s"], rows)
    print(f"{len(trees[0])} files, {'the same bytes' if same else 'NOT the same bytes'}")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    bars.figure("seconds by workers", best)
    bars.figure("CPU seconds by workers", spent)
    bars.figure("load at the end", os.getloadavg()[0])
    sooner = best[1] / best[2]
    bars.bar("one worker over two", sooner, TWO_WORKERS, holds=sooner >= TWO_WORKERS)
    bars.bar("workers give the same bytes", same, 1, holds=same)


def _work_here(number: int, videos: Path, out: Path) -> None:
    from ava_core.base.settings import load_settings
    from ava_core.base.storage import Storage
    from ava_core.batch import BatchContext
    from ava_core.video.cutting import cut_clips
    from ava_core.video.intake.source_videos import take_in_sources
    from ava_core.video.tracking.batch import track_clips

    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:number])
    at = BatchContext("bench", load_settings(clip_fit="scale", workers=number), storage=Storage(out))
    sources = take_in_sources(at, videos)
    begin, used = time.perf_counter(), _cpu_seconds()
    track_clips(at, cut_clips(at, sources))
    print(json.dumps({"wall_s": time.perf_counter() - begin, "cpu_s": _cpu_seconds() - used}))


def _cpu_seconds() -> float:
    """Of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def hashes(out: Path) -> dict[str, str]:
    files = (path for path in sorted(out.rglob("*")) if path.is_file())
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def memory(bars: Bars, video: Path, *, hour: bool) -> None:
    """Peak memory by length of video, with the default detector, scaled to 720p."""
    rows = []
    for loops in (2, 8, 120) if hour else (2, 8):
        long = repeated(video, loops, video.with_name(f"long{loops}.mp4"))
        rows.append((loops * SECONDS / 60, _measure("scaled, with detector", long)["peak_mb"]))
        long.unlink()
    print("\nPeak memory, motion detector, scaled to 720p")
    table(["minutes", "MB"], [[minutes, mb] for minutes, mb in rows])
    (m0, mb0), (m1, mb1) = rows[:2]
    of_an_hour = rows[-1][1] if hour else mb1 + max(0.0, mb1 - mb0) / (m1 - m0) * (60 - m1)
    name = "peak MB of an hour" if hour else "peak MB of an hour, extrapolated"
    bars.figure("peak MB by minutes", dict(rows))
    bars.bar(name, of_an_hour, MEMORY_LIMIT_MB, holds=of_an_hour < MEMORY_LIMIT_MB)


def _measure(name: str, video: Path) -> dict[str, float]:
    return _run("--way", name, str(video))


def _run(*arguments: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.ingest", *arguments]
    result: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return result


def _measure_here(name: str, video: Path) -> None:
    way = WAYS[name]
    with tempfile.TemporaryDirectory(prefix="ava-bench-") as folder:
        way(video, Path(folder), warm_up=True)
        begin = time.process_time()
        way(video, Path(folder), warm_up=False)
        spent = time.process_time() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu_s": spent, "peak_mb": peak}))


# -- the ways --------------------------------------------------------------------------------------------------
# Each imports what it needs when called to warm up: starting Python is nobody's share of the work.


def decode_floor(video: Path, folder: Path, *, warm_up: bool) -> None:
    """Decoding alone."""
    import av

    if warm_up:
        return
    with av.open(str(video)) as container:
        for _ in container.decode(video=0):
            pass


def older_way(video: Path, folder: Path, *, warm_up: bool) -> None:
    """Decode → mp4v → decode → mp4v → decode → JPEG."""
    import cv2

    if warm_up:
        return
    standard = folder / "standard.mp4"
    _rewrite(video, [standard], SECONDS * FPS)
    clips = [folder / f"clip_{n:03d}.mp4" for n in range(SECONDS // 15)]
    _rewrite(standard, clips, 15 * FPS)
    for clip in clips:
        capture, number = cv2.VideoCapture(str(clip)), 0
        while (read := capture.read())[0]:
            if number % FPS == 0:
                cv2.imwrite(str(folder / f"{clip.stem}_frame_{number // FPS:04d}.jpg"), read[1])
            number += 1


def _rewrite(source: Path, targets: Sequence[Path], frames_each: int) -> None:
    import cv2

    capture = cv2.VideoCapture(str(source))
    for target in targets:
        writer = cv2.VideoWriter(str(target), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (1280, 720))
        for _ in range(frames_each):
            good, frame = capture.read()
            if not good:
                break
            writer.write(frame if frame.shape[0] == 720 else cv2.resize(frame, (1280, 720)))
        writer.release()


def one_pass(video: Path, folder: Path, *, warm_up: bool, fitting: str, blind: bool = True) -> None:
    """What `ava` does up to clips, keyframes and detections; `blind` leaves out the detector's own work."""
    import av  # noqa: F401
    import cv2  # noqa: F401

    from ava_core.base.settings import load_settings
    from ava_core.base.storage import Storage
    from ava_core.batch import BatchContext
    from ava_core.video import cutting
    from ava_core.video.intake.source_videos import take_in_sources

    if warm_up:
        return
    at = BatchContext("bench", load_settings(clip_fit=fitting), storage=Storage(folder))
    if blind:
        cutting.make_detector = lambda settings: Blind()
    sources = take_in_sources(at, video)
    cutting.cut_clips(at, sources)


def decode_scale_encode(video: Path, folder: Path, *, warm_up: bool) -> None:
    """What cannot be spared where a video has to be encoded, and nothing else."""
    import av

    from ava_core.video.media.encoding import ENCODERS, SOFTWARE
    from ava_core.video.media.geometry import fit_picture

    if warm_up:
        return
    fit = fit_picture(*SIZE, 1280, 720, "scale")
    with av.open(str(video)) as source, av.open(str(folder / "scaled.mp4"), "w") as sink:
        options = {name: str(value) for name, value in ENCODERS[SOFTWARE].options.items()}
        stream = sink.add_stream(SOFTWARE, rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = fit.width, fit.height, "yuv420p"
        stream.codec_context.gop_size = FPS
        source.streams.video[0].thread_type = "AUTO"
        for number, frame in enumerate(source.decode(video=0)):
            picture = fit.apply(frame)
            picture.pts, picture.time_base, picture.pict_type = number, Fraction(1, FPS), 0
            sink.mux(stream.encode(picture))
        sink.mux(stream.encode(None))


def scaled(video: Path, folder: Path, *, warm_up: bool) -> None:
    """One pass that scales and encodes."""
    one_pass(video, folder, warm_up=warm_up, fitting="scale")


def default(video: Path, folder: Path, *, warm_up: bool) -> None:
    """One pass with the default settings and detector, of a video that can be copied."""
    one_pass(video, folder, warm_up=warm_up, fitting="auto", blind=False)


def whole_ingest(video: Path, folder: Path, *, warm_up: bool) -> None:
    """One pass with the default detector that scales and encodes."""
    one_pass(video, folder, warm_up=warm_up, fitting="scale", blind=False)


WAYS = {
    "decode floor": decode_floor,
    "older way": older_way,
    "default": default,
    "decode, scale, encode": decode_scale_encode,
    "one pass, scaled": scaled,
    "scaled, with detector": whole_ingest,
}


class Blind:
    """A detector that is given its frames and sees nobody."""

    name, version, batch_size, warm_up_frames, pixel_format = "blind", "1", 1, 0, "luma"
    parameters: dict[str, Any] = {}

    def start_video(self, first_frames: Sequence[np.ndarray]) -> None:
        """Nothing to learn."""

    def detect(self, frames: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Nobody."""
        return [np.empty((0, 5)) for _ in frames]


# -- the video -------------------------------------------------------------------------------------------------


def write_street(path: Path) -> Path:
    """A still, textured street with sensor noise and twelve walkers; a keyframe a second, no reordered frames."""
    import av
    import cv2

    width, height = SIZE
    noise = np.random.default_rng(0)
    coarse = noise.integers(60, 180, (34, 60, 3)).astype(np.uint8)
    street = cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC).astype(np.int16)
    street += cv2.GaussianBlur(noise.normal(0, 20, (height, width)), (0, 0), 1.5)[..., None].astype(np.int16)
    grain = [noise.normal(0, 2.5, (height, width, 1)).astype(np.int16) for _ in range(8)]
    walkers = [(noise.uniform(0, width), noise.uniform(150, 800), noise.uniform(-4, 4)) for _ in range(12)]
    with av.open(str(path), "w") as container:
        options = {"preset": "veryfast", "b": BITRATE, "bf": "0", "sc_threshold": "0"}
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = FPS
        for number in range(FPS * SECONDS):
            picture = (street + grain[number % len(grain)]).clip(0, 255).astype(np.uint8)
            for who, (x, y, speed) in enumerate(walkers):
                left, top = int(x + speed * number) % width, int(y)
                picture[top : top + 220, left : left + 80] = (40 + 15 * who, 90, 220 - 15 * who)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def repeated(video: Path, loops: int, target: Path, seconds: int = SECONDS) -> Path:
    """The video of `seconds` so many times over, without encoding."""
    import av

    with av.open(str(target), "w") as sink:
        copied = None
        for loop in range(loops):
            with av.open(str(video)) as source:
                stream = source.streams.video[0]
                if copied is None:
                    copied = sink.add_stream_from_template(stream)
                shift = round(Fraction(loop * seconds) / stream.time_base)
                for packet in source.demux(stream):
                    if packet.dts is not None and packet.size:
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        packet.stream = copied
                        sink.mux(packet)
    return target


if __name__ == "__main__":
    main()
