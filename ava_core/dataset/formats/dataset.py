"""A dataset before it has a layout: what every writer of a layout is given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from ava_core.base.errors import ExportError
from ava_core.base.schemas import CLIP_FPS
from ava_core.ontology import Ontology

MAX_PERSON: Final = 999
"""AlphAction numbers boxes `image × 1000 + person`."""
MAX_SECONDS: Final = 902
"""Longer videos than AVA's own have seconds that readers do not know: timestamps end at 1798."""

VIDEO_ID: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Dataset:
    """Rows, the data behind them, and the places of the pictures.

    `rows`: `rows.ROW_COLUMNS`, sorted; `clips`, `proposals`, `disputed`: as in `ava_core.base.schemas`; `split_of`:
    the split of each clip with rows, and of no other, because readers expect the same videos in csv and frame list;
    `pictures`: for each of these clips, the folder of its frames `<clip>_%06d.jpg`, numbered from 1; `videos`: each
    clip's file. Pictures and videos are empty if no layout in the release asks for them.
    """

    title: str
    rows: pl.DataFrame
    clips: pl.DataFrame
    proposals: pl.DataFrame
    disputed: pl.DataFrame
    split_of: Mapping[str, str]
    ontology: Ontology
    pictures: Mapping[str, Path] = field(default_factory=dict)
    videos: Mapping[str, Path] = field(default_factory=dict)

    def clips_of(self, split: str) -> pl.DataFrame:
        """Clips of a split, by id."""
        ids = [clip for clip, own in self.split_of.items() if own == split]
        return self.clips.filter(pl.col("clip_id").is_in(ids)).sort("clip_id")

    def rows_of(self, split: str) -> pl.DataFrame:
        """Rows of a split, in order."""
        ids = [clip for clip, own in self.split_of.items() if own == split]
        return self.rows.filter(pl.col("video_id").is_in(ids))

    def refuse_unfit(self) -> None:
        """Raise `ExportError` for what no reader could read rightly: before anything is written."""
        used = self.clips.filter(pl.col("clip_id").is_in(list(self.split_of)))
        doubled = used.filter(pl.col("clip_id").is_duplicated())["clip_id"]
        if len(doubled):
            raise ExportError(
                f"Two clips are named {doubled[0]}.", "Add one of the batches under another name."
            )
        for clip_id, frames in used.select("clip_id", "frames").rows():
            if not VIDEO_ID.fullmatch(clip_id):
                raise ExportError(
                    f"{clip_id!r} cannot be a video id: readers split at spaces, commas and dots.",
                    "Rename the source video: letters, digits, '_' and '-'.",
                )
            if frames > MAX_SECONDS * CLIP_FPS:
                raise ExportError(
                    f"Clip {clip_id} lasts more than {MAX_SECONDS} s; readers stop at timestamp 1798.",
                    "Cut shorter clips.",
                )
        if self.rows.height and self.rows["person_id"].max() > MAX_PERSON:  # type: ignore[operator]
            raise ExportError(f"A clip has more than {MAX_PERSON} persons.", "Cut shorter clips.")
        known = {action.id for action in self.ontology.actions}
        strange = sorted(set(self.rows["action_id"].unique()) - known)
        if strange:
            raise ExportError(
                f"Action {strange[0]} is in the labels but not in ontology {self.ontology.name}.",
                "Retire actions instead of deleting them.",
            )
