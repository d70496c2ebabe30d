"""What really happens in the videos of a demonstration: where everybody is, and what they do.

Rendered scenes know it in pixels of the source video. For a video of one's own nobody knows it; there it is made
up over the tracks that were found, and says so (`ClipTruth.invented`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

import numpy as np
import polars as pl

from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS, USABLE, Schema, conform
from ava_core.demo.behaviour import HOURS, draw_habits, gait_of, generator, labels_of
from ava_core.ontology import Ontology
from ava_core.video.proposals.keyframes import keyframe_proposals

_BOX: Final[Schema] = dict.fromkeys(BOX_COLUMNS, pl.Float64)

SOURCE_BOXES: Final[Schema] = {
    "source": pl.String,  # name of the file inside the zip or folder
    "frame": pl.Int32,  # of the source, 0-based, at its own rate
    "time_s": pl.Float64,
    "walker_id": pl.Int32,  # 1-based, unique in the source
    **_BOX,  # of the whole figure, clipped to the picture; pixels of the source
    "visible": pl.Float64,  # share of the figure that neither the picture's edge nor anything in front hides
    "words": pl.List(pl.String),  # what the walker does, in words of `behaviour`
}

TRUTH_BOXES: Final[Schema] = {
    "clip_id": pl.String,
    "second": pl.Int32,
    "walker": pl.String,  # unique over the batch; the same in all clips of a source
    **_BOX,  # pixels of the clip
    "visible": pl.Float64,
}

TRUTH_LABELS: Final[Schema] = {
    "clip_id": pl.String,
    "second": pl.Int32,
    "walker": pl.String,
    "group": pl.String,
    "action_ids": pl.List(pl.Int32),
}

VISIBLE: Final = 0.4
"""Share of a figure that must be seen before anybody is expected to draw a box around it."""

NEAREST_SECONDS: Final = 0.025
"""How far a frame may lie from a second to tell of it: half a frame, at 20 frames a second or more."""

LEAST_SECONDS: Final = 2
"""Shorter tracks of a video of one's own count as false ones that annotators delete."""


@dataclass(frozen=True)
class SceneTruth:
    """Truth of rendered videos: `boxes` with the columns of `SOURCE_BOXES`."""

    boxes: pl.DataFrame
    seed: int


@dataclass(frozen=True)
class ClipTruth:
    """Truth at the whole seconds of `clips`: `boxes` (`TRUTH_BOXES`) and `labels` (`TRUTH_LABELS`).

    `clips` are all clips that it tells of, also those in which nobody is. `invented` says that nobody knows the
    real truth: it was made up from `seed`.
    """

    clips: frozenset[str]
    boxes: pl.DataFrame
    labels: pl.DataFrame
    invented: bool
    seed: int

    @property
    def note(self) -> str:
        """A sentence for whoever gets the dataset; empty where the truth is known by construction."""
        if not self.invented:
            return ""
        return (
            f"The annotators of this dataset were simulated and their labels made up from seed {self.seed}: "
            "they say nothing about the people in the video. Do not train on them."
        )


def truth_in_clips(
    truth: SceneTruth, clips: pl.DataFrame, source_videos: pl.DataFrame, ontology: Ontology
) -> ClipTruth:
    """The truth of rendered scenes in clips (`schemas.CLIPS`) that were cut from them (`schemas.SOURCE_VIDEOS`)."""
    names = source_videos.filter(USABLE).select(
        "source_id", source=pl.col("original_name").map_elements(_base, return_dtype=pl.String)
    )
    seconds = _clip_seconds(clips).join(names, on="source_id").sort("time_s")
    frames = truth.boxes.with_columns(
        source=pl.col("source").map_elements(_base, return_dtype=pl.String), at=pl.col("time_s")
    ).sort("at")
    times = frames.select("source", "at").unique(maintain_order=True)
    nearest = seconds.join_asof(
        times, left_on="time_s", right_on="at", by="source", strategy="nearest", tolerance=NEAREST_SECONDS,
        check_sortedness=False, coalesce=False,
    )  # fmt: skip
    rows = nearest.select("clip_id", "second", "source", "at", "scale_x", "scale_y", "pad_x", "pad_y").join(
        frames, on=["source", "at"]
    )
    moved = [
        (pl.col(name) * pl.col(f"scale_{name[0]}") + pl.col(f"pad_{name[0]}")).alias(name)
        for name in BOX_COLUMNS
    ]
    walker = pl.format("{}#{}", "source", "walker_id").alias("walker")
    rows = rows.with_columns(walker, *moved).sort("clip_id", "second", "walker")
    return _clip_truth(clips, rows, ontology, invented=False, seed=truth.seed)


def _base(name: str) -> str:
    return PurePosixPath(name).name


def _clip_seconds(clips: pl.DataFrame) -> pl.DataFrame:
    seconds = pl.int_ranges(0, (pl.col("frames") + CLIP_FPS - 1) // CLIP_FPS).alias("second")
    rows = clips.with_columns(seconds).explode("second", empty_as_null=False)
    return rows.with_columns(time_s=pl.col("start_s") + pl.col("second"))


def invented_truth(clips: pl.DataFrame, tracks: pl.DataFrame, ontology: Ontology, seed: int) -> ClipTruth:
    """A truth for real videos, made up: people are where the tracker saw them, and do what the seed says.

    Only how fast they walk is read from the tracks. Tracks shorter than two seconds count as false ones.
    """
    boxes = keyframe_proposals(clips, tracks)
    long_enough = pl.len().over("clip_id", "track_id") >= LEAST_SECONDS
    boxes = boxes.filter(long_enough).with_columns(
        visible=1.0, walker=pl.format("{}#{}", "clip_id", "track_id")
    )
    rows = boxes.sort("clip_id", "track_id", "second").with_columns(_speed().alias("speed"))
    words = [_invented_words(group, seed) for _, group in rows.group_by("walker", maintain_order=True)]
    rows = rows.with_columns(words=pl.Series([w for part in words for w in part], dtype=pl.List(pl.String)))
    return _clip_truth(clips, rows, ontology, invented=True, seed=seed)


def _speed() -> pl.Expr:
    """Body heights a second, from one whole second to the next; the last second repeats the one before."""
    x, y = (pl.col("x1") + pl.col("x2")) / 2, pl.col("y2")
    by = ("clip_id", "track_id")
    step = ((x.shift(-1) - x).pow(2) + (y.shift(-1) - y).pow(2)).sqrt().over(*by)
    elapsed = (pl.col("second").shift(-1) - pl.col("second")).over(*by)
    speed = step / elapsed / (pl.col("y2") - pl.col("y1"))
    return speed.forward_fill().over(*by).fill_null(0.0)


def _invented_words(track: pl.DataFrame, seed: int) -> list[list[str]]:
    walker = str(track["walker"][0])
    rng = generator(seed, "invented", walker)
    company = str(rng.choice(["alone", "alone", "group_walking", "talking_companion"]))
    gait = gait_of(float(np.median(track["speed"].to_numpy())))
    habits = draw_habits(rng, HOURS[seed % len(HOURS)], gait, track.height, company)
    first = int(track["second"][0])
    rows: list[dict[str, Any]] = track.to_dicts()
    return [
        sorted(habits.words(row["second"] - first, gait_of(row["speed"]), "sidewalk_walking")) for row in rows
    ]


def _clip_truth(
    clips: pl.DataFrame, rows: pl.DataFrame, ontology: Ontology, *, invented: bool, seed: int
) -> ClipTruth:
    boxes = conform(rows, TRUTH_BOXES, "truth")
    return ClipTruth(frozenset(clips["clip_id"]), boxes, _labels(rows, ontology, seed), invented, seed)


def _labels(rows: pl.DataFrame, ontology: Ontology, seed: int) -> pl.DataFrame:
    found = [
        {"clip_id": row["clip_id"], "second": row["second"], "walker": row["walker"],
         "group": group, "action_ids": ids}
        for row in rows.select("clip_id", "second", "walker", "words").to_dicts()
        for group, ids in labels_of(ontology, row["words"], row["walker"], seed).items()
    ]  # fmt: skip
    return pl.DataFrame(found, schema=dict(TRUTH_LABELS))
