"""Which layouts a dataset is written in: annotations always, the others by choice. A format of ours is entered here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from ava_core.base.errors import AvaError, ExportError
from ava_core.base.plugins import load_plugin, plugin_names, refused
from ava_core.dataset.formats.ava.frames import link_frames, link_keyframes, link_rawframes
from ava_core.dataset.formats.ava.writer import write_annotations
from ava_core.dataset.formats.coco.writer import write_coco
from ava_core.dataset.formats.dataset import Dataset
from ava_core.dataset.formats.datumaro.writer import write_datumaro
from ava_core.dataset.formats.kinetics.writer import write_kinetics
from ava_core.dataset.formats.multisports.writer import write_multisports
from ava_core.dataset.formats.parquet.writer import write_parquet
from ava_core.dataset.formats.seconds.writer import write_seconds
from ava_core.dataset.formats.shards.writer import write_shards
from ava_core.dataset.formats.videos.writer import write_videos


@dataclass(frozen=True)
class Flavour:
    """A layout: its writer and its contents.

    `pictures`: the pictures needed of each clip, none for ""; `labelled` means keyframes with labels. `videos`:
    whether it needs the clips' files. `pixels`: whether its boxes are in pixels. `packs`, `encodes`: whether it copies
    pictures or videos into tar files, or encodes them again; other layouts use hard links. `write` gets the dataset's
    folder and the dataset, and writes into a subfolder with the layout's name.
    """

    write: Callable[[Path, Dataset], None]
    pictures: Literal["", "all", "keyframes", "labelled"] = ""
    videos: bool = False
    pixels: bool = False
    packs: bool = False
    encodes: bool = False


FLAVOURS: Final[Mapping[str, Flavour]] = {
    "frames": Flavour(lambda folder, dataset: link_frames(folder, dataset.pictures), pictures="all"),
    "rawframes": Flavour(lambda folder, dataset: link_rawframes(folder, dataset.pictures), pictures="all"),
    "keyframes": Flavour(
        lambda folder, dataset: link_keyframes(folder, dataset.pictures), pictures="keyframes"
    ),
    "kinetics": Flavour(write_kinetics, pictures="all"),
    "datumaro": Flavour(write_datumaro, pictures="labelled"),
    "multisports": Flavour(write_multisports, pixels=True),
    "coco": Flavour(write_coco, pixels=True),
    "parquet": Flavour(write_parquet),
    "videos": Flavour(write_videos, videos=True),
    "seconds": Flavour(write_seconds, videos=True, encodes=True),
    "shards": Flavour(write_shards, videos=True, packs=True),
}
"""Layouts beside AVA's annotations, by name; but for `seconds` and `shards` they are hard links, and cost little."""

DEFAULT: Final = tuple(name for name, flavour in FLAVOURS.items() if not flavour.videos)
"""Those that are written where nobody chooses: what needs no more than pictures."""

WITHOUT_LINKS: Final = ("frames", *(name for name in DEFAULT if not FLAVOURS[name].pictures))
"""Those that stay small where there are no hard links: every picture once."""


def flavour_names() -> list[str]:
    """Layouts that may be chosen: the shipped ones, then those that installed packages add."""
    return [*FLAVOURS, *added_names()]


def added_names() -> list[str]:
    """Layouts that installed packages add, by name alone: nothing of theirs is imported, so their size is not known."""
    return [name for name in plugin_names("layouts") if name not in FLAVOURS]


def chosen_flavours(flavours: Collection[str]) -> dict[str, Flavour]:
    """The layouts of these names, by name.

    Raises `ExportError` for a name that there is not, and `PluginError` where the package that adds it is broken.
    """
    return {name: FLAVOURS.get(name) or added_flavour(name) for name in sorted(set(flavours))}


def added_flavour(name: str) -> Flavour:
    """The layout that a package adds by that name; raises as `chosen_flavours` does."""
    flavour = load_plugin("layouts", name)
    if flavour is None:
        raise ExportError(f"There is no flavour {name!r}.", f"Choose from {', '.join(flavour_names())}.")
    if not isinstance(flavour, Flavour):
        raise refused("layouts", name, f"is a {type(flavour).__name__}, not a Flavour")
    return flavour


def write_dataset(folder: Path, dataset: Dataset, flavours: Collection[str] = DEFAULT) -> None:
    """Write a dataset into the new folder `folder`; raises `ExportError` before anything is written, and `PluginError`
    where the layout of a package breaks.
    """
    chosen = chosen_flavours(flavours)
    lacking = sorted(set(dataset.split_of) - set(dataset.videos))
    for name, flavour in chosen.items():
        if flavour.videos and lacking:
            raise ExportError(
                f"There is no video of clip {lacking[0]}, which {name} need.", "Choose other flavours."
            )
    dataset.refuse_unfit()
    write_annotations(folder, dataset)
    for name, flavour in chosen.items():
        _write(name, flavour, folder, dataset)


def _write(name: str, flavour: Flavour, folder: Path, dataset: Dataset) -> None:
    try:
        flavour.write(folder, dataset)
    except (AvaError, OSError):
        raise
    except Exception as error:
        if name in FLAVOURS:
            raise
        raise refused("layouts", name, f"cannot be written: {type(error).__name__}: {error}") from error
