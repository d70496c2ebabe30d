"""What an annotator has to do to the pre-drawn tracks until they are the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from ava_core.demo.score import IOU, match_boxes
from ava_core.demo.truth import VISIBLE, ClipTruth

GOOD_IOU: Final = 0.6
"""Overlap with the true box below which a box is drawn again."""


@dataclass(frozen=True)
class Corrections:
    """Edits by kind.

    adds: stretches of seconds in which a visible walker has no box. deletes: stretches in which a track is on nobody.
    splits: seconds at which a track goes over to another walker. merges: tracks of a walker beyond the first one,
    once tracks are split. redrawn: boxes that lie badly.
    """

    adds: int
    deletes: int
    splits: int
    merges: int
    redrawn: int

    @property
    def total(self) -> int:
        """All edits."""
        return self.adds + self.deletes + self.splits + self.merges + self.redrawn


def corrections(truth: ClipTruth, proposals: pl.DataFrame) -> Corrections:
    """The edits that `schemas.PROPOSALS` need; hardly visible walkers are neither missed nor wrongly found."""
    boxes = proposals.with_row_index("proposal")
    pairs = match_boxes(truth.boxes, boxes, "proposal", IOU)
    pairs = pairs.join(boxes.select("proposal", "track_id"), on="proposal")
    visible = truth.boxes.filter(pl.col("visible") >= VISIBLE)
    missed = visible.join(pairs, on=["clip_id", "second", "walker"], how="anti")
    stray = boxes.join(pairs, on="proposal", how="anti")
    seen = pairs.join(visible, on=["clip_id", "second", "walker"], how="semi")
    runs = seen.sort("clip_id", "track_id", "second").select(
        "clip_id", "walker", run=pl.struct("clip_id", "track_id", "walker").rle_id(), track="track_id"
    )
    of_tracks = runs.unique(["clip_id", "track", "run"])
    tracks = of_tracks.select("clip_id", "track").n_unique()
    return Corrections(
        adds=_stretches(missed, "walker"),
        deletes=_stretches(stray, "track_id"),
        splits=of_tracks.height - tracks,
        merges=of_tracks.height - seen.select("clip_id", "walker").n_unique(),
        redrawn=seen.filter(pl.col("iou") < GOOD_IOU).height,
    )


def _stretches(table: pl.DataFrame, of: str) -> int:
    """Runs of consecutive seconds of each one."""
    gap = pl.col("second") - pl.col("second").shift(1).over("clip_id", of)
    return table.sort("clip_id", of, "second").filter((gap != 1).fill_null(value=True)).height
