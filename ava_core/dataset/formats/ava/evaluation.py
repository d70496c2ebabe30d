"""The AVA metric: average precision of every class at an intersection over union of 0.5, and their mean.

As ActivityNet's `get_ava_performance.py` computes it (PASCAL VOC 2010's area under the interpolated curve), its limit
of 50 detections a second included.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.schemas import BOX_COLUMNS
from ava_core.dataset.formats.ava.loose import read_loosely
from ava_core.dataset.formats.ava.reader import action_names, excluded_of, read_rows
from ava_core.dataset.formats.ava.readers import MOST_EVALUATED
from ava_core.dataset.formats.cells import read_bytes

MATCHED: Final = 0.5
"""Intersection over union from which a detection is of a person."""
COLUMNS: Final = ("video_id", "timestamp", *BOX_COLUMNS, "action_id", "score")

_KEY: Final = ["video_id", "timestamp"]


@dataclass(frozen=True)
class Evaluation:
    """`classes`: `action_id, name, truths, detections, ap` (null without truth); `mean`: over classes with truth.

    `warnings`: sentences on what the figure does not tell.
    """

    classes: pl.DataFrame
    mean: float
    warnings: tuple[str, ...]


def evaluate_release(folder: Path, detections: Path, split: str = "val") -> Evaluation:
    """Score a csv `video,timestamp,x1,y1,x2,y2,action,score` against a split of a dataset's folder.

    Raises `InputError` where the split has no rows, or a line of the csv is none.
    """
    truth = read_rows(folder).filter(pl.col("split") == split)
    if truth.is_empty():
        raise InputError(f"Split {split!r} of {folder} holds no label.", "Choose another split.")
    truth = truth.join(excluded_of(folder), on=_KEY, how="anti")
    named = action_names(folder) or {number: str(number) for number in truth["action_id"].unique()}
    scored = evaluate(truth, read_detections(detections), named)
    table = scored.classes.with_columns(
        name=pl.col("action_id").replace_strict(named, return_dtype=pl.String)
    )
    columns = ("action_id", "name", "truths", "detections", "ap")
    return Evaluation(table.select(columns), scored.mean, scored.warnings)


def read_detections(path: Path) -> pl.DataFrame:
    """Detections of a csv, with `COLUMNS`. Raises `InputError` naming the first line that is none."""
    cells = read_loosely(read_bytes(path), COLUMNS).rows
    numbers = cells.with_columns(pl.col(name).cast(pl.Float64, strict=False) for name in COLUMNS[1:])
    bad = numbers.filter(pl.any_horizontal(pl.col(COLUMNS).is_null()) | pl.col("extra").is_not_null())
    if bad.height:
        raise InputError(
            f"{path}:{bad['line'][0]}: the row is not {','.join(COLUMNS)}.",
            "Write a row a detection and class.",
        )
    return numbers.select("video_id", pl.col("timestamp", "action_id").cast(pl.Int32), *BOX_COLUMNS, "score")


def evaluate(truth: pl.DataFrame, found: pl.DataFrame, classes: Collection[int]) -> Evaluation:
    """The metric of detections (`COLUMNS`) against truth (the same but `score`), for these classes.

    Detections of seconds that have no truth are left out, as ActivityNet's evaluation leaves them out.
    """
    known = pl.col("action_id").is_in(list(classes))
    seen = truth.select(_KEY).unique()
    truth, found = truth.filter(known), found.filter(known)
    warnings = list(_warnings(truth, found, seen))
    kept = (
        found.join(seen, on=_KEY, how="semi")
        .sort("score", descending=True, maintain_order=True)
        .group_by(_KEY, maintain_order=True)
        .head(MOST_EVALUATED)
    )
    rows = []
    for number in sorted(classes):
        own, detected = (table.filter(pl.col("action_id") == number) for table in (truth, kept))
        ap = _average_precision(own, detected) if own.height else None
        rows.append((number, own.height, detected.height, ap))
    kinds = {"action_id": pl.Int32, "truths": pl.Int64, "detections": pl.Int64, "ap": pl.Float64}
    table = pl.DataFrame(rows, schema=kinds, orient="row")
    known_aps = table["ap"].drop_nulls().to_numpy()
    return Evaluation(table, float(known_aps.mean()) if len(known_aps) else float("nan"), tuple(warnings))


def _warnings(truth: pl.DataFrame, found: pl.DataFrame, seen: pl.DataFrame) -> list[str]:
    said = []
    many = truth.group_by(_KEY).len().filter(pl.col("len") > MOST_EVALUATED).height
    if many:
        said.append(
            f"{many} seconds have more than {MOST_EVALUATED} labels, and {MOST_EVALUATED} detections of a second "
            "count: even the truth would score below 1."
        )
    cut = found.group_by(_KEY).len().filter(pl.col("len") > MOST_EVALUATED).height
    if cut:
        said.append(
            f"{cut} seconds have more than {MOST_EVALUATED} detections: those with the highest score count."
        )
    elsewhere = found.join(seen, on=_KEY, how="anti").height
    if elsewhere:
        said.append(f"{elsewhere} detections are of seconds without a label, and were left out.")
    return said


def _average_precision(truth: pl.DataFrame, found: pl.DataFrame) -> float:
    """Area under the interpolated precision–recall curve of one class."""
    people = {key: own.select(BOX_COLUMNS).to_numpy() for key, own in truth.group_by(_KEY)}
    scores: list[npt.NDArray[np.float64]] = []
    hits: list[npt.NDArray[np.bool_]] = []
    for key, own in found.group_by(_KEY, maintain_order=True):
        valid = own.filter(pl.col("x2") > pl.col("x1"), pl.col("y2") > pl.col("y1"))
        scores.append(valid["score"].to_numpy())
        hits.append(_hits(valid.select(BOX_COLUMNS).to_numpy(), people.get(key, np.zeros((0, 4)))))
    if not scores:
        return 0.0
    order = np.argsort(-np.concatenate(scores), kind="stable")
    true = np.concatenate(hits)[order].cumsum()
    recall = np.concatenate([[0.0], true / truth.height])
    precision = np.concatenate([true / np.arange(1, len(true) + 1), [0.0]])
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall) * precision[:-1]).sum())


def _hits(boxes: npt.NDArray[np.float64], people: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which boxes `(n, 4)`, best first, are of a person `(m, 4)` that no better one was of."""
    hit = np.zeros(len(boxes), np.bool_)
    if not len(boxes) or not len(people):
        return hit
    corner = np.minimum(boxes[:, None, 2:], people[None, :, 2:])
    sides = np.clip(corner - np.maximum(boxes[:, None, :2], people[None, :, :2]), 0, None)
    shared = sides.prod(axis=2)
    areas = [(each[:, 2:] - each[:, :2]).prod(axis=1) for each in (boxes, people)]
    overlap = shared / (areas[0][:, None] + areas[1][None, :] - shared)
    taken: set[int] = set()
    for number, person in enumerate(overlap.argmax(axis=1).tolist()):
        if overlap[number, person] >= MATCHED and person not in taken:
            hit[number] = True
            taken.add(person)
    return hit
