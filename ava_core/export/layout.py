"""The files of a dataset, as SlowFast, mmaction2, pytorchvideo, AlphAction and the AVA evaluation read them.

annotations/ava_<split>_v2.2.csv, …_excluded_timestamps_v2.2.csv, …_predicted_boxes.csv,
            ava_dense_proposals_<split>.pkl, ava_action_list_v2.2.pbtxt, ava_file_names_<split>.txt,
            ava_included_timestamps_v2.2.txt
frame_lists/<split>.csv        frames/<video>/<video>_%06d.jpg from 1, 30 fps
rawframes/<video>/img_%05d.jpg the same files, hard-linked      keyframes/<video>/<second>.jpg
AVA_dataset.csv                all splits in one
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from ava_core.export.rows import coordinate_text, in_window, normalised, timestamp_text
from ava_core.export.splits import SPLITS
from ava_core.ontology import Ontology
from ava_core.ontology.pbtxt import to_ava_pbtxt
from ava_core.proposals.pickles import write_ava_pickle
from ava_core.tables import AVA_TIMESTAMP_OFFSET, BOX_COLUMNS, CLIP_FPS

FRAME_LIST_HEADER: Final = "original_vido_id video_id frame_id path labels"
"""As SlowFast and pytorchvideo expect it, spelling included."""


def write_annotations(
    folder: Path,
    rows: pl.DataFrame,
    clips: pl.DataFrame,
    proposals: pl.DataFrame,
    disputed: pl.DataFrame,
    split_of: Mapping[str, str],
    ontology: Ontology,
) -> None:
    """Write everything but pictures.

    `rows`: `rows.ROW_COLUMNS`; `clips`, `proposals`, `disputed` as in `ava_core.tables`; `split_of`: the split
    of each clip that has rows. Readers want the same videos in csv and frame list, so other clips stay out.
    """
    annotations, frame_lists = folder / "annotations", folder / "frame_lists"
    annotations.mkdir(parents=True)
    frame_lists.mkdir()
    (annotations / "ava_action_list_v2.2.pbtxt").write_text(to_ava_pbtxt(ontology), "utf-8")
    used = clips.filter(pl.col("clip_id").is_in(list(split_of))).sort("clip_id")
    stamps = sorted(set(_seconds(used)["timestamp"]))
    (annotations / "ava_included_timestamps_v2.2.txt").write_text("".join(f"{t:04d}\n" for t in stamps))
    for split in SPLITS:
        own = used.filter(pl.col("clip_id").replace_strict(dict(split_of), default="") == split)
        ids = own["clip_id"].to_list()
        _write_csv(
            annotations / f"ava_{split}_v2.2.csv", row_text(rows.filter(pl.col("video_id").is_in(ids)))
        )
        _write_excluded(annotations / f"ava_{split}_excluded_timestamps_v2.2.csv", disputed, own)
        _write_proposals(annotations, split, proposals, own)
        (annotations / f"ava_file_names_{split}.txt").write_text("".join(f"{i}\n" for i in ids))
        _write_frame_list(frame_lists / f"{split}.csv", own)
    _write_csv(folder / "AVA_dataset.csv", row_text(rows))


def row_text(rows: pl.DataFrame) -> pl.DataFrame:
    """Annotation rows with coordinates and timestamps as text."""
    return rows.with_columns(timestamp_text(), *coordinate_text())


def link_pictures(folder: Path, video_id: str, frames: Path) -> int:
    """Put a clip's pictures (`frames/<video>_%06d.jpg`) into all layouts; returns how many there are."""
    pictures = sorted(frames.glob("*.jpg"))
    own, raw, keys = (folder / kind / video_id for kind in ("frames", "rawframes", "keyframes"))
    for target in (own, raw, keys):
        target.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures, start=1):
        link_or_copy(picture, own / f"{video_id}_{number:06d}.jpg")
        link_or_copy(picture, raw / f"img_{number:05d}.jpg")
        if (number - 1) % CLIP_FPS == 0:
            link_or_copy(picture, keys / f"{AVA_TIMESTAMP_OFFSET + (number - 1) // CLIP_FPS}.jpg")
    return len(pictures)


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link where the file system allows, a copy elsewhere; what is there already stays."""
    if target.exists():
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _seconds(clips: pl.DataFrame) -> pl.DataFrame:
    """Every second of the clips that has its context: `clip_id, second, timestamp`."""
    seconds = clips.with_columns(second=pl.int_ranges(0, pl.col("frames") // CLIP_FPS))
    rows = seconds.explode("second", empty_as_null=False).filter(in_window())
    return rows.select("clip_id", "second", timestamp=pl.col("second").cast(pl.Int32) + AVA_TIMESTAMP_OFFSET)


def _write_excluded(path: Path, disputed: pl.DataFrame, clips: pl.DataFrame) -> None:
    known = _seconds(clips).join(disputed.select("clip_id", "second").unique(), on=["clip_id", "second"])
    _write_csv(path, known.sort("clip_id", "second").select("clip_id", timestamp_text()))


def _write_proposals(folder: Path, split: str, proposals: pl.DataFrame, clips: pl.DataFrame) -> None:
    placed = normalised(proposals.select("clip_id", "second", *BOX_COLUMNS, "score"), clips)
    placed = placed.with_columns(pl.col("score").clip(0.0, 1.0).round(4)).sort(
        "clip_id", "timestamp", "score", descending=[False, False, True]
    )
    key = pl.concat_str("clip_id", pl.lit(","), timestamp_text()).alias("key")
    keyed = placed.select(key, *BOX_COLUMNS, "score")
    boxes = {
        str(key): group.select(*BOX_COLUMNS, "score").to_numpy().astype(np.float64)
        for (key,), group in keyed.group_by(["key"], maintain_order=True)
    }
    write_ava_pickle(folder / f"ava_dense_proposals_{split}.pkl", boxes)
    lines = placed.select(
        "clip_id", timestamp_text(), *coordinate_text(), empty=pl.lit(""), score=pl.col("score").round(4)
    )
    _write_csv(folder / f"ava_{split}_predicted_boxes.csv", lines)


def _write_frame_list(path: Path, clips: pl.DataFrame) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(FRAME_LIST_HEADER + "\n")
        for number, (clip_id, frames) in enumerate(clips.select("clip_id", "frames").rows()):
            file.writelines(
                f'{clip_id} {number} {frame} {clip_id}/{clip_id}_{frame + 1:06d}.jpg ""\n'
                for frame in range(frames)
            )


def _write_csv(path: Path, table: pl.DataFrame) -> None:
    table.write_csv(path, include_header=False, quote_style="never", line_terminator="\n", null_value="")
