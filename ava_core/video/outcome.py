"""What became of a batch's video: how much of it the clips hold, what was set aside, where nobody was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from ava_core.base.schemas import CUTS, SET_ASIDE, conform, empty
from ava_core.batch import BatchContext

WORTH_A_WARNING: Final = 0.01
"""Share of a batch's seconds that may be in no clip before somebody should look."""


LACKS: Final = {"tracks": "not tracked", "cvat_tasks": "no task", "ava_csv": "not in the dataset"}
"""Assets that go on without a clip, and what is then said of it."""


@dataclass(frozen=True)
class Outcome:
    """`cuts`: `schemas.CUTS`; `aside`: clips that a step went without (`schemas.SET_ASIDE`), by what they lack."""

    cuts: pl.DataFrame
    aside: Mapping[str, pl.DataFrame]

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
        return f"{said}; {damaged} were damaged or depend on damaged ones." if damaged else f"{said}."

    @property
    def complaints(self) -> list[str]:
        """A sentence on each source video without clips and each clip that was set aside."""
        sources = [
            f"{row['original_name']}: {row['reason'] or 'no part of it is long enough for a clip'}."
            for row in self.without_clips.iter_rows(named=True)
        ]
        return sources + [
            f"{clip}: {lack}, {reason}."
            for lack, table in self.aside.items()
            for clip, reason in table.rows()
        ]


def outcome_of(at: BatchContext) -> Outcome | None:
    """What became of the batch's video; `None` where it was cut elsewhere, or not yet."""
    if not at.storage.table_path(at.batch, "clips", "cuts").exists():
        return None
    return Outcome(
        conform(at.table("clips", "cuts"), CUTS, f"cuts of batch {at.batch}"),
        {lack: set_aside_of(at, asset) for asset, lack in LACKS.items()},
    )


def set_aside_of(at: BatchContext, asset: str) -> pl.DataFrame:
    """Clips that an asset goes without (`schemas.SET_ASIDE`)."""
    exists = at.storage.table_path(at.batch, asset, "set_aside").exists()
    return at.table(asset, "set_aside") if exists else empty(SET_ASIDE)


def clips_without_people(clips: pl.DataFrame, tracks: pl.DataFrame) -> int:
    """How many clips (`schemas.CLIPS`) have no track (`schemas.TRACKS`)."""
    return clips.join(tracks, on="clip_id", how="anti").height
