"""Rules for detected boxes: mmaction2's proposals and SlowFast's predicted boxes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ava_core.base.errors import AvaError
from ava_core.base.pickles import safe_load
from ava_core.base.schemas import BOX_COLUMNS
from ava_core.dataset.formats.ava.checks.finding import EXAMPLES, Finding, each_line
from ava_core.dataset.formats.ava.readers import SLOWFAST_THRESHOLD, VALIDATED_EVERY
from ava_core.dataset.formats.ava.rows import FIRST_TIMESTAMP, LAST_TIMESTAMP
from ava_core.dataset.formats.cells import read_cells

_KEY = re.compile(r"[^\s,]+,\d{4}")

LOWEST_THRESHOLD = 0.8
"""The lowest `AVA.DETECTION_SCORE_THRESH` in SlowFast's published configurations."""
WRITTEN_ANEW = (
    "Write {'<video>,<four digits>': float array (N, 5) of x1, y1, x2, y2, score as shares}, "
    "no key without a box"
)
TRAIN_ON_IT = "Put the video into train, or set AVA.FULL_TEST_ON_VAL"
STOPS = "SlowFast stops with AssertionError: len(boxes_and_labels) == len(image_paths)"


def check_proposals(path: Path, name: str, labelled: Collection[str]) -> Iterator[Finding]:
    """Rules for proposals; `labelled`: the keys `<video>,<timestamp>` that have rows."""
    if b"numpy._core" in path.read_bytes():
        yield Finding(
            name,
            0,
            "it names numpy._core",
            "It loads under numpy 2 only, not where mmaction2 runs",
            cure="Write it under numpy 1: --fix does",
        )
    try:
        content = safe_load(path)
    except AvaError as error:
        yield Finding(
            name, 0, error.message.rstrip("."), "mmaction2 cannot load it, or runs what it should not",
            cure=error.cure.rstrip(".") or WRITTEN_ANEW,
        )  # fmt: skip
        return
    if not isinstance(content, dict):
        yield Finding(name, 0, "it is not a dictionary", "mmaction2 stops", cure=WRITTEN_ANEW)
        return
    for key, problem in list(_problems(content).items())[:EXAMPLES]:
        yield Finding(name, 0, f"{key!r}: {problem}", "mmaction2 stops or crops nothing", cure=WRITTEN_ANEW)
    met = sum(key in content for key in labelled)
    if labelled and met < len(labelled):
        first = min(key for key in labelled if key not in content)
        share = (
            "no key matches a row"
            if not met
            else f"{len(labelled) - met} of {len(labelled)} seconds with rows have no key"
        )
        yield Finding(
            name, 0, f"{share}, {first!r} first; the file has {min(map(str, content), default='none')!r}",
            "mmaction2 uses the whole picture as the only person of such a second, without an error",
            "error" if content and 2 * met < len(labelled) else "warning",
            "Write keys <video>,<timestamp> as in the csv",
        )  # fmt: skip


def _problems(content: Mapping[Any, Any]) -> dict[Any, str]:
    """What is wrong, by key; values are looked at all together, since there may be a hundred thousand."""
    found = {key: problem for key, boxes in content.items() if (problem := _shape_problem(key, boxes))}
    sound = [key for key in content if key not in found]
    if sound:
        values = np.concatenate([content[key] for key in sound])
        outside = ~((values >= 0) & (values <= 1)).all(axis=1)
        owner = np.repeat(np.arange(len(sound)), [len(content[key]) for key in sound])
        found |= {sound[n]: "a value is outside [0, 1]" for n in np.unique(owner[outside])}
    return found


def _shape_problem(key: object, boxes: object) -> str:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        return "the key is not <video>,<timestamp with four digits>"
    if not isinstance(boxes, np.ndarray):
        return "the boxes are not an array"
    if boxes.ndim != 2 or boxes.shape[1] != 5 or boxes.dtype.kind != "f":
        return f"the array is {boxes.dtype}{boxes.shape}, not float (N, 5)"
    if not len(boxes):
        return "the key holds no box: max() of an empty sequence"
    return ""


def check_predicted(path: Path, name: str, split: str, listed: set[str]) -> Iterator[Finding]:
    """Rules for predicted boxes; `listed`: videos of the frame list."""
    rows = read_cells(path.read_bytes(), ("video", "second", *BOX_COLUMNS, "empty", "score"))
    numbers = pl.all_horizontal(
        pl.col(n).cast(pl.Float64, strict=False).is_not_null() for n in ("second", *BOX_COLUMNS, "score")
    )
    bad = rows.filter(
        ~numbers.fill_null(value=False)
        | pl.col("extra").is_not_null()
        | ~pl.col("empty").str.contains(r"^-?\d*$")
    )
    yield from each_line(
        name,
        bad,
        "a row is not video,second,x1,y1,x2,y2,,score",
        "SlowFast misreads the score",
        cure="Leave the seventh cell empty, the score is the eighth",
    )
    good = rows.join(bad, on="line", how="anti")
    late = good.filter(~pl.col("second").cast(pl.Float64).is_between(FIRST_TIMESTAMP, LAST_TIMESTAMP))
    outside = f"a second is outside {FIRST_TIMESTAMP:04d}…{LAST_TIMESTAMP}"
    yield from each_line(
        name, late, outside, "SlowFast raises KeyError", cure="Leave the row out: --fix does"
    )
    boxed = set(good["video"].unique())
    if split != "train":
        yield from _check_tested(name, split, good, listed or boxed)
    for video in sorted(boxed - listed if listed else ())[:EXAMPLES]:
        yield Finding(
            name,
            0,
            f"{video} is not in the frame list",
            "SlowFast's counts of videos differ, it stops",
            cure="List the video, or leave its boxes out",
        )


def _check_tested(name: str, split: str, rows: pl.DataFrame, listed: set[str]) -> Iterator[Finding]:
    """Each video needs a box that SlowFast keeps: in val at a fourth second, and with a score above its threshold."""
    every = VALIDATED_EVERY if split == "val" else 1
    seen = rows.filter(pl.col("second").cast(pl.Float64).cast(pl.Int64) % every == 0)
    best = dict(seen.group_by("video").agg(pl.col("score").cast(pl.Float64).max()).rows())
    at = f" at a second divisible by {every}, the only seconds that validation reads" if every > 1 else ""
    for video in sorted(listed - set(best))[:EXAMPLES]:
        yield Finding(
            name, 0, f"{video} has no box{at}", f"{STOPS}, before it begins",
            cure=TRAIN_ON_IT if every > 1 else "Take it out of the frame list",
        )  # fmt: skip
    low = {video: score for video, score in best.items() if video in listed and score < SLOWFAST_THRESHOLD}
    if low:
        video, least = min(low.items(), key=lambda item: (item[1], item[0]))
        some = (
            f"{len(low)} of {len(listed)} videos have no box with a score of {SLOWFAST_THRESHOLD} or more{at}"
        )
        yield Finding(
            name,
            0,
            f"{some}; {video}: its highest score is {least:g}",
            f"{STOPS} with its default threshold",
            "error" if least < LOWEST_THRESHOLD else "warning",
            f"Set AVA.DETECTION_SCORE_THRESH to {least:g} or less",
        )
