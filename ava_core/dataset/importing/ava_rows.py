"""Rows, seconds and boxes of an AVA dataset as people have it: every defect mended, and noted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.pickles import safe_load
from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, BOX_COLUMNS, CLIP_FPS
from ava_core.dataset.formats.ava.files import AvaFiles
from ava_core.dataset.formats.ava.loose import Defect, LooseCsv, read_loosely, time_meaning
from ava_core.dataset.formats.ava.rows import ROWS
from ava_core.dataset.formats.cells import read_bytes
from ava_core.dataset.formats.dataset import MAX_PERSON
from ava_core.dataset.formats.repairs import Repair

LARGEST_ID: Final = 10**6
"""Greater numbers of persons or actions are something else."""

_MENDED: Final[Mapping[Defect, tuple[str, str]]] = {
    "bom": ("a byte-order mark", "left out"),
    "lone cr": ("lines that end in CR alone", "read as lines"),
    "quotes": ("cells in quotes", "read without them"),
    "separator": ("cells separated by tabs, semicolons or spaces", "read as cells"),
    "header": ("a header", "left out"),
    "seven columns": ("rows of 7 columns, without a person id", "one person per box of a second"),
}
"""Of each defect that changes what is read: its name, and what was done."""


@dataclass(frozen=True)
class Clock:
    """How a dataset's timestamps become AVA's: `offset` is added to seconds, frame numbers are divided by `rate`.

    `None`: as the timestamps themselves tell; seconds then count from the clip's start.
    """

    offset: int | None = None
    rate: float | None = None


def loose_rows(
    files: AvaFiles, clock: Clock, frames: Mapping[str, int], repairs: list[Repair]
) -> pl.DataFrame:
    """`rows.ROWS` and `split` of all splits; rows that are none are left out.

    `frames`: of each video, where they are known. Raises `InputError` where no row is left.
    """
    tables = []
    for split in files.splits:
        path = files.files["rows", split]
        loose = read_loosely(read_bytes(path))
        _note(loose, files.name(path), repairs)
        tables.append(loose.rows.with_columns(split=pl.lit(split), file=pl.lit(files.name(path))))
    text = pl.concat(tables)
    numbers = text.with_columns(
        pl.col("video_id").str.strip_chars(),
        *(pl.col(name).str.strip_chars().cast(pl.Float64, strict=False) for name in list(ROWS)[1:]),
    )
    is_row = pl.all_horizontal(pl.col(list(ROWS)).is_not_null()) & pl.col("extra").is_null()
    is_row &= pl.col("video_id") != ""
    ids = [pl.col(n).is_between(-LARGEST_ID, LARGEST_ID) for n in ("action_id", "person_id")]
    rows = _kept(numbers, is_row & pl.all_horizontal(ids), "rows that are not in AVA's form", repairs)
    rows = _kept(rows, pl.col("action_id") >= 1, "actions below 1, which stand for nothing", repairs)
    if rows.is_empty():
        if text.is_empty():
            return pl.DataFrame(schema={**ROWS, "split": pl.String})
        raise InputError(
            f"{text['file'][0]}:{text['line'][0]}: the row is not {','.join(ROWS)}, and no other one is.",
            "`ava validate` says what each line lacks.",
        )
    rows = _timed(rows, clock, frames, repairs)
    return _few_persons(rows, repairs).select(
        *(pl.col(name).cast(kind) for name, kind in ROWS.items()), "split"
    )


def loose_seconds(files: AvaFiles, clock: Clock, frames: Mapping[str, int]) -> pl.DataFrame:
    """Excluded seconds of all splits: `video_id, timestamp`."""
    columns = ("video_id", "timestamp")
    found = _all(files, "excluded", columns).with_columns(pl.col("timestamp").cast(pl.Float64, strict=False))
    return _timed(found.drop_nulls(columns), clock, frames, []).select(
        "video_id", pl.col("timestamp").cast(pl.Int32)
    )


def loose_boxes(files: AvaFiles, clock: Clock, frames: Mapping[str, int]) -> pl.DataFrame:
    """Predicted boxes of all splits: `video_id, timestamp, x1, y1, x2, y2, score`; rows that are none are left out.

    Of a split without a csv of them, they are those of its pickle.
    """
    columns = ("video_id", "timestamp", *BOX_COLUMNS, "action", "score")
    numbers = ("timestamp", *BOX_COLUMNS, "score")
    found = _all(files, "predicted", columns).with_columns(
        pl.col(name).cast(pl.Float64, strict=False) for name in numbers
    )
    found = pl.concat([found.select("video_id", *numbers), _pickled(files)])
    timed = _timed(found.drop_nulls(numbers), clock, frames, [])
    return timed.select("video_id", pl.col("timestamp").cast(pl.Int32), *BOX_COLUMNS, "score")


def _pickled(files: AvaFiles) -> pl.DataFrame:
    """`video_id, timestamp, x1, y1, x2, y2, score` of the proposals of splits that have no csv of predicted boxes."""
    rows: list[tuple[Any, ...]] = []
    for (role, split), path in files.files.items():
        if role != "proposals" or ("predicted", split) in files.files:
            continue
        content = safe_load(path)
        for key, boxes in content.items() if isinstance(content, dict) else ():
            video, _, stamp = str(key).rpartition(",")
            table = np.asarray(boxes, dtype=np.float64) if _is_table(boxes) else np.empty((0, 5))
            if video and stamp.isdigit():
                rows += [(video, float(stamp), *box) for box in table.tolist()]
    columns = ("timestamp", *BOX_COLUMNS, "score")
    return pl.DataFrame(
        rows, schema={"video_id": pl.String} | dict.fromkeys(columns, pl.Float64), orient="row"
    )


def _is_table(boxes: object) -> bool:
    """Whether it is numbers in rows of x1, y1, x2, y2, score."""
    try:
        return np.asarray(boxes, dtype=np.float64).shape[1:] == (5,)
    except (ValueError, TypeError):
        return False


def _all(files: AvaFiles, role: str, columns: tuple[str, ...]) -> pl.DataFrame:
    paths = [path for (own, _), path in files.files.items() if own == role]
    empty = pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    return pl.concat(
        [empty, *(read_loosely(read_bytes(path), columns).rows.select(columns) for path in paths)]
    )


def _note(loose: LooseCsv, file: str, repairs: list[Repair]) -> None:
    for defect, line in loose.defects.items():
        if defect in _MENDED:
            name, done = _MENDED[defect]
            repairs.append(Repair(name, done, 1 if defect == "header" else loose.rows.height, line, file))


def _kept(rows: pl.DataFrame, kept: pl.Expr, defect: str, repairs: list[Repair]) -> pl.DataFrame:
    gone = rows.filter(~kept.fill_null(value=False))
    if gone.height:
        repairs.append(Repair(defect, "left out", gone.height, gone["line"][0], gone["file"][0]))
    return rows.filter(kept)


def _timed(
    rows: pl.DataFrame, clock: Clock, frames: Mapping[str, int], repairs: list[Repair]
) -> pl.DataFrame:
    """Rows with AVA's timestamps, whole seconds."""
    if rows.is_empty():
        return rows
    known = [frames[video] for video in rows["video_id"].unique() if video in frames]
    meaning, rate = time_meaning(rows["timestamp"], max(known) / CLIP_FPS if known else None)
    time = pl.col("timestamp")
    if clock.rate is not None:
        meaning = "frames"
    elif clock.offset is not None:
        meaning = "seconds"
    if meaning == "frames":
        a_second = clock.rate or rate
        repairs.append(Repair("frame numbers for timestamps", f"taken at {a_second:g} a second", rows.height))
        time = (time / a_second).floor() + AVA_TIMESTAMP_OFFSET
    elif meaning == "seconds":
        offset = AVA_TIMESTAMP_OFFSET if clock.offset is None else clock.offset
        repairs.append(Repair("seconds that do not count from 900", f"{offset} added", rows.height))
        time = time + offset
    whole = rows.with_columns(timestamp=time.floor())
    parts = rows.filter(pl.col("timestamp") != pl.col("timestamp").round()).height
    if parts:
        repairs.append(Repair("timestamps with parts of a second", "cut to the second", parts))
    return whole.filter(pl.col("timestamp").is_between(-LARGEST_ID, LARGEST_ID))


def _few_persons(rows: pl.DataFrame, repairs: list[Repair]) -> pl.DataFrame:
    unfit = rows.filter(~pl.col("person_id").is_between(0, MAX_PERSON)).height
    if not unfit:
        return rows
    repairs.append(Repair(f"person ids outside 0…{MAX_PERSON}", "numbered again in each video", unfit))
    return rows.with_columns(person_id=pl.col("person_id").rank("dense").over("video_id") - 1)
