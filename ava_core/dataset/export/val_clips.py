"""Clips that readers can validate on: SlowFast's family looks at every fourth second alone, and stops at a video
that has nothing there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from ava_core.dataset.formats.ava.proposals import placed_proposals
from ava_core.dataset.formats.ava.readers import SLOWFAST_THRESHOLD, VALIDATED_EVERY

NOTHING_VALIDATED: Final = (
    "it has nobody at a second that SlowFast and YOWOv2 validate on, which is every fourth"
)


def usable_clips(rows: pl.DataFrame, clips: pl.DataFrame, proposals: pl.DataFrame) -> frozenset[str]:
    """Clips with a labelled person and a detected box at a second that validation looks at.

    `rows`: `rows.ROW_COLUMNS`, without disputed seconds; `clips`, `proposals`: as in `base.schemas`. A box counts from
    SlowFast's default score on; where no clip has such a box the detector scores lower throughout, and each counts.
    """
    looked_at = pl.col("timestamp") % VALIDATED_EVERY == 0
    labelled = rows.filter(looked_at).select("timestamp", clip_id="video_id").unique()
    boxes = placed_proposals(proposals, clips).filter(looked_at)
    sure = boxes.filter(pl.col("score") >= SLOWFAST_THRESHOLD)
    found = (boxes if sure.is_empty() else sure).join(labelled, on=["clip_id", "timestamp"], how="semi")
    # Without any detected box there is nothing to test on, and the labels alone decide: YOWO reads those.
    return frozenset((labelled if boxes.is_empty() else found)["clip_id"].unique())


def sources_for_training(clips: pl.DataFrame, usable: frozenset[str]) -> frozenset[str]:
    """Source videos that validation could not use: those with an unusable clip, or without another one."""
    by_source = clips.group_by("source_id").agg(usable=pl.col("clip_id").is_in(list(usable)))
    whole = by_source.filter(pl.col("usable").list.all())
    part = by_source.filter(pl.col("usable").list.any())
    return frozenset(by_source["source_id"]) - frozenset((whole if whole.height else part)["source_id"])


def unvalidated(clips: pl.DataFrame, splits: Mapping[str, str], usable: frozenset[str]) -> dict[str, str]:
    """Clips of val and test that readers could not use, with the reason; they are left out. `splits`: by source."""
    held = clips.filter(
        pl.col("source_id").replace_strict(dict(splits)).is_in(["val", "test"]),
        ~pl.col("clip_id").is_in(list(usable)),
    )
    return dict.fromkeys(held["clip_id"].sort(), NOTHING_VALIDATED)
