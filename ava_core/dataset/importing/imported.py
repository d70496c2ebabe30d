"""What was taken over, what was wrong with it, and how it is written as a dataset."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl

from ava_core.base.errors import ExportError, InputError
from ava_core.base.schemas import DISPUTED, empty
from ava_core.dataset.export.card import Card, write_card
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.dataset import Dataset
from ava_core.dataset.formats.flavours import DEFAULT, chosen_flavours, write_dataset
from ava_core.dataset.formats.repairs import Repair


@dataclass(frozen=True)
class Imported:
    """A dataset taken over; `repairs` in the order in which they were made.

    `work`: tables `raw_boxes`, `raw_labels`, `completed_jobs` of `ava_core.base.schemas`, `agreement`: tables of
    `agreement.measure`, where several annotators' work was found; `sized`: whether the pictures' size is known;
    `unusable`: `schemas.DISPUTED`, seconds that are left out whatever anybody says of them.
    """

    dataset: Dataset
    repairs: Sequence[Repair] = ()
    work: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    agreement: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    sized: bool = True
    unusable: pl.DataFrame = field(default_factory=lambda: empty(DISPUTED))


def write_import(folder: Path, imported: Imported, flavours: Collection[str] = DEFAULT) -> Path:
    """Write the dataset, its card, `import.json` with all repairs, and `work/` into the new folder `folder`.

    Nothing is left behind where it fails. Raises `InputError` where the folder exists, and `ExportError` where the
    dataset cannot be read by AVA's readers.
    """
    if folder.exists():
        raise InputError(f"{folder} already exists.", "Choose another folder.")
    if imported.dataset.rows.is_empty():
        raise ExportError("No labelled person remains.", "See the repairs listed above.")
    known = chosen_flavours(flavours)
    chosen = [name for name, flavour in known.items() if imported.sized or not flavour.pixels]
    folder.parent.mkdir(parents=True, exist_ok=True)
    staged = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    try:
        write_dataset(staged, imported.dataset, chosen)
        note = "\n".join(f"{each.defect}: {each.repair} ({each.rows} rows)." for each in imported.repairs)
        write_card(staged, Card(imported.dataset, note=note, agreement=imported.agreement))
        content = {"repairs": [asdict(each) for each in imported.repairs]}
        (staged / names.IMPORT_RECORD).write_text(json.dumps(content, indent=2) + "\n", "utf-8")
        if imported.work:
            (staged / names.IMPORTED_WORK).mkdir()
        for name, table in imported.work.items():
            table.write_parquet(staged / names.IMPORTED_WORK / f"{name}.parquet")
        staged.rename(folder)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return folder
