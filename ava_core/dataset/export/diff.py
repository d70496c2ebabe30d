"""What changed from one release to another, by class, clip and label."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ava_core.base.schemas import BOX_COLUMNS
from ava_core.dataset.formats.ava.reader import action_names, read_rows
from ava_core.dataset.formats.ava.rows import KEY_COLUMNS


@dataclass(frozen=True)
class Diff:
    """Differences alone; what is the same is left out.

    `classes`: `action_id, name, before, after` (labels); `clips`: `video_id, change` (added, removed, moved to
    another split, relabelled) `, split_before, split_after, before, after`; `labels`: `video_id, timestamp,
    person_id, action_id, change` (added, removed, box moved).
    """

    classes: pl.DataFrame
    clips: pl.DataFrame
    labels: pl.DataFrame

    @property
    def is_empty(self) -> bool:
        """Whether the releases say the same."""
        return self.classes.is_empty() and self.clips.is_empty() and self.labels.is_empty()


def diff_releases(before: Path, after: Path) -> Diff:
    """Compare two dataset folders. Raises `InputError` where one is no dataset."""
    old, new = read_rows(before), read_rows(after)
    labels = _labels(old, new)
    actions = action_names(after) | action_names(before)
    return Diff(_classes(old, new, actions), _clips(old, new, labels), labels)


def _classes(old: pl.DataFrame, new: pl.DataFrame, actions: dict[int, str]) -> pl.DataFrame:
    both = _counted(old, new, ["action_id"]).filter(pl.col("before") != pl.col("after"))
    name = pl.col("action_id").replace_strict(actions, default="", return_dtype=pl.String)
    return both.with_columns(name=name).select("action_id", "name", "before", "after").sort("action_id")


def _clips(old: pl.DataFrame, new: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    splits = [rows.select("video_id", "split").unique() for rows in (old, new)]
    both = (
        _counted(old, new, ["video_id"])
        .join(splits[0].rename({"split": "split_before"}), on="video_id", how="left")
        .join(splits[1].rename({"split": "split_after"}), on="video_id", how="left")
    )
    change = (
        pl.when(pl.col("split_before").is_null())
        .then(pl.lit("added"))
        .when(pl.col("split_after").is_null())
        .then(pl.lit("removed"))
        .when(pl.col("split_before") != pl.col("split_after"))
        .then(pl.lit("moved"))
        .when(pl.col("video_id").is_in(labels["video_id"].unique().implode()))
        .then(pl.lit("relabelled"))
    )
    columns = ("video_id", "change", "split_before", "split_after", "before", "after")
    return both.with_columns(change=change).drop_nulls("change").select(columns).sort("video_id")


def _labels(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    both = old.select(*KEY_COLUMNS, *BOX_COLUMNS, here=True).join(
        new.select(*KEY_COLUMNS, *BOX_COLUMNS, here=True),
        on=KEY_COLUMNS,
        how="full",
        coalesce=True,
        suffix="_after",
    )
    same_box = pl.all_horizontal(pl.col(name) == pl.col(f"{name}_after") for name in BOX_COLUMNS)
    change = (
        pl.when(pl.col("here").is_null())
        .then(pl.lit("added"))
        .when(pl.col("here_after").is_null())
        .then(pl.lit("removed"))
        .when(~same_box)
        .then(pl.lit("box moved"))
    )
    return (
        both.with_columns(change=change).drop_nulls("change").select(*KEY_COLUMNS, "change").sort(KEY_COLUMNS)
    )


def _counted(old: pl.DataFrame, new: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    before, after = old.group_by(by).agg(before=pl.len()), new.group_by(by).agg(after=pl.len())
    return before.join(after, on=by, how="full", coalesce=True).with_columns(
        pl.col("before", "after").fill_null(0).cast(pl.Int64)
    )
