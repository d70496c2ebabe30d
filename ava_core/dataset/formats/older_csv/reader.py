"""The older tool's `AVA_dataset.csv`, with its defects repaired and listed.

It has a header, counts frames instead of seconds from 0900, writes −1 for what was left unset, puts the annotator
into the video id, and holds every row several times.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, BOX_COLUMNS
from ava_core.dataset.formats.boxes import (
    FINITE,
    IN_SHARES,
    WHOLE,
    are_shares,
    have_width_and_height,
    width_and_height,
)
from ava_core.dataset.formats.cells import read_bytes, read_cells
from ava_core.dataset.formats.repairs import Repair
from ava_core.ontology import Ontology
from ava_core.video.media.names import distinct_ids

COLUMNS: Final = ("video_id", "timestamp", *BOX_COLUMNS, "action_id", "person_id")
CLIP_SECONDS: Final = 15
"""Length of the older tool's clips."""
SIZE: Final = (1280, 720)
"""Width and height that it scaled every clip to."""
LARGEST_ID: Final = 10**6
"""Greater numbers of persons, actions or frames are something else."""
NOBODY: Final = "unknown"
"""The annotator where the id names none."""

_WITH_ANNOTATOR = re.compile(r"(?P<clip>.*clip_\d{3})[_-](?P<annotator>.+)")
"""The older clips are named `<n>_clip_%03d`."""


def read_older_csv(
    path: Path, ontology: Ontology, *, index_fps: float = 1.0, size: tuple[int, int] = SIZE
) -> OlderRows:
    """The rows that can be used, and what was repaired.

    `index_fps`: frames a second of the frame numbers, 1 for pictures of whole seconds, 30 for frames of clips;
    `size`: of the pictures in pixels, for boxes in pixels. Raises `InputError` where a row cannot be understood.
    """
    if not (math.isfinite(index_fps) and index_fps > 0):
        raise InputError(f"{index_fps:g} frame numbers per second is not a rate.", "Use --index-fps 1 or 30.")
    found = OlderRows(path, read_cells(read_bytes(path), COLUMNS))
    found.drop_header()
    found.drop_doubles()
    found.read_numbers()
    found.drop_unset(ontology)
    found.name_annotators()
    found.count_seconds(index_fps)
    found.scale_boxes(size)
    found.number_persons()
    return found


def is_older_csv(path: Path) -> bool:
    """Whether a csv is the older tool's: annotators in its video ids, or what was never set."""
    rows = read_cells(read_bytes(path), COLUMNS)
    named = rows["video_id"].cast(pl.String).str.contains(rf"^{_WITH_ANNOTATOR.pattern}$").any()
    unset = rows["action_id"].cast(pl.String).str.strip_chars().is_in(["-1"]).any()
    return bool(named or unset or path.name == "AVA_dataset.csv")


@dataclass
class OlderRows:
    """The rows on their way from text to work; each step notes what it repaired.

    After the last one they have `clip_id, annotator, track_key, second, x1, y1, x2, y2` (pixels) `, action_id`.
    """

    path: Path
    rows: pl.DataFrame
    repairs: list[Repair] = field(default_factory=list)

    def keep(self, kept: pl.Expr, defect: str) -> None:
        """Leave rows out, and note it."""
        gone = self.rows.filter(~kept.fill_null(value=False))
        if gone.height:
            self.repairs.append(Repair(defect, "left out", gone.height, gone["line"][0]))
            self.rows = self.rows.filter(kept)

    def drop_header(self) -> None:
        if self.rows.height and not str(self.rows["x1"][0]).replace(".", "").replace("-", "").isdigit():
            self.repairs.append(Repair("a header", "left out", 1, 1))
            self.rows = self.rows.slice(1)

    def drop_doubles(self) -> None:
        once = self.rows.unique(COLUMNS, keep="first", maintain_order=True)
        if once.height < self.rows.height:
            line = self.rows.filter(pl.struct(COLUMNS).is_duplicated())["line"][0]
            gone = self.rows.height - once.height
            self.repairs.append(Repair("rows that appear several times", "kept once", gone, line))
            self.rows = once

    def read_numbers(self) -> None:
        numbers = self.rows.with_columns(
            pl.col("video_id").str.strip_chars(),
            *(pl.col(name).cast(pl.Float64, strict=False) for name in COLUMNS[1:]),
        )
        ids = pl.all_horizontal(
            pl.col(n).is_between(-1, LARGEST_ID) & (pl.col(n) == pl.col(n).round())
            for n in ("action_id", "person_id")
        )
        unfit = ~ids | ~pl.col("timestamp").is_between(-LARGEST_ID, LARGEST_ID)
        nothing = pl.any_horizontal(pl.col(COLUMNS).is_null()) | pl.col("extra").is_not_null()
        bad = numbers.filter(nothing | unfit | (pl.col("video_id") == ""))
        if bad.height:
            raise InputError(
                f"{self.path}:{bad['line'][0]}: the row is not {','.join(COLUMNS)}.", "Fix or remove it."
            )
        self.rows = numbers.with_columns(pl.col("action_id", "person_id").cast(pl.Int32))
        self.keep(FINITE, "boxes with a number that is infinite or none")

    def drop_unset(self, ontology: Ontology) -> None:
        self.keep(pl.col("action_id") >= 0, "actions with id -1, which were never set")
        known = [action.id for action in ontology.actions]
        self.keep(pl.col("action_id").is_in(known), f"actions that ontology {ontology.name} does not know")

    def name_annotators(self) -> None:
        parts = {}
        for video in self.rows["video_id"].unique():
            found = _WITH_ANNOTATOR.fullmatch(video)
            parts[video] = (found["clip"], found["annotator"]) if found else (video, NOBODY)
        ids = distinct_ids(clip for clip, _ in parts.values())
        parts = {video: (ids[clip], annotator) for video, (clip, annotator) in parts.items()}
        named = [video for video, (_, annotator) in parts.items() if annotator != NOBODY]
        if named:
            count = self.rows.filter(pl.col("video_id").is_in(named)).height
            self.repairs.append(Repair("annotators in video ids", "told apart from the clip", count))
        clip, annotator = ({video: part[n] for video, part in parts.items()} for n in (0, 1))
        self.rows = self.rows.with_columns(
            clip_id=pl.col("video_id").replace_strict(clip, return_dtype=pl.String),
            annotator=pl.col("video_id").replace_strict(annotator, return_dtype=pl.String),
        )

    def count_seconds(self, index_fps: float) -> None:
        """Frame numbers to seconds; timestamps that already count from 900 are left as they are."""
        if self.rows.is_empty():
            self.rows = self.rows.with_columns(second=pl.lit(0, dtype=pl.Int32))
            return
        stamps = self.rows["timestamp"]
        if float(stamps.min()) >= AVA_TIMESTAMP_OFFSET:  # type: ignore[arg-type]
            seconds = pl.col("timestamp") - AVA_TIMESTAMP_OFFSET
        else:
            self.repairs.append(
                Repair("frame numbers for timestamps", f"taken at {index_fps:g} a second", len(stamps))
            )
            seconds = pl.col("timestamp") / index_fps
        self.rows = self.rows.with_columns(second=seconds)
        latest = float(self.rows["second"].max())  # type: ignore[arg-type]
        if latest > CLIP_SECONDS:
            raise InputError(
                f"{self.path} counts to {float(stamps.max()):g}, beyond a clip of {CLIP_SECONDS} s.",  # type: ignore[arg-type]
                "Give the frame numbers per second, e.g. --index-fps 30.",
            )
        self.keep(pl.col("second") == pl.col("second").round(), "frames between two keyframes")
        self.rows = self.rows.with_columns(pl.col("second").cast(pl.Int32))

    def scale_boxes(self, size: tuple[int, int]) -> None:
        """Boxes to pixels, inside the picture."""
        width, height = size
        sides = {"x1": width, "y1": height, "x2": width, "y2": height}
        shares = are_shares(self.rows)
        if have_width_and_height(self.rows, *((1.0, 1.0) if shares else size)):
            line = self.rows.filter(~WHOLE)["line"][0]
            raise width_and_height(self.path, f"first in line {line}")
        if shares:
            self.keep(IN_SHARES, "boxes in pixels among shares of the picture")
            self.rows = self.rows.with_columns(pl.col(name) * side for name, side in sides.items())
        outside = pl.any_horizontal((pl.col(n) < 0) | (pl.col(n) > side) for n, side in sides.items())
        count = self.rows.filter(outside).height
        if count:
            self.repairs.append(Repair("boxes beyond the picture", f"cut at {width}×{height}", count))
            self.rows = self.rows.with_columns(pl.col(n).clip(0, side) for n, side in sides.items())
        self.keep(WHOLE, "boxes without width or height")

    def number_persons(self) -> None:
        """A track for every person of an annotator; who has no number is somebody else at every second."""
        nobody = pl.col("person_id") < 0
        count = self.rows.filter(nobody).height
        if count:
            self.repairs.append(Repair("persons with id -1", "one person per box", count))
        own = pl.concat_str(
            pl.lit("box"), "second", *(pl.col(n).round(1) for n in BOX_COLUMNS), separator="_"
        )
        key = pl.when(nobody).then(own).otherwise(pl.format("person{}", "person_id"))
        self.rows = self.rows.with_columns(track_key=key)
