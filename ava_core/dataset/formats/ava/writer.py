"""The files that SlowFast, mmaction2, pytorchvideo, AlphAction and the AVA evaluation have in common.

annotations/ava_<split>_v2.2.csv, …_excluded_timestamps_v2.2.csv, …_predicted_boxes.csv,
            ava_dense_proposals_<split>.pkl, ava_action_list_v2.2.pbtxt, ava_file_names_<split>.txt,
            ava_included_timestamps_v2.2.txt
frame_lists/<split>.csv
AVA_dataset.csv                all splits in one
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from ava_core.base.pickles import write_ava_pickle
from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, BOX_COLUMNS, CLIP_FPS
from ava_core.dataset.export.splits import SPLITS
from ava_core.dataset.formats.ava.labels import to_ava_pbtxt
from ava_core.dataset.formats.ava.rows import DECIMALS, as_text, in_window, normalised, timestamp_text
from ava_core.dataset.formats.dataset import Dataset

FRAME_LIST_HEADER: Final = "original_vido_id video_id frame_id path labels"
"""As SlowFast and pytorchvideo expect it, spelling included."""

LABEL_MAP: Final = "ava_action_list_v2.2.pbtxt"


def write_annotations(folder: Path, dataset: Dataset) -> None:
    """Write everything but pictures."""
    annotations, frame_lists = folder / "annotations", folder / "frame_lists"
    annotations.mkdir(parents=True)
    frame_lists.mkdir()
    (annotations / LABEL_MAP).write_text(to_ava_pbtxt(dataset.ontology), "utf-8")
    rows = as_text(dataset.rows)
    stamps: set[int] = set()
    for split in SPLITS:
        clips = dataset.clips_of(split)
        stamps |= set(_seconds(clips)["timestamp"])
        own = rows.filter(pl.col("video_id").is_in(clips["clip_id"].implode()))
        write_csv(annotations / f"ava_{split}_v2.2.csv", own)
        excluded = excluded_seconds(dataset.disputed, clips).select("clip_id", timestamp_text())
        write_csv(annotations / f"ava_{split}_excluded_timestamps_v2.2.csv", excluded)
        boxes = placed_proposals(dataset.proposals, clips)
        write_proposals(annotations / f"ava_dense_proposals_{split}.pkl", boxes)
        write_csv(annotations / f"ava_{split}_predicted_boxes.csv", _predicted_text(boxes))
        write_lines(annotations / f"ava_file_names_{split}.txt", clips["clip_id"])
        _write_frame_list(frame_lists / f"{split}.csv", clips)
    texts = pl.Series(sorted(stamps), dtype=pl.Int32).cast(pl.String).str.zfill(4)
    write_lines(annotations / "ava_included_timestamps_v2.2.txt", texts)
    write_csv(folder / "AVA_dataset.csv", rows)


def excluded_seconds(disputed: pl.DataFrame, clips: pl.DataFrame) -> pl.DataFrame:
    """Seconds of the clips that readers leave out: `clip_id, second, timestamp`, sorted."""
    given = disputed.select("clip_id", "second").unique()
    return _seconds(clips).join(given, on=["clip_id", "second"]).sort("clip_id", "second")


def placed_proposals(proposals: pl.DataFrame, clips: pl.DataFrame) -> pl.DataFrame:
    """`clip_id, second, x1…y2` as shares of the picture, `score, timestamp`; the best of a second first."""
    placed = normalised(proposals.select("clip_id", "second", *BOX_COLUMNS, "score"), clips)
    return placed.with_columns(pl.col("score").clip(0.0, 1.0).round(4)).sort(
        "clip_id", "timestamp", "score", *BOX_COLUMNS, descending=[False, False, True, *[False] * 4]
    )


def write_proposals(path: Path, placed: pl.DataFrame, *, offset: int = AVA_TIMESTAMP_OFFSET) -> None:
    """Write placed proposals as AVA's pickle; keys count seconds from `offset`."""
    stamp = (pl.col("second").cast(pl.Int32) + offset).cast(pl.String).str.zfill(4)
    keys = placed.select(key=pl.concat_str("clip_id", pl.lit(","), stamp))["key"]
    first = np.flatnonzero((keys != keys.shift(1)).fill_null(value=True).to_numpy())
    values = placed.select(*BOX_COLUMNS, "score").to_numpy()
    groups = np.split(values, first[1:]) if len(first) else []
    write_ava_pickle(path, dict(zip(keys.gather(first).to_list(), groups, strict=True)))


def write_csv(path: Path, table: pl.DataFrame) -> None:
    """Write a table without a header or quotes; lines end in LF."""
    table.write_csv(
        path, include_header=False, line_terminator="\n", quote_style="never", float_precision=DECIMALS
    )


def write_lines(path: Path, lines: pl.Series | Sequence[str]) -> None:
    """Write a text file, every line ending in LF."""
    write_csv(path, pl.DataFrame({"line": pl.Series(lines, dtype=pl.String)}))


def _seconds(clips: pl.DataFrame) -> pl.DataFrame:
    """Every second of the clips that has its context: `clip_id, second, timestamp`."""
    seconds = clips.with_columns(second=pl.int_ranges(0, pl.col("frames") // CLIP_FPS, dtype=pl.Int32))
    rows = seconds.explode("second", empty_as_null=False).filter(in_window())
    return rows.select("clip_id", "second", timestamp=pl.col("second") + AVA_TIMESTAMP_OFFSET)


def _predicted_text(placed: pl.DataFrame) -> pl.DataFrame:
    return as_text(placed).select("clip_id", "timestamp", *BOX_COLUMNS, pl.lit("").alias("empty"), "score")


def _write_frame_list(path: Path, clips: pl.DataFrame) -> None:
    videos = clips.select("clip_id", "frames", folder=pl.format("{}/{}_", "clip_id", "clip_id"))
    frames = videos.with_row_index("number").with_columns(frame=pl.int_ranges(0, pl.col("frames")))
    listed = frames.explode("frame", empty_as_null=False)
    number = (pl.col("frame") + 1).cast(pl.String).str.zfill(6)
    picture = pl.concat_str("folder", number, pl.lit(".jpg"))
    lines = listed.select("clip_id", "number", "frame", picture.alias("path"), labels=pl.lit('""'))
    with path.open("wb") as file:
        file.write(f"{FRAME_LIST_HEADER}\n".encode())
        lines.write_csv(file, include_header=False, line_terminator="\n", separator=" ", quote_style="never")
