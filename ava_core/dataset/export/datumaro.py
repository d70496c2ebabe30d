"""Datumaro's `ava` format, in a folder of its own: it reads every csv named `…ava_…` there as annotations.

datumaro/annotations/ava_<split>_v2.2.csv, ava_action_list_v2.2.pbtxt (another dialect)
datumaro/frames/<video>/<video>_<timestamp>.jpg
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ava_core.base.files import link_or_copy
from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET
from ava_core.dataset.export.dataset import Dataset
from ava_core.dataset.export.layout import LABEL_MAP, write_csv
from ava_core.dataset.export.pictures import keyframes
from ava_core.dataset.export.rows import as_text
from ava_core.dataset.export.splits import SPLITS
from ava_core.ontology import Action, Group, Ontology
from ava_core.ontology.pbtxt import to_datumaro_pbtxt


def write_datumaro(folder: Path, dataset: Dataset) -> None:
    """Write `datumaro/`; splits without rows have no file there."""
    annotations, frames = folder / "datumaro" / "annotations", folder / "datumaro" / "frames"
    annotations.mkdir(parents=True)
    frames.mkdir()
    (annotations / LABEL_MAP).write_text(to_datumaro_pbtxt(without_gaps(dataset.ontology)), "utf-8")
    for split in SPLITS:
        rows = dataset.rows_of(split)
        if rows.height:
            write_csv(annotations / f"ava_{split}_v2.2.csv", as_text(rows))
    labelled = set(dataset.rows.select("video_id", "timestamp").unique().rows())
    for video, pictures in dataset.pictures.items():
        (frames / video).mkdir()
        for second, picture in keyframes(pictures):
            stamp = AVA_TIMESTAMP_OFFSET + second
            if (video, stamp) in labelled:
                link_or_copy(picture, frames / video / f"{video}_{stamp:04d}.jpg")


def without_gaps(ontology: Ontology) -> Ontology:
    """The ontology with a name for every id up to the highest: Datumaro numbers labels by their order."""
    known = {action.id for action in ontology.actions}
    unused = tuple(Action(n, f"unused {n}") for n in range(1, max(known)) if n not in known)
    filler = (Group("unused", "multi", unused),) if unused else ()
    return replace(ontology, groups=(*ontology.groups, *filler))
