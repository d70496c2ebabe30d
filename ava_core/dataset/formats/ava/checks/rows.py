"""Rules for an annotation csv."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import polars as pl

from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, BOX_COLUMNS, CLIP_FPS
from ava_core.dataset.formats.ava.checks.finding import Finding, each_line
from ava_core.dataset.formats.ava.rows import (
    CONTEXT_SECONDS,
    FIRST_TIMESTAMP,
    LAST_TIMESTAMP,
    ROW_COLUMNS,
)
from ava_core.dataset.formats.cells import read_cells
from ava_core.dataset.formats.dataset import MAX_PERSON

LEAST_DECIMALS: Final = 3

Severity = Literal["error", "warning"]


class AnnotationCsv:
    """An annotation csv, every cell as text, with its line numbers."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.raw = (folder / name).read_bytes()
        self.rows = read_cells(self.raw, ROW_COLUMNS)

    def check_text(self) -> Iterator[Finding]:
        """Rules for the file's bytes."""
        if self.raw.startswith(b"\xef\xbb\xbf"):
            yield Finding(
                self.name, 1, "the file begins with a byte-order mark", "The first video id is misread"
            )
        if b"\r" in self.raw:
            yield Finding(
                self.name, 0, "lines end in CR", "Readers that split at LF keep it in the last column"
            )
        if b'"' in self.raw:
            yield Finding(self.name, 0, "cells are quoted", "SlowFast and mmaction2 split at commas alone")
        if self.raw and not self.raw.endswith(b"\n"):
            yield Finding(self.name, 0, "the last line does not end", "Files that are joined lose a row")

    def check_rows(self, actions: set[int] | None) -> Iterator[Finding]:
        """Rules for rows; broken ones leave `rows`. `actions`: ids of the label map, `None` without one."""
        rows = self.rows
        if rows.is_empty():
            return
        broken = rows.filter(pl.any_horizontal(pl.col(ROW_COLUMNS).is_null()) | pl.col("extra").is_not_null())
        yield from self._each(broken, "a row does not have 8 columns", "The evaluation stops with an error")
        numbers = rows.join(broken, on="line", how="anti").with_columns(
            *(pl.col(name).cast(pl.Float64, strict=False).alias(f"{name}_n") for name in ROW_COLUMNS[1:])
        )
        bad = numbers.filter(pl.any_horizontal(pl.col(f"{n}_n").is_null() for n in ROW_COLUMNS[1:]))
        header = bool(bad.height and bad["line"][0] == 1 and bad["timestamp"][0] == "timestamp")
        rule = "the file has a header" if header else "a cell is no number"
        yield from self._each(bad, rule, "Readers stop with a ValueError")
        self.rows = good = numbers.join(bad, on="line", how="anti")
        yield from self._check_cells(good, actions)
        yield from self._check_together(good)

    def _check_cells(self, rows: pl.DataFrame, actions: set[int] | None) -> Iterator[Finding]:
        corners = [pl.col(f"{name}_n") for name in BOX_COLUMNS]
        outside = pl.any_horizontal((c < 0) | (c > 1) for c in corners)
        yield from self._each(
            rows.filter(outside),
            "a coordinate lies outside [0, 1]",
            "Boxes end up outside the picture, or NaN",
        )
        flat = (pl.col("x2_n") <= pl.col("x1_n")) | (pl.col("y2_n") <= pl.col("y1_n"))
        yield from self._each(
            rows.filter(flat), "a box has no width or height", "RoIAlign gives empty features"
        )
        coarse = pl.any_horizontal(
            pl.col(n).str.extract(r"\.(\d+)$").str.len_chars().fill_null(0) < LEAST_DECIMALS
            for n in BOX_COLUMNS
        )
        yield from self._each(
            rows.filter(coarse),
            f"a coordinate has fewer than {LEAST_DECIMALS} decimals",
            "Boxes are rounded visibly",
        )
        action = pl.col("action_id_n")
        unknown = ~action.is_in([float(known) for known in actions]) if actions is not None else action < 1
        yield from self._each(
            rows.filter(unknown),
            "an action id is not in the label map",
            "The evaluation drops it, training crashes",
        )
        whole = pl.all_horizontal(pl.col(n).str.contains(r"^\d+$") for n in ("action_id", "person_id"))
        yield from self._each(
            rows.filter(~whole | (pl.col("person_id_n") > MAX_PERSON)),
            f"a person id is no integer in 0…{MAX_PERSON}, or an action id is none",
            "AlphAction misreads it, others stop with a ValueError",
        )
        yield from self._each(
            rows.filter(pl.col("video_id").str.contains(r"[\s,\"]") | (pl.col("video_id") == "")),
            "a video id has a space or comma, or is empty",
            "Frame lists are split at spaces: its frames are not found",
        )
        yield from self._each(
            rows.filter(pl.col("video_id").str.contains(".", literal=True)),
            "a video id has a dot",
            "AlphAction cuts the id there",
            "warning",
        )
        four = pl.col("timestamp").str.contains(r"^\d{4}$")
        yield from self._each(
            rows.filter(~four),
            "a timestamp is not four digits",
            "Keys of proposals and exclusions do not match",
        )

    def _check_together(self, rows: pl.DataFrame) -> Iterator[Finding]:
        doubled = rows.filter(pl.struct(ROW_COLUMNS).is_duplicated()).unique(ROW_COLUMNS, keep="last")
        yield from self._each(doubled, "a row stands twice", "Its class counts double")
        at = ["video_id", "timestamp", "person_id"]
        boxes = rows.unique([*at, *BOX_COLUMNS], keep="first", maintain_order=True)
        differing = boxes.filter(pl.len().over(at) > 1).unique(at, keep="last")
        yield from self._each(
            differing, "rows of one person at one time differ in the box", "Readers make two people of it"
        )
        same = boxes.filter(pl.struct("video_id", "timestamp", *BOX_COLUMNS).is_duplicated())
        others = same.unique(["video_id", "timestamp", *BOX_COLUMNS], keep="last")
        yield from self._each(
            others.filter(~pl.col("line").is_in(differing["line"].implode())),
            "two people have the same box at one time",
            "Readers merge them to one person",
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
        length = frames.rename({"video": "video_id"})
        rows = self.rows.join(length, on="video_id", how="left")
        second = pl.col("timestamp_n") - AVA_TIMESTAMP_OFFSET
        yield from self._each(
            rows.filter(second < FIRST_TIMESTAMP - AVA_TIMESTAMP_OFFSET),
            f"a timestamp lies before {FIRST_TIMESTAMP:04d}",
            "mmaction2 reads the first frame for it without an error, SlowFast raises KeyError",
        )
        late = (second > pl.col("frames") / CLIP_FPS - CONTEXT_SECONDS) | (
            pl.col("timestamp_n") > LAST_TIMESTAMP
        )
        yield from self._each(
            rows.filter(late),
            "a timestamp lies less than two seconds before the video's end",
            "mmaction2 raises FileNotFoundError, SlowFast reads the last frame over and over",
        )

    def _each(
        self, rows: pl.DataFrame, rule: str, consequence: str, severity: Severity = "error"
    ) -> Iterator[Finding]:
        return each_line(self.name, rows, rule, consequence, severity)


def _twins(boxes: pl.DataFrame, identical: pl.Series) -> pl.DataFrame:
    """Boxes that another person's box equals to two decimals; those that are `identical` are known already."""
    at = ["video_id", "timestamp", *(pl.col(f"{name}_n").round(2) for name in BOX_COLUMNS)]
    persons = pl.col("person_id").n_unique().over(at)
    alike = boxes.filter(persons > 1).unique(["video_id", "timestamp", "person_id"], keep="last")
    return alike.filter(~pl.col("line").is_in(identical.implode()))
