"""What a layout must keep to: it is written beside others into a release that nobody changes afterwards."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ava_core.contract.broken import demand
from ava_core.contract.sample import sample_dataset
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.flavours import Flavour

NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
TAKEN: Final = (names.ANNOTATIONS, names.FRAME_LISTS, names.PLOTS)


def check_layout(name: str, flavour: Flavour) -> None:
    """Write a small dataset with the layout, twice.

    Checks that the name is a folder that releases don't use, that the layout writes files into a folder of that name
    and nowhere else, that it leaves the dataset's pictures and videos unmodified, that the same dataset gives the same
    bytes, and that it uses only the pictures and videos that it asks for.

    >>> from ava_core.dataset.formats.flavours import FLAVOURS
    >>> check_layout("coco", FLAVOURS["coco"])
    """
    demand(
        isinstance(flavour, Flavour),
        f"{name} is a {type(flavour).__name__}; it must be an ava_core.dataset.formats.flavours.Flavour.",
    )
    demand(bool(NAME.fullmatch(name)), f"{name!r} cannot name a folder of a release: use a-z, 0-9 and _.")
    demand(name not in TAKEN, f"{name}/ is a folder of every release; choose another name.")
    with TemporaryDirectory() as place:
        first, second, given = (Path(place) / each for each in ("first", "second", "given"))
        whole = sample_dataset(given)
        dataset = replace(
            whole,
            pictures=whole.pictures if flavour.pictures else {},
            videos=whole.videos if flavour.videos else {},
        )
        before = _sums(given)
        for folder in (first, second):
            folder.mkdir()
            flavour.write(folder, dataset)
        demand(_sums(given) == before, f"{name} changed pictures or videos of the dataset.")
        made = _sums(first)
        outside = sorted(file for file in made if Path(file).parts[0] != name)
        demand(not outside, f"{name} writes {(outside or [''])[0]}; all files must be in the folder {name}/.")
        demand(bool(made), f"{name} wrote no file.")
        again = _sums(second)
        differing = sorted(file for file in made | again if made.get(file) != again.get(file))
        demand(
            not differing,
            f"{name}: {(differing or [''])[0]} differs when the same dataset is written again; "
            "a release names the sum of every file.",
        )


def _sums(folder: Path) -> dict[str, str]:
    """Of every file below a folder, by its path in there, the sum of its bytes."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
