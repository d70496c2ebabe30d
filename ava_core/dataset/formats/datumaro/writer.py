"""Datumaro's `ava` format, in a folder of its own: it reads every csv named `…ava_…` there as annotations."""

from __future__ import annotations

from pathlib import Path

from ava_core.base.files import link_or_copy
from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET
from ava_core.dataset.formats.ava.frames import keyframes
from ava_core.dataset.formats.ava.names import SPLITS
from ava_core.dataset.formats.ava.rows import as_text
from ava_core.dataset.formats.ava.writer import write_csv
from ava_core.dataset.formats.dataset import Dataset
from ava_core.dataset.formats.datumaro import names
from ava_core.dataset.formats.datumaro.labels import to_datumaro_pbtxt, without_gaps


def write_datumaro(folder: Path, dataset: Dataset) -> None:
    """Write `datumaro/`; splits without rows have no file there."""
    frames = folder / names.FRAMES
    (folder / names.ANNOTATIONS).mkdir(parents=True)
    frames.mkdir()
    (folder / names.LABEL_MAP).write_text(to_datumaro_pbtxt(without_gaps(dataset.ontology)), "utf-8")
    for split in SPLITS:
        rows = dataset.rows_of(split)
        if rows.height:
            write_csv(folder / names.rows_csv(split), as_text(rows))
    labelled = set(dataset.rows.select("video_id", "timestamp").unique().rows())
    for video, pictures in dataset.pictures.items():
        (frames / video).mkdir()
        for second, picture in keyframes(pictures):
            stamp = AVA_TIMESTAMP_OFFSET + second
            if (video, stamp) in labelled:
                link_or_copy(picture, frames / video / names.picture_name(video, stamp))
