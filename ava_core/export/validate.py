"""Checks an AVA dataset, made here or elsewhere, against what its readers enforce.

Each finding says where, which rule is broken, and what a reader would make of it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from ava_core.errors import AvaError, InputError
from ava_core.export.layout import FRAME_LIST_HEADER
from ava_core.export.splits import SPLITS
from ava_core.ontology.pbtxt import read_pbtxt
from ava_core.proposals.pickles import safe_load
from ava_core.tables import AVA_TIMESTAMP_OFFSET, BOX_COLUMNS, CLIP_FPS

COLUMNS: Final = ("video_id", "timestamp", *BOX_COLUMNS, "action_id", "person_id")
FIRST: Final = 902
"""First second that SlowFast and pytorchvideo read; others are skipped or raise KeyError."""
LAST: Final = 1798
MAX_PERSON: Final = 999
LEAST_DECIMALS: Final = 3
TWIN_DISTANCE: Final = 0.01
EXAMPLES: Final = 5
"""Findings of one rule in one file that are listed one by one."""
ALPHACTION_CLASSES: Final = 80


@dataclass(frozen=True)
class Finding:
    """A broken rule: file and line (0 = the file as a whole), the rule, and what follows from breaking it."""

    file: str
    line: int
    rule: str
    consequence: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.rule}. {self.consequence}."


def validate_dataset(folder: Path) -> list[Finding]:
    """All findings in a dataset folder; none where every rule holds.

    Raises `InputError` where the folder holds no `annotations/ava_<split>_v2.2.csv` at all.
    """
    annotations = folder / "annotations"
    splits = [split for split in SPLITS if (annotations / f"ava_{split}_v2.2.csv").is_file()]
    if not splits:
        raise InputError(
            f"{folder} holds no annotations/ava_<split>_v2.2.csv.",
            "Give the folder that holds `annotations`.",
        )
    return list(_findings(folder, splits))


def _findings(folder: Path, splits: list[str]) -> Iterator[Finding]:
    actions = yield from _label_map(folder)
    videos: dict[str, str] = {}
    for split in splits:
        csv = _Csv(folder, f"annotations/ava_{split}_v2.2.csv")
        yield from csv.check_text()
        yield from csv.check_rows(actions)
        frames = _FrameList(folder, split)
        yield from frames.check()
        yield from csv.check_window(frames)
        yield from _same_videos(csv, frames)
        yield from _in_one_split(csv, split, videos)
        yield from _excluded(folder, split, frames)
        yield from _proposals(folder, split)
        yield from _predicted_boxes(folder, split)


def _label_map(folder: Path) -> Generator[Finding, None, set[int] | None]:
    name = "annotations/ava_action_list_v2.2.pbtxt"
    path = folder / name
    if not path.is_file():
        yield Finding(name, 0, "the label map is missing", "No reader can name the classes")
        return None
    try:
        actions = read_pbtxt(path.read_text("utf-8"), name)
    except (AvaError, UnicodeDecodeError) as error:
        yield Finding(name, 0, f"the label map cannot be read ({error})", "No reader can name the classes")
        return None
    if min(actions) < 1:
        yield Finding(name, 0, "an action id is below 1", "Readers take 0 for the background class")
    if max(actions) > ALPHACTION_CLASSES:
        yield Finding(name, 0, f"an action id is above {ALPHACTION_CLASSES}", "AlphAction cannot read it")
    return set(actions)


class _Csv:
    """An annotation csv, every cell as text, with its line numbers."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.raw = (folder / name).read_bytes()
        self.rows = _read(self.raw, COLUMNS)

    def check_text(self) -> Iterator[Finding]:
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
        rows = self.rows
        if rows.is_empty():
            return
        broken = rows.filter(pl.any_horizontal(pl.col(COLUMNS).is_null()) | pl.col("extra").is_not_null())
        yield from self.each(broken, "a row does not have 8 columns", "The evaluation stops with an error")
        numbers = rows.join(broken, on="line", how="anti").with_columns(
            *(pl.col(name).cast(pl.Float64, strict=False).alias(f"{name}_n") for name in COLUMNS[1:])
        )
        bad = numbers.filter(pl.any_horizontal(pl.col(f"{n}_n").is_null() for n in COLUMNS[1:]))
        header = bool(bad.height and bad["line"][0] == 1 and bad["timestamp"][0] == "timestamp")
        rule = "the file has a header" if header else "a cell is no number"
        yield from self.each(bad, rule, "Readers stop with a ValueError")
        self.rows = good = numbers.join(bad, on="line", how="anti")
        yield from self.check_cells(good, actions)
        yield from self.check_together(good)

    def check_cells(self, rows: pl.DataFrame, actions: set[int] | None) -> Iterator[Finding]:
        corners = [pl.col(f"{name}_n") for name in BOX_COLUMNS]
        outside = pl.any_horizontal((c < 0) | (c > 1) for c in corners)
        yield from self.each(
            rows.filter(outside),
            "a coordinate lies outside [0, 1]",
            "Boxes end up outside the picture, or NaN",
        )
        flat = (pl.col("x2_n") <= pl.col("x1_n")) | (pl.col("y2_n") <= pl.col("y1_n"))
        yield from self.each(
            rows.filter(flat), "a box has no width or height", "RoIAlign gives empty features"
        )
        coarse = pl.any_horizontal(
            pl.col(n).str.extract(r"\.(\d+)$").str.len_chars().fill_null(0) < LEAST_DECIMALS
            for n in BOX_COLUMNS
        )
        yield from self.each(
            rows.filter(coarse),
            f"a coordinate has fewer than {LEAST_DECIMALS} decimals",
            "Boxes are rounded visibly",
        )
        action = pl.col("action_id_n")
        unknown = ~action.is_in([float(known) for known in actions]) if actions is not None else action < 1
        yield from self.each(
            rows.filter(unknown),
            "an action id is not in the label map",
            "The evaluation drops it, training crashes",
        )
        person = pl.col("person_id_n")
        strange = (person < 0) | (person > MAX_PERSON) | (person != person.round())
        yield from self.each(
            rows.filter(strange), "a person id is no integer in 0…999", "AlphAction misreads it"
        )
        yield from self.each(
            rows.filter(pl.col("video_id").str.contains(r"[\s,\"]") | (pl.col("video_id") == "")),
            "a video id has a space or comma, or is empty",
            "Frame lists are split at spaces: its frames are not found",
        )
        four = pl.col("timestamp").str.contains(r"^\d{4}$")
        yield from self.each(
            rows.filter(~four),
            "a timestamp is not four digits",
            "Keys of proposals and exclusions do not match",
        )

    def check_together(self, rows: pl.DataFrame) -> Iterator[Finding]:
        doubled = rows.filter(pl.struct(COLUMNS).is_duplicated()).unique(COLUMNS, keep="last")
        yield from self.each(doubled, "a row stands twice", "Its class counts double")
        at = ["video_id", "timestamp", "person_id"]
        boxes = rows.unique([*at, *BOX_COLUMNS], keep="first", maintain_order=True)
        differing = boxes.filter(pl.len().over(at) > 1).unique(at, keep="last")
        yield from self.each(
            differing, "rows of one person at one time differ in the box", "Readers make two people of it"
        )
        same = boxes.filter(pl.struct("video_id", "timestamp", *BOX_COLUMNS).is_duplicated())
        others = same.unique(["video_id", "timestamp", *BOX_COLUMNS], keep="last")
        yield from self.each(
            others.filter(~pl.col("line").is_in(differing["line"].implode())),
            "two people have the same box at one time",
            "Readers merge them to one person",
        )

    def check_window(self, frames: _FrameList) -> Iterator[Finding]:
        if self.rows.is_empty() or "timestamp_n" not in self.rows.columns:
            return
        length = frames.counts.rename({"video": "video_id"})
        rows = self.rows.join(length, on="video_id", how="left")
        second = pl.col("timestamp_n") - AVA_TIMESTAMP_OFFSET
        yield from self.each(
            rows.filter(second < FIRST - AVA_TIMESTAMP_OFFSET),
            f"a timestamp lies before {FIRST:04d}",
            "mmaction2 reads the first frame for it without an error, SlowFast raises KeyError",
        )
        late = (second > pl.col("frames") / CLIP_FPS - 2) | (pl.col("timestamp_n") > LAST)
        yield from self.each(
            rows.filter(late),
            "a timestamp lies less than two seconds before the video's end",
            "mmaction2 raises FileNotFoundError, SlowFast reads the last frame over and over",
        )

    def each(self, rows: pl.DataFrame, rule: str, consequence: str) -> Iterator[Finding]:
        lines = rows["line"].sort().to_list()
        for line in lines[:EXAMPLES]:
            yield Finding(self.name, line, rule, consequence)
        if len(lines) > EXAMPLES:
            yield Finding(self.name, 0, f"{rule}, in {len(lines) - EXAMPLES} more lines", consequence)


class _FrameList:
    """A frame list: frames of each video, and whether the pictures are there."""

    def __init__(self, folder: Path, split: str) -> None:
        self.folder, self.name = folder, f"frame_lists/{split}.csv"
        self.path = folder / self.name
        self.counts = pl.DataFrame(schema={"video": pl.String, "frames": pl.Int64})
        self.rows = pl.DataFrame()

    def check(self) -> Iterator[Finding]:
        if not self.path.is_file():
            yield Finding(
                self.name, 0, "the frame list is missing", "SlowFast and pytorchvideo find no frames"
            )
            return
        raw = self.path.read_bytes()
        header, _, body = raw.partition(b"\n")
        if header.decode("utf-8", "replace").strip() != FRAME_LIST_HEADER:
            yield Finding(self.name, 1, f"the header is not {FRAME_LIST_HEADER!r}", "The first frame is lost")
        names = ("video", "number", "frame", "path", "labels")
        self.rows = rows = _read(body, names, separator=" ", first_line=2)
        broken = rows.filter(pl.any_horizontal(pl.col(names).is_null()) | pl.col("extra").is_not_null())
        if broken.height:
            yield Finding(self.name, broken["line"][0], "a row does not have 5 columns", "SlowFast stops")
            return
        self.counts = rows.group_by("video").agg(frames=pl.len().cast(pl.Int64))
        placed = rows.with_columns(
            at=pl.col("frame").cast(pl.Int64, strict=False), due=pl.int_range(pl.len()).over("video")
        )
        gaps = placed.filter(pl.col("at").is_null() | (pl.col("at") != pl.col("due")))
        if gaps.height:
            rule = "frames are not numbered from 0 without a gap"
            yield Finding(self.name, gaps["line"][0], rule, "Labels shift against pictures")
        yield from self.check_pictures()

    def check_pictures(self) -> Iterator[Finding]:
        root = self.folder / "frames"
        if not root.is_dir():
            yield Finding("frames", 0, "the folder of frames is missing", "No reader finds a picture")
            return
        for (video,), own in self.rows.group_by(["video"], maintain_order=True):
            there = {f"{video}/{path.name}" for path in (root / str(video)).glob("*.jpg")}
            missing = [path for path in own["path"] if path not in there]
            if missing:
                line = own.filter(pl.col("path") == missing[0])["line"][0]
                rule = f"{len(missing)} pictures of {video} are missing, {missing[0]} first"
                yield Finding(self.name, line, rule, "Training stops there")
            if len(there) > own.height:
                yield Finding(
                    self.name, 0, f"{video} has more pictures than the list", "Its last seconds are not read"
                )


def _same_videos(csv: _Csv, frames: _FrameList) -> Iterator[Finding]:
    labelled, listed = set(csv.rows["video_id"].unique()), set(frames.counts["video"])
    for video in sorted(map(str, labelled - listed))[:EXAMPLES]:
        yield Finding(csv.name, 0, f"{video} is not in {frames.name}", "SlowFast raises KeyError")
    for video in sorted(listed - labelled)[:EXAMPLES]:
        yield Finding(
            frames.name, 0, f"{video} is not in {csv.name}", "SlowFast's counts of videos differ, it stops"
        )


def _in_one_split(csv: _Csv, split: str, videos: dict[str, str]) -> Iterator[Finding]:
    for video in sorted(map(str, csv.rows["video_id"].unique())):
        other = videos.setdefault(video, split)
        if other != split:
            yield Finding(csv.name, 0, f"{video} is in {other} too", "What is trained on is tested on")


def _excluded(folder: Path, split: str, frames: _FrameList) -> Iterator[Finding]:
    name = f"annotations/ava_{split}_excluded_timestamps_v2.2.csv"
    path = folder / name
    if not path.is_file():
        yield Finding(
            name, 0, "the list of excluded timestamps is missing", "SlowFast and the evaluation stop"
        )
        return
    rows = _read(path.read_bytes(), ("video", "timestamp"))
    bad = rows.filter(
        pl.col("extra").is_not_null() | ~pl.col("timestamp").fill_null("").str.contains(r"^\d{4}$")
    )
    for line in bad["line"].to_list()[:EXAMPLES]:
        yield Finding(
            name, line, "a row is not video,timestamp with four digits", "The exclusion has no effect"
        )


def _proposals(folder: Path, split: str) -> Iterator[Finding]:
    name = f"annotations/ava_dense_proposals_{split}.pkl"
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
    shown = 0
    for key, boxes in content.items():
        problem = _proposal_problem(key, boxes)
        if problem and shown < EXAMPLES:
            shown += 1
            yield Finding(name, 0, f"{key!r}: {problem}", "mmaction2 stops or crops nothing")


def _proposal_problem(key: object, boxes: object) -> str:
    if not isinstance(key, str) or not re.fullmatch(r"[^\s,]+,\d{4}", key):
        return "the key is not <video>,<timestamp with four digits>"
    if not isinstance(boxes, np.ndarray):
        return "the boxes are no array"
    if boxes.ndim != 2 or boxes.shape[1] != 5 or boxes.dtype.kind != "f":
        return f"the array is {boxes.dtype}{boxes.shape}, not float (N, 5)"
    if boxes.size and (boxes.min() < 0 or boxes.max() > 1):
        return "a value lies outside [0, 1]"
    return ""


def _predicted_boxes(folder: Path, split: str) -> Iterator[Finding]:
    name = f"annotations/ava_{split}_predicted_boxes.csv"
    path = folder / name
    if not path.is_file():
        yield Finding(name, 0, "the predicted boxes are missing", "SlowFast cannot test")
        return
    rows = _read(path.read_bytes(), ("video", "second", *BOX_COLUMNS, "empty", "score"))
    numbers = pl.all_horizontal(
        pl.col(n).cast(pl.Float64, strict=False).is_not_null() for n in ("second", *BOX_COLUMNS, "score")
    )
    bad = rows.filter(
        ~numbers.fill_null(value=False) | pl.col("extra").is_not_null() | (pl.col("empty") != "")
    )
    for line in bad["line"].to_list()[:EXAMPLES]:
        yield Finding(
            name, line, "a row is not video,second,x1,y1,x2,y2,,score", "SlowFast misreads the score"
        )


def _read(raw: bytes, columns: tuple[str, ...], *, separator: str = ",", first_line: int = 1) -> pl.DataFrame:
    """Every cell as text, with `line`; missing cells are null, a cell too many is in `extra`."""
    names = [*columns, "extra"]
    if not raw.strip():
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String) | {"line": pl.Int64})
    text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").replace("\r", "")
    lines = pl.read_csv(
        io.BytesIO(text.encode()), has_header=False, separator="\x01", quote_char=None, new_columns=["text"],
        schema={"text": pl.String}, infer_schema=False,
    )  # fmt: skip
    parts = lines.select(
        line=pl.int_range(first_line, pl.len() + first_line), parts=pl.col("text").str.split(separator)
    )
    cells = [pl.col("parts").list.get(n, null_on_oob=True).alias(name) for n, name in enumerate(names)]
    return parts.select("line", *cells)
