"""Lineage: from a row of a release to votes, annotators, job, clip, source file and frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, BOX_COLUMNS, CLIP_FPS
from ava_core.dataset.export.inputs import BatchTables, BatchWork
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.names import SPLITS
from ava_core.dataset.formats.ava.rows import KEY_COLUMNS
from ava_core.dataset.formats.dataset import Dataset

_PLACE: Final = ["clip_id", "second", "person_id"]


def lineage(dataset: Dataset, inputs: Sequence[tuple[BatchTables, BatchWork]]) -> pl.DataFrame:
    """Where every row comes from.

    Columns: `split, line` (of `ava_<split>_v2.2.csv`, from 1) `, video_id, timestamp, person_id, action_id,
    x1, y1, x2, y2` (shares of the picture) `, group, votes, voters, posterior, rule, box_votes, box_voters,
    box_iou, box_rule, batch, source_id, original_name, source_sha256, source_second` (s from the source
    video's start) `, picture, approved_by, approved_at, ratings`: a list of `annotator, job_id, task_id,
    version, track_key, action_ids` (what the annotator said of the group) `, edited` (the box, null where
    there was none) `, counted` (false for an excluded annotator); `origin` (`imports.Origin`) `, imported_from`: the
    dataset of a row that was imported, "" of others.
    """
    places = {tables.batch: tables.imported.place for tables, _ in inputs if tables.imported is not None}
    rows = _numbered(dataset).with_columns(
        clip_id=pl.col("video_id"), second=pl.col("timestamp") - AVA_TIMESTAMP_OFFSET
    )
    labels = pl.concat([tables.consensus_labels for tables, _ in inputs])
    boxes = pl.concat([tables.consensus_boxes for tables, _ in inputs]).select(
        *_PLACE, box_votes="votes", box_voters="voters", box_iou="agreement_iou", box_rule="rule"
    )
    ratings = pl.concat([_ratings(work) for _, work in inputs])
    approvals = pl.concat([work.approvals for _, work in inputs])
    picture = names.frame_paths("clip_id", pl.col("second") * CLIP_FPS + 1)
    return (
        rows.join(labels, on=[*_PLACE, "action_id"], how="left")
        .join(boxes, on=_PLACE, how="left")
        .join(_sources(dataset, inputs), on="clip_id", how="left")
        .join(approvals, on="clip_id", how="left")
        .join(ratings, on=[*_PLACE, "group"], how="left")
        .with_columns(
            source_second=pl.col("start_s") + pl.col("second"),
            origin=pl.when(pl.col("batch").is_in(list(places))).then(pl.lit("imported")).otherwise(pl.lit("annotated")),
            imported_from=pl.col("batch").replace_strict(places, default="", return_dtype=pl.String),
            picture=pl.concat_str(pl.lit(f"{names.FRAMES}/"), picture),
        )
        .sort("split", "line")
        .select(
            "split", "line", *KEY_COLUMNS, *BOX_COLUMNS, "group", "votes", "voters", "posterior", "rule",
            "box_votes", "box_voters", "box_iou", "box_rule", "batch", "source_id", "original_name",
            "source_sha256", "source_second", "picture", "approved_by", "approved_at", "ratings", "origin",
            "imported_from",
        )
    )  # fmt: skip


def trace(release: Path, row: str) -> dict[str, Any]:
    """The lineage of one row, by name of column.

    `row`: `<split>:<line>` of its csv, or the csv's line itself. Raises `InputError` where there is no lineage
    or no such row.
    """
    found = _lineage_of(release).filter(_wanted(row)).collect()
    if found.is_empty():
        raise InputError(f"{release.name} has no row {row!r}.", "Lines count from 1.")
    return found.to_dicts()[0]


def trace_at(
    release: Path, video_id: str, timestamp: int, person_id: int | None = None
) -> list[dict[str, Any]]:
    """The lineage of all rows at a timestamp of a video, of one person or of all, as `trace` gives it.

    Raises `InputError` where there is no lineage or no such row.
    """
    at = (pl.col("video_id") == video_id) & (pl.col("timestamp") == timestamp)
    if person_id is not None:
        at &= pl.col("person_id") == person_id
    found = _lineage_of(release).filter(at).sort("person_id", "action_id").collect()
    if found.is_empty():
        of = "" if person_id is None else f" of person {person_id}"
        raise InputError(
            f"{release.name} has no row of {video_id!r} at {timestamp:04d}{of}.",
            "Timestamps count from 0900: 0903 is the video's fourth second.",
        )
    return found.to_dicts()


def _lineage_of(release: Path) -> pl.LazyFrame:
    path = release / names.LINEAGE
    if not path.is_file():
        raise InputError(
            f"{release} holds no {names.LINEAGE}.", "Only releases created by `ava release make` have it."
        )
    return pl.scan_parquet(path, glob=False)


def _wanted(row: str) -> pl.Expr:
    split, _, line = row.strip().partition(":")
    if split in SPLITS and line.isdigit():
        return (pl.col("split") == split) & (pl.col("line") == int(line))
    cells = row.strip().split(",")
    if len(cells) != 8 or not all(cell.strip().isdigit() for cell in (cells[1], *cells[6:])):
        raise InputError(
            f"{row!r} does not identify a row.", "Use the form train:12, or paste a line of the CSV."
        )
    values = (cells[0].strip(), int(cells[1]), int(cells[7]), int(cells[6]))
    return pl.all_horizontal(pl.col(name) == value for name, value in zip(KEY_COLUMNS, values, strict=True))


def _numbered(dataset: Dataset) -> pl.DataFrame:
    split = pl.col("video_id").replace_strict(dict(dataset.split_of), return_dtype=pl.String)
    rows = dataset.rows.select(*KEY_COLUMNS, *BOX_COLUMNS, split=split)
    return rows.with_columns(line=pl.int_range(1, pl.len() + 1).over("split"))


def _sources(dataset: Dataset, inputs: Sequence[tuple[BatchTables, BatchWork]]) -> pl.DataFrame:
    sources = pl.concat([tables.source_videos for tables, _ in inputs])
    return dataset.clips.select("clip_id", "source_id", "batch", "start_s").join(
        sources.select("source_id", "original_name", source_sha256="sha256"), on="source_id", how="left"
    )


def _ratings(work: BatchWork) -> pl.DataFrame:
    """`clip_id, second, person_id, group, ratings`: what each annotator said of a person's group."""
    track = ["clip_id", "annotator", "track_key"]
    tasks = work.jobs.select("job_id", "task_id").unique()
    said = (
        work.raw_labels.join(work.persons, on=track)
        .join(work.raw_boxes.select(*track, "second", "edited"), on=[*track, "second"], how="left")
        .join(tasks, on="job_id", how="left")
        .with_columns(counted=~pl.col("annotator").is_in(sorted(work.excluded)))
    )
    rating = pl.struct(
        "annotator", "job_id", "task_id", "version", "track_key", "action_ids", "edited", "counted"
    )
    return said.sort("annotator", "track_key").group_by(*_PLACE, "group").agg(ratings=rating)
