"""An annotation csv as people have it: read all the same, and what it does otherwise than AVA's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, BOX_COLUMNS, CLIP_FPS
from ava_core.dataset.formats.ava.rows import FIRST_TIMESTAMP, LAST_TIMESTAMP, ROW_COLUMNS
from ava_core.dataset.formats.cells import read_cells

Defect = Literal["bom", "cr", "lone cr", "quotes", "open end", "separator", "header", "seven columns"]

LEAST_STEP: Final = 5
"""Frame numbers of whole seconds are so far apart at least; seconds follow each other."""


@dataclass(frozen=True)
class LooseCsv:
    """Cells (`ROW_COLUMNS` as text, `line`, `extra`) and defects, each with its first line, 0 for the whole file."""

    rows: pl.DataFrame
    defects: dict[Defect, int]
    separator: str = ","


def read_loosely(raw: bytes, columns: tuple[str, ...] = ROW_COLUMNS) -> LooseCsv:
    """Read a csv with whatever separator, header, quotes and line ends it has.

    Where rows lack the person, each box of a second is a person of its own, numbered from 0.
    """
    defects: dict[Defect, int] = {}
    if raw.startswith(b"\xef\xbb\xbf"):
        defects["bom"], raw = 1, raw.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in raw:
        unix = raw.replace(b"\r\n", b"\n")
        defects["lone cr" if b"\r" in unix else "cr"] = 0
        raw = unix.replace(b"\r", b"\n")
    if b'"' in raw:
        defects["quotes"], raw = 0, raw.replace(b'"', b"")
    if raw and not raw.endswith(b"\n"):
        defects["open end"] = 0
    separator = _separator(raw[: raw.find(b"\n") + 1] or raw)
    if separator != ",":
        defects["separator"] = 1
    rows = read_cells(raw, columns, separator=separator)
    if rows.height and rows["timestamp"][0] is not None and not _is_number(rows["timestamp"][0]):
        defects["header"], rows = 1, rows.slice(1)
    if "person_id" in columns and rows.height and _lacks_persons(rows):
        defects["seven columns"] = rows["line"][0]
        box = pl.concat_str(*BOX_COLUMNS, separator=",")
        person = (box.rank("dense").over("video_id", "timestamp") - 1).cast(pl.String)
        rows = rows.with_columns(person_id=pl.col("person_id").fill_null(person))
    return LooseCsv(rows, defects, separator)


TimeMeaning = Literal["ava", "seconds", "frames"]
"""What a file's timestamps count: AVA's seconds from 900, seconds of the clip, or frames."""


def time_meaning(times: pl.Series, most_seconds: float | None) -> tuple[TimeMeaning, int]:
    """What timestamps (numbers) count, and of frame numbers how many a second has.

    `most_seconds`: of the longest video, where it is known.
    """
    whole = times.drop_nulls().unique().sort()
    if whole.is_empty():
        return "ava", CLIP_FPS
    middle, latest = float(times.median()), float(whole[-1])  # type: ignore[arg-type]
    steps = whole.cast(pl.Int64, strict=False).drop_nulls().diff().drop_nulls().to_list()
    step = math.gcd(*steps) if steps else 0
    in_range = float(whole[0]) >= AVA_TIMESTAMP_OFFSET and latest <= LAST_TIMESTAMP
    if in_range or (AVA_TIMESTAMP_OFFSET <= middle <= LAST_TIMESTAMP and step < LEAST_STEP):
        return "ava", CLIP_FPS  # rows that lie before or after are single ones
    if (
        step >= LEAST_STEP
        or latest > LAST_TIMESTAMP
        or (most_seconds is not None and latest > most_seconds + 1)
    ):
        return "frames", step if step >= LEAST_STEP else CLIP_FPS
    return ("seconds", 1) if latest < FIRST_TIMESTAMP else ("ava", CLIP_FPS)


def _separator(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    if text.count(",") >= len(ROW_COLUMNS) - 2:
        return ","
    return max((",", "\t", ";", " "), key=text.count)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _lacks_persons(rows: pl.DataFrame) -> bool:
    lacking = pl.col("person_id").is_null() & pl.col("action_id").is_not_null()
    return bool(rows.select(lacking.mean()).item() > 0.5)
