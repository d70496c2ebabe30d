"""AVA-Kinetics: videos named `<name>_<start>_<end>`, timestamps from 0; mmaction2's `AVAKineticsDataset`.

The reader takes the length of a video from its id and never reads past its ends, so it is the clean way for
clips of any length. It holds every item to the range of the csv's last row, though, so a longest clip ends the csv:
then all pictures up to that length are within it, and a shorter clip's own last seconds have no rows. It looks
proposals up by the name without start and end.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, CLIP_FPS
from ava_core.dataset.formats.ava.frames import link_rawframes
from ava_core.dataset.formats.ava.labels import to_ava_pbtxt
from ava_core.dataset.formats.ava.names import SPLITS
from ava_core.dataset.formats.ava.proposals import placed_proposals, write_proposals
from ava_core.dataset.formats.ava.rows import as_text, excluded_seconds, timestamp_text
from ava_core.dataset.formats.ava.writer import write_csv
from ava_core.dataset.formats.dataset import Dataset
from ava_core.dataset.formats.kinetics import names


def write_kinetics(folder: Path, dataset: Dataset) -> None:
    """Write `kinetics/`."""
    (folder / names.ANNOTATIONS).mkdir(parents=True)
    (folder / names.LABEL_MAP).write_text(to_ava_pbtxt(dataset.ontology), "utf-8")
    ids = dict(dataset.clips.select("clip_id", names.kinetics_id("clip_id")).rows())
    from_zero = pl.col("timestamp") - AVA_TIMESTAMP_OFFSET
    for split in SPLITS:
        clips = dataset.clips_of(split)
        rows = _longest_last(dataset.rows_of(split), clips)
        named_rows = rows.with_columns(pl.col("video_id").replace_strict(ids), from_zero)
        write_csv(folder / names.rows_csv(split), as_text(named_rows))
        excluded = excluded_seconds(dataset.disputed, clips).with_columns(from_zero)
        named = excluded.select(pl.col("clip_id").replace_strict(ids), timestamp_text())
        write_csv(folder / names.excluded_csv(split), named)
        boxes = placed_proposals(dataset.proposals, clips)
        write_proposals(folder / names.proposals_pickle(split), boxes, offset=0)
    link_rawframes(folder / names.FOLDER, {ids[clip]: path for clip, path in dataset.pictures.items()})


def _longest_last(rows: pl.DataFrame, clips: pl.DataFrame) -> pl.DataFrame:
    """The rows in their order, those of the longest clip that has any after all others."""
    whole_seconds = dict(clips.select("clip_id", pl.col("frames") // CLIP_FPS).rows())
    longest = max(rows["video_id"].unique(), key=lambda clip: (whole_seconds[clip], clip), default="")
    return pl.concat([rows.filter(pl.col("video_id") != longest), rows.filter(pl.col("video_id") == longest)])
