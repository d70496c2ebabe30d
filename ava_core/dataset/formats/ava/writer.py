"""AVA's own layout, which SlowFast, mmaction2, pytorchvideo, AlphAction and the AVA evaluation have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from ava_core.base.schemas import BOX_COLUMNS
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.labels import to_ava_pbtxt
from ava_core.dataset.formats.ava.names import SPLITS
from ava_core.dataset.formats.ava.proposals import placed_proposals, write_proposals
from ava_core.dataset.formats.ava.rows import (
    DECIMALS,
    as_text,
    excluded_seconds,
    seconds_in_window,
    timestamp_text,
)
from ava_core.dataset.formats.dataset import Dataset


def write_annotations(folder: Path, dataset: Dataset) -> None:
    """Write everything but pictures."""
    (folder / names.ANNOTATIONS).mkdir(parents=True)
    (folder / names.FRAME_LISTS).mkdir()
    (folder / names.LABEL_MAP).write_text(to_ava_pbtxt(dataset.ontology), "utf-8")
    rows = as_text(dataset.rows)
    stamps: set[int] = set()
    for split in SPLITS:
        clips = dataset.clips_of(split)
        stamps |= set(seconds_in_window(clips)["timestamp"])
        own = rows.filter(pl.col("video_id").is_in(clips["clip_id"].implode()))
        write_csv(folder / names.rows_csv(split), own)
        excluded = excluded_seconds(dataset.disputed, clips).select("clip_id", timestamp_text())
        write_csv(folder / names.excluded_csv(split), excluded)
        boxes = placed_proposals(dataset.proposals, clips)
        write_proposals(folder / names.proposals_pickle(split), boxes)
        write_csv(folder / names.predicted_csv(split), _predicted_text(boxes))
        write_lines(folder / names.video_list(split), clips["clip_id"])
        _write_frame_list(folder / names.frame_list(split), clips)
    texts = pl.Series(sorted(stamps), dtype=pl.Int32).cast(pl.String).str.zfill(4)
    write_lines(folder / names.INCLUDED_TIMESTAMPS, texts)
    write_csv(folder / names.ALL_ROWS, rows)


def write_csv(path: Path, table: pl.DataFrame) -> None:
    """Write a table without a header or quotes; lines end in LF."""
    table.write_csv(
        path, include_header=False, line_terminator="\n", quote_style="never", float_precision=DECIMALS
    )


def write_lines(path: Path, lines: pl.Series | Sequence[str]) -> None:
    """Write a text file, every line ending in LF."""
    write_csv(path, pl.DataFrame({"line": pl.Series(lines, dtype=pl.String)}))


def _predicted_text(placed: pl.DataFrame) -> pl.DataFrame:
    return as_text(placed).select("clip_id", "timestamp", *BOX_COLUMNS, pl.lit("").alias("empty"), "score")


def _write_frame_list(path: Path, clips: pl.DataFrame) -> None:
    videos = clips.select("clip_id", "frames").with_row_index("number")
    listed = videos.with_columns(frame=pl.int_ranges(0, pl.col("frames"))).explode(
        "frame", empty_as_null=False
    )
    picture = names.frame_paths("clip_id", pl.col("frame") + 1)
    lines = listed.select("clip_id", "number", "frame", picture.alias("path"), labels=pl.lit('""'))
    with path.open("wb") as file:
        file.write(f"{names.FRAME_LIST_HEADER}\n".encode())
        lines.write_csv(file, include_header=False, line_terminator="\n", separator=" ", quote_style="never")
