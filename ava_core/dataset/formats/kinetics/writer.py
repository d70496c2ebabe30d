"""AVA-Kinetics: videos named `<name>_<start>_<end>`, timestamps from 0; mmaction2's `AVAKineticsDataset`.

The reader takes the length of a video from its id and never reads past its ends, so it is the clean way for
clips of any length. It looks proposals up by the name without start and end.

kinetics/annotations/kinetics_<split>_v1.0.csv, …_excluded_timestamps_v1.0.csv,
                     kinetics_dense_proposals_<split>.pkl, ava_action_list_v2.2.pbtxt
kinetics/rawframes/<name>_<start>_<end>/img_%05d.jpg      from 1
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, CLIP_FPS
from ava_core.dataset.export.splits import SPLITS
from ava_core.dataset.formats.ava.frames import link_rawframes
from ava_core.dataset.formats.ava.labels import to_ava_pbtxt
from ava_core.dataset.formats.ava.rows import as_text, timestamp_text
from ava_core.dataset.formats.ava.writer import (
    LABEL_MAP,
    excluded_seconds,
    placed_proposals,
    write_csv,
    write_proposals,
)
from ava_core.dataset.formats.dataset import Dataset


def write_kinetics(folder: Path, dataset: Dataset) -> None:
    """Write `kinetics/`."""
    annotations = folder / "kinetics" / "annotations"
    annotations.mkdir(parents=True)
    (annotations / LABEL_MAP).write_text(to_ava_pbtxt(dataset.ontology), "utf-8")
    names = dict(dataset.clips.select("clip_id", kinetics_id("clip_id")).rows())
    from_zero = pl.col("timestamp") - AVA_TIMESTAMP_OFFSET
    for split in SPLITS:
        clips = dataset.clips_of(split)
        rows = dataset.rows_of(split).with_columns(pl.col("video_id").replace_strict(names), from_zero)
        write_csv(annotations / f"kinetics_{split}_v1.0.csv", as_text(rows))
        excluded = excluded_seconds(dataset.disputed, clips).with_columns(from_zero)
        named = excluded.select(pl.col("clip_id").replace_strict(names), timestamp_text())
        write_csv(annotations / f"kinetics_{split}_excluded_timestamps_v1.0.csv", named)
        boxes = placed_proposals(dataset.proposals, clips)
        write_proposals(annotations / f"kinetics_dense_proposals_{split}.pkl", boxes, offset=0)
    pictures = {names[clip]: path for clip, path in dataset.pictures.items()}
    link_rawframes(folder / "kinetics", pictures)


def kinetics_id(name: str) -> pl.Expr:
    """`<name>_<first second>_<last second>` from the column `name` and `frames`; never of 11 characters.

    mmaction2 takes an id of 11 characters for a YouTube id, and its seconds for AVA's 900 to 1800.
    """
    seconds = (pl.col("frames") // CLIP_FPS).cast(pl.String).str.zfill(6)
    return pl.format("{}_000000_{}", name, seconds).alias("kinetics_id")
