"""What became of a batch's video: how much of it the clips hold, what was set aside, where nobody was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from ava_core.base.schemas import CUTS, SET_ASIDE, conform, empty
from ava_core.batch import BatchContext

WORTH_A_WARNING: Final = 0.01
"""Share of a batch's seconds that may be in no clip before somebody should look."""


@dataclass(frozen=True)
class Outcome:
    """`cuts`: `schemas.CUTS`; `untracked`, `without_task`: `schemas.SET_ASIDE` of the tracker and of the tasks."""

    cuts: pl.DataFrame
    untracked: pl.DataFrame
    without_task: pl.DataFrame

    @property
    def lost_share(self) -> float:
        """Share of the source videos' seconds that no clip holds."""
        total = float(self.cuts["duration_s"].sum())
        return max(0.0, 1 - float(self.cuts["clip_seconds"].sum()) / total) if total else 0.0

    @property
    def without_clips(self) -> pl.DataFrame:
        """Usable source videos (rows of `cuts`) that gave no clip."""
        return self.cuts.filter(pl.col("clips") == 0)

    @property
    def sentence(self) -> str:
        """How much the clips hold, in words."""
        seconds, total, decoded, used, damaged = (
            self.cuts[name].sum() for name in ("clip_seconds", "duration_s", "decoded", "used", "damaged")
        )
        said = (
            f"Clips hold {seconds:.1f} of {total:.1f} seconds; {decoded} frames were decoded, {used} are used"
        )
        return f"{said}; {damaged} were damaged or lean on damaged ones." if damaged else f"{said}."

    @property
    def complaints(self) -> list[str]:
        """A sentence on each source video without clips and each clip that was set aside."""
        sources = [
            f"{row['original_name']}: {row['reason'] or 'it gave no clip: no stretch of it is long enough'}."
            for row in self.without_clips.iter_rows(named=True)
        ]
        untracked = [f"{clip}: not tracked, {reason}." for clip, reason in self.untracked.rows()]
        return (
            sources + untracked + [f"{clip}: no task, {reason}." for clip, reason in self.without_task.rows()]
        )


def outcome_of(at: BatchContext) -> Outcome | None:
    """What became of the batch's video; `None` where it was cut elsewhere, or not yet."""
    if not at.storage.table_path(at.batch, "clips", "cuts").exists():
        return None
    return Outcome(
        conform(at.table("clips", "cuts"), CUTS, f"cuts of batch {at.batch}"),
        set_aside_of(at, "tracks"),
        set_aside_of(at, "cvat_tasks"),
    )


def set_aside_of(at: BatchContext, asset: str) -> pl.DataFrame:
    """Clips that an asset goes without (`schemas.SET_ASIDE`)."""
    exists = at.storage.table_path(at.batch, asset, "set_aside").exists()
    return at.table(asset, "set_aside") if exists else empty(SET_ASIDE)


def clips_without_people(clips: pl.DataFrame, tracks: pl.DataFrame) -> int:
    """How many clips (`schemas.CLIPS`) have no track (`schemas.TRACKS`)."""
    return clips.join(tracks, on="clip_id", how="anti").height
