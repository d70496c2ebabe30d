"""Rules for an annotation csv."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import polars as pl

from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, BOX_COLUMNS, CLIP_FPS
from ava_core.dataset.formats.ava.checks.finding import Finding, each_line
from ava_core.dataset.formats.ava.loose import Defect, read_loosely, time_meaning
from ava_core.dataset.formats.ava.readers import MOST_CLASSES
from ava_core.dataset.formats.ava.rows import (
    CONTEXT_SECONDS,
    FIRST_TIMESTAMP,
    LAST_TIMESTAMP,
    ROW_COLUMNS,
)
from ava_core.dataset.formats.boxes import BORDER
from ava_core.dataset.formats.dataset import MAX_PERSON

LEAST_DECIMALS: Final = 3
MANY_ROWS: Final = 10
"""From so many rows on, that none has more decimals is no chance."""

Severity = Literal["error", "warning"]

_EVERYBODY: Final = "SlowFast, mmaction2, pytorchvideo, YOWOv2 and the AVA evaluation stop"
_FIXED: Final = "--fix writes it as readers expect"
AS_A_WHOLE: Final[dict[Defect, tuple[str, str, Severity, str]]] = {
    "bom": ("the file begins with a byte-order mark", "SlowFast, mmaction2 and the AVA evaluation misread the first "
            "video id", "error", _FIXED),
    "cr": ("lines end in CR LF, as Windows writes them (lines end in CR)", "Readers cope; programs that split at LF "
           "keep the CR", "warning", _FIXED),
    "lone cr": ("lines end in CR alone", "mmaction2 reads the whole file as one line and stops with a ValueError",
                "error", _FIXED),
    "quotes": ("cells are quoted", "SlowFast and mmaction2 split at commas alone", "error", _FIXED),
    "open end": ("the last line does not end", "Readers cope; files that are joined lose a row", "warning", _FIXED),
    "separator": ("cells are separated by {separator}, not commas", _EVERYBODY, "error", _FIXED),
    "header": ("the file has a header", f"{_EVERYBODY} with a ValueError", "error", _FIXED),
    "seven columns": ("rows have 7 columns, without a person id (8 columns)", "mmaction2 and pytorchvideo stop with an "
                      "IndexError, AlphAction with a ValueError; SlowFast and the evaluation read them", "error",
                      f"{_FIXED}, with one person per box"),
}  # fmt: skip
"""Of each defect of a file: the rule, what follows, how grave that is, the cure."""

_SEPARATORS: Final = {",": "commas", "\t": "tabs", ";": "semicolons", " ": "spaces"}


class AnnotationCsv:
    """An annotation csv, every cell as text, with its line numbers."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        loose = read_loosely(path.read_bytes())
        self.rows, self.defects, self.separator = loose.rows, loose.defects, loose.separator

    def check_text(self) -> Iterator[Finding]:
        """Rules for the file as a whole."""
        for defect, line in self.defects.items():
            rule, consequence, severity, cure = AS_A_WHOLE[defect]
            yield Finding(
                self.name,
                line,
                rule.format(separator=_SEPARATORS[self.separator]),
                consequence,
                severity,
                cure,
            )

    def check_rows(self, actions: set[int] | None) -> Iterator[Finding]:
        """Rules for rows; broken ones leave `rows`. `actions`: ids of the label map, `None` without one."""
        rows = self.rows
        if rows.is_empty():
            return
        lacking = pl.any_horizontal(pl.col(ROW_COLUMNS).is_null())
        broken = rows.filter(lacking | pl.col("extra").is_not_null())
        stops = "The AVA evaluation stops at other than 2, 7 or 8 columns, mmaction2 and pytorchvideo at fewer than 8"
        cure = "Write the row with video,timestamp,x1,y1,x2,y2,action,person; --fix leaves it out"
        yield from self._each(broken, "a row does not have 8 columns", stops, cure=cure)
        numbers = rows.join(broken, on="line", how="anti").with_columns(
            *(pl.col(name).cast(pl.Float64, strict=False).alias(f"{name}_n") for name in ROW_COLUMNS[1:])
        )
        bad = numbers.filter(pl.any_horizontal(pl.col(f"{n}_n").is_null() for n in ROW_COLUMNS[1:]))
        stops = "SlowFast, mmaction2 and the AVA evaluation stop with a ValueError"
        cure = "Correct the cell; --fix leaves the row out"
        yield from self._each(bad, "a cell is not a number", stops, cure=cure)
        self.rows = good = numbers.join(bad, on="line", how="anti")
        yield from self._check_cells(good, actions)
        yield from self._check_together(good)

    def _check_cells(self, rows: pl.DataFrame, actions: set[int] | None) -> Iterator[Finding]:
        corners = [pl.col(f"{name}_n") for name in BOX_COLUMNS]
        yield from self._check_boxes(rows, corners)
        action = pl.col("action_id_n")
        unknown = ~action.is_in([float(known) for known in actions]) if actions is not None else action < 1
        yield from self._each(
            rows.filter(unknown),
            "an action id is not in the label map",
            "The AVA evaluation silently leaves it out, in truth and detections",
            cure="Name it in the label map",
        )
        yield from self._each(
            rows.filter(action > MOST_CLASSES),
            f"an action id is above {MOST_CLASSES}",
            "SlowFast asserts label <= 80, YOWOv2 and YOWOv3 have 80 columns, AlphAction's one-hot has 81",
            cure="Keep to 80 classes, or raise the number in the reader's code; mmaction2 takes num_classes",
        )
        whole = pl.all_horizontal(pl.col(n).str.contains(r"^\d+$") for n in ("action_id", "person_id"))
        yield from self._each(
            rows.filter(~whole | (pl.col("person_id_n") > MAX_PERSON)),
            f"a person id is not an integer in 0…{MAX_PERSON}, or an action id is not an integer",
            "AlphAction numbers boxes with 1000 persons a picture, mmaction2 stops with a ValueError",
            cure="Renumber the persons of each video, as --fix does",
        )
        yield from self._each(
            rows.filter(pl.col("video_id").str.contains(r"[\s,\"]") | (pl.col("video_id") == "")),
            "a video id has a space or comma, or is empty",
            "SlowFast, pytorchvideo and YOWOv2 split frame lists at spaces: its frames are not found",
            cure="Rename the video: letters, digits, '_' and '-'",
        )
        yield from self._each(
            rows.filter(pl.col("video_id").str.contains(".", literal=True)),
            "a video id has a dot",
            "AlphAction cuts the id there and stops with a KeyError",
            cure="Rename the video",
        )
        number = pl.col("timestamp").str.contains(r"^\d+$")
        yield from self._each(
            rows.filter(~number),
            "a timestamp is not a whole number",
            "SlowFast, mmaction2 and YOWOv2 stop with a ValueError",
            cure="Write 0902, not 902.0",
        )
        yield from self._each(
            rows.filter(number, pl.col("timestamp").str.len_chars() != 4),
            "a timestamp is not four digits",
            "Readers count with it all the same; programs that look keys up as text find nothing",
            "warning",
        )

    def _check_boxes(self, rows: pl.DataFrame, corners: list[pl.Expr]) -> Iterator[Finding]:
        far = pl.any_horizontal(~c.is_finite() | (c < -BORDER) | (c > 1 + BORDER) for c in corners)
        slightly = ~far & pl.any_horizontal((c < 0) | (c > 1) for c in corners)
        if (
            rows.height
            and rows.select((far & pl.all_horizontal(c.is_finite() for c in corners)).mean()).item() > 0.5
        ):
            line = rows.filter(far)["line"][0]
            yield Finding(
                self.name, line, "boxes are in pixels, not shares of the picture (outside [0, 1])",
                "SlowFast, mmaction2, pytorchvideo, AlphAction and YOWOv2 multiply them by the picture's size",
                cure="Divide by width and height: --fix does, from the pictures or with --size",
            )  # fmt: skip
        else:
            multiplied = "SlowFast, mmaction2 and AlphAction end up with a box outside the picture, or NaN"
            cure = "Divide it by the picture's side, or correct it; --fix leaves the row out"
            yield from self._each(rows.filter(far), "a coordinate is outside [0, 1]", multiplied, cure=cure)
        yield from self._each(
            rows.filter(slightly),
            "a coordinate is slightly outside [0, 1]",
            "Readers cut the box at the picture's border; the evaluation does not",
            "warning",
            "Cut it: --fix does",
        )
        flat = (pl.col("x2_n") <= pl.col("x1_n")) | (pl.col("y2_n") <= pl.col("y1_n"))
        yield from self._each(
            rows.filter(flat),
            "a box has no width or height",
            "The AVA evaluation refuses a box turned over and never matches an empty one, AlphAction drops it",
            cure="Write x1,y1,x2,y2 with x2 > x1 and y2 > y1, not width and height",
        )
        decimals = pl.max_horizontal(
            pl.col(n).str.extract(r"\.(\d+)$").str.len_chars().fill_null(0) for n in BOX_COLUMNS
        )
        if rows.height >= MANY_ROWS and rows.select(decimals.max()).item() < LEAST_DECIMALS:
            yield Finding(
                self.name,
                0,
                f"no coordinate has {LEAST_DECIMALS} decimals",
                "Boxes are rounded visibly",
                "warning",
            )

    def _check_together(self, rows: pl.DataFrame) -> Iterator[Finding]:
        doubled = rows.filter(pl.struct(ROW_COLUMNS).is_duplicated()).unique(ROW_COLUMNS, keep="last")
        yield from self._each(
            doubled,
            "a row appears twice",
            "The AVA evaluation counts it as a second person: recall below 1 for the truth itself",
            cure="Keep one: --fix does",
        )
        at = ["video_id", "timestamp", "person_id"]
        boxes = rows.unique([*at, *BOX_COLUMNS], keep="first", maintain_order=True)
        differing = boxes.filter(pl.len().over(at) > 1).unique(at, keep="last")
        yield from self._each(
            differing,
            "rows of one person at one time differ in the box",
            "SlowFast, mmaction2 and pytorchvideo make two people of it",
            cure="Give each person one box a second: --fix takes the first",
        )
        same = boxes.filter(pl.struct("video_id", "timestamp", *BOX_COLUMNS).is_duplicated())
        others = same.unique(["video_id", "timestamp", *BOX_COLUMNS], keep="last")
        yield from self._each(
            others.filter(~pl.col("line").is_in(differing["line"].implode())),
            "two people have the same box at one time",
            "SlowFast, mmaction2 and pytorchvideo merge them to one person",
            cure="Move one box by a ten-thousandth where they are two people, else give both rows one person id",
        )

        yield from self._each(
            _twins(boxes, others["line"]),
            "two people have the same box to two decimals at one time",
            "pytorchvideo merges them to one person",
            "warning",
        )

    def check_window(self, frames: pl.DataFrame) -> Iterator[Finding]:
        """Rules for timestamps; `frames`: `video, frames`."""
        if self.rows.is_empty() or "timestamp_n" not in self.rows.columns:
            return
        most = None if frames.is_empty() else float(frames["frames"].to_numpy().max()) / CLIP_FPS
        meaning, rate = time_meaning(self.rows["timestamp_n"], most)
        if meaning != "ava":
            what = f"frame numbers, {rate} a second" if meaning == "frames" else "seconds of the clip"
            yield Finding(
                self.name, self.rows["line"][0], f"timestamps are {what}, not AVA's: all before {FIRST_TIMESTAMP:04d}"
                if meaning == "seconds" else f"timestamps are {what}, not AVA's seconds",
                "SlowFast raises KeyError, mmaction2 reads the first picture for every item without an error, "
                "pytorchvideo skips them all, AlphAction raises KeyError",
                cure="Count seconds from 900: --fix does, with --offset if the clip does not start at 0",
            )  # fmt: skip
            return
        length = frames.rename({"video": "video_id"})
        rows = self.rows.join(length, on="video_id", how="left")
        second = pl.col("timestamp_n") - AVA_TIMESTAMP_OFFSET
        yield from self._each(
            rows.filter(second < FIRST_TIMESTAMP - AVA_TIMESTAMP_OFFSET),
            f"a timestamp is before {FIRST_TIMESTAMP:04d}",
            "mmaction2 reads the first frame for it without an error, SlowFast raises KeyError",
            cure="Leave the row out: models see two seconds around it",
        )
        yield from self._each(
            rows.filter(pl.col("timestamp_n") > LAST_TIMESTAMP),
            f"a timestamp is after {LAST_TIMESTAMP}",
            "SlowFast and AlphAction raise KeyError, pytorchvideo skips it",
            cure="Cut the video into clips",
        )
        yield from self._each(
            rows.filter(second > pl.col("frames") / CLIP_FPS - CONTEXT_SECONDS),
            "a timestamp is less than two seconds before the video's end",
            "mmaction2 raises FileNotFoundError, SlowFast reads the last frame over and over",
            cure="Leave the row out",
        )

    def _each(
        self, rows: pl.DataFrame, rule: str, consequence: str, severity: Severity = "error", cure: str = ""
    ) -> Iterator[Finding]:
        return each_line(self.name, rows, rule, consequence, severity, cure)


def _twins(boxes: pl.DataFrame, identical: pl.Series) -> pl.DataFrame:
    """Boxes that another person's box equals to two decimals; those that are `identical` are known already."""
    at = ["video_id", "timestamp", *(pl.col(f"{name}_n").round(2) for name in BOX_COLUMNS)]
    persons = pl.col("person_id").n_unique().over(at)
    alike = boxes.filter(persons > 1).unique(["video_id", "timestamp", "person_id"], keep="last")
    return alike.filter(~pl.col("line").is_in(identical.implode()))
