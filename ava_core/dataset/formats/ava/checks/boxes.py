"""Rules for detected boxes: mmaction2's proposals and SlowFast's predicted boxes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ava_core.base.errors import AvaError
from ava_core.base.pickles import safe_load
from ava_core.base.schemas import BOX_COLUMNS
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.checks.finding import EXAMPLES, Finding, each_line
from ava_core.dataset.formats.ava.rows import FIRST_TIMESTAMP, LAST_TIMESTAMP
from ava_core.dataset.formats.cells import read_cells

_KEY = re.compile(r"[^\s,]+,\d{4}")


def check_proposals(folder: Path, split: str) -> Iterator[Finding]:
    """Rules for `ava_dense_proposals_<split>.pkl`."""
    name = names.proposals_pickle(split)
    path = folder / name
    if not path.is_file():
        yield Finding(name, 0, "the proposals are missing", "mmaction2 tests without people")
        return
    if b"numpy._core" in path.read_bytes():
        yield Finding(
            name, 0, "it names numpy._core", "It loads under numpy 2 only, not where mmaction2 runs"
        )
    try:
        content = safe_load(path)
    except AvaError as error:
        yield Finding(name, 0, str(error).rstrip("."), "mmaction2 cannot load it, or runs what it should not")
        return
    if not isinstance(content, dict):
        yield Finding(name, 0, "it is no dictionary", "mmaction2 stops")
        return
    for key, problem in list(_problems(content).items())[:EXAMPLES]:
        yield Finding(name, 0, f"{key!r}: {problem}", "mmaction2 stops or crops nothing")


def _problems(content: Mapping[Any, Any]) -> dict[Any, str]:
    """What is wrong, by key; values are looked at all together, since there may be a hundred thousand."""
    found = {key: problem for key, boxes in content.items() if (problem := _shape_problem(key, boxes))}
    sound = [key for key in content if key not in found]
    if sound:
        values = np.concatenate([content[key] for key in sound])
        outside = ~((values >= 0) & (values <= 1)).all(axis=1)
        owner = np.repeat(np.arange(len(sound)), [len(content[key]) for key in sound])
        found |= {sound[n]: "a value lies outside [0, 1]" for n in np.unique(owner[outside])}
    return found


def _shape_problem(key: object, boxes: object) -> str:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        return "the key is not <video>,<timestamp with four digits>"
    if not isinstance(boxes, np.ndarray):
        return "the boxes are no array"
    if boxes.ndim != 2 or boxes.shape[1] != 5 or boxes.dtype.kind != "f":
        return f"the array is {boxes.dtype}{boxes.shape}, not float (N, 5)"
    return ""


def check_predicted(folder: Path, split: str, listed: set[str]) -> Iterator[Finding]:
    """Rules for `ava_<split>_predicted_boxes.csv`; `listed`: videos of the frame list."""
    name = names.predicted_csv(split)
    path = folder / name
    if not path.is_file():
        yield Finding(name, 0, "the predicted boxes are missing", "SlowFast cannot test")
        return
    rows = read_cells(path.read_bytes(), ("video", "second", *BOX_COLUMNS, "empty", "score"))
    numbers = pl.all_horizontal(
        pl.col(n).cast(pl.Float64, strict=False).is_not_null() for n in ("second", *BOX_COLUMNS, "score")
    )
    bad = rows.filter(
        ~numbers.fill_null(value=False) | pl.col("extra").is_not_null() | (pl.col("empty") != "")
    )
    yield from each_line(
        name, bad, "a row is not video,second,x1,y1,x2,y2,,score", "SlowFast misreads the score"
    )
    good = rows.join(bad, on="line", how="anti")
    late = good.filter(~pl.col("second").cast(pl.Float64).is_between(FIRST_TIMESTAMP, LAST_TIMESTAMP))
    outside = f"a second lies outside {FIRST_TIMESTAMP:04d}…{LAST_TIMESTAMP}"
    yield from each_line(name, late, outside, "SlowFast raises KeyError")
    boxed = set(good["video"].unique())
    for video in sorted(listed - boxed)[:EXAMPLES]:
        yield Finding(
            name, 0, f"{video} has no box", "SlowFast's counts of videos differ, it cannot test", "warning"
        )
    for video in sorted(boxed - listed if listed else ())[:EXAMPLES]:
        yield Finding(
            name, 0, f"{video} is not in the frame list", "SlowFast's counts of videos differ, it stops"
        )
