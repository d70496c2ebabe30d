"""Rules for frame lists, and for the pictures they name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.checks.finding import Finding
from ava_core.dataset.formats.cells import read_cells

OPENED = "SlowFast, pytorchvideo and YOWOv2"


def _step(frames: pl.DataFrame) -> int:
    """How far apart listed frames are where all are equally far; 0 where they are not, or follow each other."""
    apart = frames.select(pl.col("at").diff().over("video")).to_series().drop_nulls().unique()
    starts = frames.filter(pl.col("due") == 0)["at"]
    regular = len(apart) == 1 and starts.null_count() == 0 and bool((starts == 0).all())
    return int(apart[0]) if regular and apart[0] > 1 else 0


class FrameList:
    """A frame list: frames of each video, and whether the pictures are there."""

    def __init__(self, root: Path, path: Path | None, name: str) -> None:
        self.root, self.path, self.name = root, path, name
        self.counts = pl.DataFrame(schema={"video": pl.String, "frames": pl.Int64})
        self.rows = pl.DataFrame()
        self.sparse = False

    def check(self) -> Iterator[Finding]:
        """Rules for the list, and for the pictures it names."""
        if self.path is None:
            return
        raw = self.path.read_bytes()
        header, _, body = raw.partition(b"\n")
        if header.decode("utf-8", "replace").strip() != names.FRAME_LIST_HEADER:
            yield Finding(
                self.name,
                1,
                f"the header is not {names.FRAME_LIST_HEADER!r}",
                "SlowFast, pytorchvideo and YOWOv2 leave the first line out: the first frame is lost",
                cure="Put that line first",
            )
        columns = ("video", "number", "frame", "path", "labels")
        self.rows = rows = read_cells(body, columns, separator=" ", first_line=2)
        broken = rows.filter(pl.any_horizontal(pl.col(columns).is_null()) | pl.col("extra").is_not_null())
        if broken.height:
            yield Finding(
                self.name,
                broken["line"][0],
                "a row does not have 5 columns",
                "SlowFast, pytorchvideo and YOWOv2 stop",
                cure='Write video number frame path "", with spaces between them',
            )
            return
        self.counts = rows.group_by("video").agg(frames=pl.len().cast(pl.Int64))
        placed = rows.with_columns(
            at=pl.col("frame").cast(pl.Int64, strict=False), due=pl.int_range(pl.len()).over("video")
        )
        gaps = placed.filter(pl.col("at").is_null() | (pl.col("at") != pl.col("due")))
        if step := _step(placed):
            self.sparse, self.counts = True, self.counts.with_columns(pl.col("frames") * step)
            yield Finding(
                self.name, gaps["line"][0], f"the list names one frame in {step}",
                "SlowFast and YOWOv2 count 30 lines a second: they look for pictures beyond the list's end",
                cure="List every frame, 30 a second",
            )  # fmt: skip
        elif gaps.height:
            rule = "frames are not numbered from 0 without a gap"
            yield Finding(
                self.name,
                gaps["line"][0],
                rule,
                "SlowFast and YOWOv2 count lines: labels shift against pictures",
                cure="List every frame of a video in order, from 0",
            )
        yield from self._check_pictures()

    def _check_pictures(self) -> Iterator[Finding]:
        root = self.root / names.FRAMES
        if not root.is_dir():
            yield Finding(
                names.FRAMES,
                0,
                "the folder of frames is missing",
                "SlowFast, pytorchvideo and YOWOv2 find no picture",
                # A release notes its pictures, and those that are gone are said there: here, they were never chosen.
                "warning" if (self.root / names.RECORD).is_file() else "error",
                f"Put the pictures into {names.FRAMES}/<video>/, 30 a second",
            )
            return
        for video in self.counts["video"].sort():
            there = {f"{video}/{path.name}" for path in (root / video).glob("*.jpg")}
            own = self.rows.filter(pl.col("video") == video)
            missing = own.filter(~pl.col("path").is_in(sorted(there)))
            if missing.height:
                rule = f"{missing.height} pictures of {video} are missing, {missing['path'][0]} first"
                cure = "Extract them again, at 30 a second and named as in the list"
                yield Finding(self.name, missing["line"][0], rule, f"{OPENED} stop there", cure=cure)
            if len(there) > own.height and not self.sparse:
                yield Finding(
                    self.name,
                    0,
                    f"{video} has more pictures than the list",
                    "SlowFast does not read its last seconds",
                    cure="List them all",
                )
