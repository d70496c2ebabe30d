"""Which layouts a dataset is written in: AVA's own always, the others by choice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final

from ava_core.base.errors import ExportError
from ava_core.dataset.formats.ava.frames import link_frames, link_keyframes, link_rawframes
from ava_core.dataset.formats.ava.writer import write_annotations
from ava_core.dataset.formats.coco.writer import write_coco
from ava_core.dataset.formats.dataset import Dataset
from ava_core.dataset.formats.datumaro.writer import write_datumaro
from ava_core.dataset.formats.kinetics.writer import write_kinetics
from ava_core.dataset.formats.multisports.writer import write_multisports

FLAVOURS: Final[Mapping[str, Callable[[Path, Dataset], None]]] = {
    "rawframes": lambda folder, dataset: link_rawframes(folder, dataset.pictures),
    "keyframes": lambda folder, dataset: link_keyframes(folder, dataset.pictures),
    "kinetics": write_kinetics,
    "datumaro": write_datumaro,
    "multisports": write_multisports,
    "coco": write_coco,
}
"""Layouts beside AVA's own, by name; pictures are hard links, so all of them together cost next to nothing."""


WITHOUT_PICTURES: Final = ("multisports", "coco")
"""Those that stay small where there are no hard links."""


def write_dataset(folder: Path, dataset: Dataset, flavours: Collection[str] = tuple(FLAVOURS)) -> None:
    """Write a dataset into the new folder `folder`; raises `ExportError` before anything is written."""
    unknown = sorted(set(flavours) - set(FLAVOURS))
    if unknown:
        raise ExportError(f"There is no flavour {unknown[0]!r}.", f"Choose from {', '.join(FLAVOURS)}.")
    dataset.refuse_unfit()
    write_annotations(folder, dataset)
    link_frames(folder, dataset.pictures)
    for flavour in sorted(set(flavours)):
        FLAVOURS[flavour](folder, dataset)
