"""A release of 1,000,000 rows: written and validated, beside a writer made of the csv module and loops.

Both writers get the same tables of consensus and proposals and write annotation csvs, frame lists, predicted
boxes and the proposals pickle. Each part runs in a process of its own, so that its memory can be told.

`--part hour`: an hour of 720p released with frames and as shards. `--part loading`: items a second of the dataset for
PyTorch, beside pytorchvideo's.
"""

from __future__ import annotations

import csv
import multiprocessing
import pickle
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from ava_core.base.schemas import CLIPS, CONSENSUS_BOXES, CONSENSUS_LABELS, DISPUTED, PROPOSALS, empty
from ava_core.dataset.export.splits import assign_splits
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.checks import errors_among, validate_dataset
from ava_core.dataset.formats.ava.rows import annotation_rows
from ava_core.dataset.formats.ava.writer import write_annotations
from ava_core.dataset.formats.dataset import Dataset
from ava_core.ontology import load_ontology
from benchmarks._bench import Bars, argument_parser, table

PARTS = ("rows", "hour", "loading")
ROWS = 1_000_000
PERSONS, LABELS, SECONDS = 10, 3, 12
CLIPS_A_SOURCE = 8
WIDTH, HEIGHT, FRAMES = 1280, 720, 450
MAX_SECONDS, MAX_BYTES = 10.0, 1.5e9


def planted(rows: int = ROWS) -> dict[str, pl.DataFrame]:
    """Tables of a dataset with that many rows: 15 s clips, 10 persons, 3 labels each at 12 seconds."""
    rng = np.random.default_rng(0)
    number = -(-rows // (PERSONS * LABELS * SECONDS))
    clips = pl.DataFrame({
        "clip_id": [f"bench_{n // CLIPS_A_SOURCE:05d}_{n % CLIPS_A_SOURCE:03d}" for n in range(number)],
        "source_id": [f"bench_{n // CLIPS_A_SOURCE:05d}" for n in range(number)],
        "batch": "bench", "index": 0, "start_s": 0.0, "duration_s": 15.0, "frames": FRAMES,
        "width": WIDTH, "height": HEIGHT, "scale_x": 1.0, "scale_y": 1.0, "pad_x": 0, "pad_y": 0,
        "content_width": WIDTH, "content_height": HEIGHT, "path": "", "sha256": "",
    }, schema=dict(CLIPS))  # fmt: skip
    boxes = (
        clips.select("clip_id")
        .join(pl.DataFrame({"second": range(2, 2 + SECONDS)}), how="cross")
        .join(pl.DataFrame({"person_id": range(1, PERSONS + 1)}), how="cross")
    )
    corners = rng.random((boxes.height, 2)) * (WIDTH - 200, HEIGHT - 400)
    size = rng.uniform(20, 190, (boxes.height, 2)) * (1, 2)
    corner_columns = dict(zip(("x1", "y1", "x2", "y2"), np.hstack([corners, corners + size]).T, strict=True))
    boxes = boxes.with_columns(
        pl.col("second", "person_id").cast(pl.Int32), **{n: pl.Series(v) for n, v in corner_columns.items()}
    )
    consensus = boxes.with_columns(
        votes=3, voters=3, agreement_iou=pl.lit(None), rule=pl.lit("quorum")
    ).select(pl.col(name).cast(kind) for name, kind in CONSENSUS_BOXES.items())
    labels = (
        boxes.select("clip_id", "second", "person_id")
        .join(pl.DataFrame({"action_id": [1, 7, 12]}), how="cross")
        .with_columns(group=pl.lit("g"), votes=3, voters=3, posterior=pl.lit(None), rule=pl.lit("majority"))
        .select(pl.col(name).cast(kind) for name, kind in CONSENSUS_LABELS.items())
    )
    proposals = boxes.with_columns(
        track_id=pl.col("person_id"),
        score=pl.Series(rng.uniform(0.5, 1, boxes.height)),
        interpolated=pl.lit(value=False),
    ).select(pl.col(name).cast(kind) for name, kind in PROPOSALS.items())
    return {"clips": clips, "boxes": consensus, "labels": labels, "proposals": proposals}


def split_of(tables: dict[str, pl.DataFrame]) -> dict[str, str]:
    """The split of every clip."""
    sources = tables["clips"].group_by("source_id").agg(rows=pl.len()).with_columns(action_id=pl.lit(1))
    splits = assign_splits(sources, seed=0)
    return {clip: splits[source] for clip, source in tables["clips"].select("clip_id", "source_id").rows()}


def write_here(folder: Path, tables: dict[str, pl.DataFrame]) -> None:
    """The project's writer, from consensus to files."""
    nothing = empty(DISPUTED)
    rows = annotation_rows(tables["boxes"], tables["labels"], tables["clips"], nothing)
    splits = split_of(tables)
    write_annotations(
        folder,
        Dataset(
            "bench", rows, tables["clips"], tables["proposals"], nothing, splits, load_ontology("street")
        ),
    )


def write_plainly(folder: Path, tables: dict[str, pl.DataFrame]) -> None:
    """The same files by loops and the csv module."""
    folder.mkdir()
    splits = split_of(tables)
    labels: dict[tuple[str, int, int], list[int]] = {}
    for clip, second, person, action in (
        tables["labels"].select("clip_id", "second", "person_id", "action_id").iter_rows()
    ):
        labels.setdefault((clip, second, person), []).append(action)
    opened = {
        name: (folder / f"{name}.csv").open("w", newline="") for name in ("train", "val", "test", "all")
    }
    writers = {name: csv.writer(file, lineterminator="\n") for name, file in opened.items()}
    ordered = tables["boxes"].select("clip_id", "second", "person_id", "x1", "y1", "x2", "y2").sort(
        "clip_id", "second", "person_id"
    )  # fmt: skip
    for clip, second, person, x1, y1, x2, y2 in ordered.iter_rows():
        box = [f"{v:.4f}" for v in (x1 / WIDTH, y1 / HEIGHT, x2 / WIDTH, y2 / HEIGHT)]
        for action in labels[clip, second, person]:
            line = [clip, f"{900 + second:04d}", *box, action, person]
            writers[splits[clip]].writerow(line)
            writers["all"].writerow(line)
    frame_lists = {name: (folder / f"frames_{name}.csv").open("w") for name in ("train", "val", "test")}
    for file in frame_lists.values():
        file.write(names.FRAME_LIST_HEADER + "\n")
    for number, clip in enumerate(sorted(splits)):
        for frame in range(FRAMES):
            frame_lists[splits[clip]].write(f'{clip} {number} {frame} {clip}/{clip}_{frame + 1:06d}.jpg ""\n')
    predicted = csv.writer((folder / "predicted.csv").open("w", newline=""), lineterminator="\n")
    pickled: dict[str, list[list[float]]] = {}
    columns = ("clip_id", "second", "x1", "y1", "x2", "y2", "score")
    for clip, second, x1, y1, x2, y2, score in tables["proposals"].select(columns).sort(columns).iter_rows():
        box = [x1 / WIDTH, y1 / HEIGHT, x2 / WIDTH, y2 / HEIGHT]
        predicted.writerow([clip, f"{900 + second:04d}", *(f"{v:.4f}" for v in box), "", round(score, 4)])
        pickled.setdefault(f"{clip},{900 + second:04d}", []).append([*box, score])
    arrays = {key: np.array(value) for key, value in pickled.items()}
    (folder / "proposals.pkl").write_bytes(pickle.dumps(arrays, protocol=2))
    for file in (*opened.values(), *frame_lists.values()):
        file.close()


def validate(folder: Path, tables: dict[str, pl.DataFrame]) -> int:
    """Validate what `write_here` wrote; returns how many errors there are but the missing pictures."""
    return sum(finding.file != names.FRAMES for finding in errors_among(validate_dataset(folder)))


class Measured(NamedTuple):
    """Wall and CPU seconds, peak memory in bytes, and what came back."""

    wall: float
    cpu: float
    memory: int
    result: Any


def measured(part: Callable[..., Any], folder: Path, rows: int) -> Measured:
    """One part in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_run, (part, folder, rows))


def _run(part: Callable[..., Any], folder: Path, rows: int) -> Measured:
    tables = {} if part is validate else planted(rows)
    wall, cpu = time.perf_counter(), time.process_time()
    result = part(folder, tables)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Measured(time.perf_counter() - wall, time.process_time() - cpu, memory, result)


def main() -> None:
    """Measure, print, write JSON."""
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--part", choices=PARTS, action="append", help="repeat for several; all by default")
    arguments = parser.parse_args()
    bars = Bars("release")
    parts: dict[str, Callable[[], None]] = {
        "rows": lambda: measure_rows(bars, arguments.rows),
        "hour": lambda: measure_hour(bars),
        "loading": lambda: measure_loading(bars),
    }
    for part in arguments.part or PARTS:
        parts[part]()
    bars.finish(arguments.json)


def measure_hour(bars: Bars) -> None:
    """As `_release_hour` says; loaded here alone, as the memory of the other parts is measured."""
    from benchmarks._release_hour import measure

    measure(bars)


def measure_loading(bars: Bars) -> None:
    """As `_release_loading` says; loaded here alone, too."""
    from benchmarks._release_loading import measure

    measure(bars)


def measure_rows(bars: Bars, rows: int) -> None:
    """Note how long writing and validating takes, and its memory."""
    with tempfile.TemporaryDirectory() as temporary:
        here, plain = Path(temporary) / "here", Path(temporary) / "plain"
        written = measured(write_here, here, rows)
        checked = measured(validate, here, rows)
        plainly = measured(write_plainly, plain, rows)
        lines = sum(1 for _ in (here / names.ALL_ROWS).open())
        same = sorted((here / names.ALL_ROWS).open()) == sorted((plain / "all.csv").open())
        listed = sum(1 for split in ("train", "val", "test") for _ in (here / names.frame_list(split)).open())
    print(f"{lines:,} rows, {listed - 3:,} frames listed; the two csvs say the same: {same}")
    parts = {"write": written, "validate": checked, "write by csv module and loops": plainly}
    table(
        ["part", "seconds", "CPU seconds", "peak MB"],
        [[name, one.wall, one.cpu, one.memory / 1e6] for name, one in parts.items()],
    )
    for name, one in parts.items():
        bars.figure(name, {"seconds": one.wall, "cpu_seconds": one.cpu, "bytes": one.memory})
    bars.figure("rows", lines)
    bars.figure("frames_listed", listed - 3)
    bars.figure("times_faster", plainly.wall / written.wall)
    bars.bar("write, seconds", written.wall, MAX_SECONDS, holds=written.wall <= MAX_SECONDS)
    bars.bar("validate, seconds", checked.wall, MAX_SECONDS, holds=checked.wall <= MAX_SECONDS)
    peak = max(written.memory, checked.memory)
    bars.bar("peak memory, bytes", peak, MAX_BYTES, holds=peak <= MAX_BYTES)
    bars.bar("errors beside missing pictures", checked.result, 0, holds=checked.result == 0)
    bars.bar("rows equal to the plain writer's (1 = yes)", float(same), 1, holds=same)


if __name__ == "__main__":
    main()
