"""A layout of your own: a JSON line for every labelled person, one file a split.

Register it in the `pyproject.toml` of your package, install the package, and choose `--flavour jsonl`:

    [project.entry-points."ava.layouts"]
    jsonl = "own_layout:LAYOUT"
"""

import json
from pathlib import Path

import polars as pl

from ava_core.dataset.formats.ava.names import SPLITS
from ava_core.dataset.formats.dataset import Dataset
from ava_core.dataset.formats.flavours import Flavour

BOX = ["x1", "y1", "x2", "y2"]


def write(folder: Path, dataset: Dataset) -> None:
    """Write `jsonl/<split>.jsonl` into the dataset's folder. Boxes are shares of the picture, as AVA's are."""
    (folder / "jsonl").mkdir()
    names = {action.id: action.name for action in dataset.ontology.actions}
    for split in SPLITS:
        people = (
            dataset.rows_of(split)
            .with_columns(action=pl.col("action_id").replace_strict(names, return_dtype=pl.String))
            .group_by("video_id", "timestamp", "person_id", *BOX, maintain_order=True)
            .agg(actions="action")
        )
        lines = [
            json.dumps({
                "clip": row["video_id"],
                "second": row["timestamp"],
                "person": row["person_id"],
                "box": [row[side] for side in BOX],
                "actions": row["actions"],
            })
            for row in people.iter_rows(named=True)
        ]  # fmt: skip
        (folder / "jsonl" / f"{split}.jsonl").write_text("".join(f"{line}\n" for line in lines))


LAYOUT = Flavour(write)
