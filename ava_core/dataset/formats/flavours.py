"""Which layouts a dataset is written in: AVA's own always, the others by choice. A new format is entered here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Flavour:
    """A layout: how it is written, whether it holds pictures, and whether its boxes are in pixels."""

    write: Callable[[Path, Dataset], None]
    pictures: bool = False
    pixels: bool = False


FLAVOURS: Final[Mapping[str, Flavour]] = {
    "rawframes": Flavour(lambda folder, dataset: link_rawframes(folder, dataset.pictures), pictures=True),
    "keyframes": Flavour(lambda folder, dataset: link_keyframes(folder, dataset.pictures), pictures=True),
    "kinetics": Flavour(write_kinetics, pictures=True),
    "datumaro": Flavour(write_datumaro, pictures=True),
    "multisports": Flavour(write_multisports, pixels=True),
    "coco": Flavour(write_coco, pixels=True),
}
"""Layouts beside AVA's own, by name; pictures are hard links, so all of them together cost next to nothing."""

WITHOUT_PICTURES: Final = tuple(name for name, flavour in FLAVOURS.items() if not flavour.pictures)
"""Those that stay small where there are no hard links."""

IN_PIXELS: Final = tuple(name for name, flavour in FLAVOURS.items() if flavour.pixels)
"""Those that need to know how large the pictures are."""


def write_dataset(folder: Path, dataset: Dataset, flavours: Collection[str] = tuple(FLAVOURS)) -> None:
    """Write a dataset into the new folder `folder`; raises `ExportError` before anything is written."""
    unknown = sorted(set(flavours) - set(FLAVOURS))
    if unknown:
        raise ExportError(f"There is no flavour {unknown[0]!r}.", f"Choose from {', '.join(FLAVOURS)}.")
    dataset.refuse_unfit()
    write_annotations(folder, dataset)
    link_frames(folder, dataset.pictures)
    for flavour in sorted(set(flavours)):
        FLAVOURS[flavour].write(folder, dataset)
