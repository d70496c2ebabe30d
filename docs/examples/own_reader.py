"""A reader of your own: another tool's csv, in which several people labelled the same clips, becomes a dataset.

python docs/examples/own_reader.py LABELS.csv DATASET_FOLDER --ontology examples/actions.yaml

The csv has a header and a row for each person, second and action:

    clip,second,who,person,left,top,width,height,action
    gate_000,3,anna,1,410,220,60,150,walk

Boxes are in pixels of clips of 1280 × 720 at 30 frames a second. What the people said is measured and brought to a
consensus as if they had worked on the platform; the dataset's card says how far they agreed.
"""

import argparse
from pathlib import Path

import polars as pl

from ava_core.base.errors import InputError
from ava_core.dataset.formats.repairs import Repair
from ava_core.dataset.importing.imported import Imported, write_import
from ava_core.dataset.importing.work import clip_row, settle
from ava_core.ontology import Ontology, load_ontology

COLUMNS = {
    "clip": pl.String, "second": pl.Int32, "who": pl.String, "person": pl.Int32, "left": pl.Float64,
    "top": pl.Float64, "width": pl.Float64, "height": pl.Float64, "action": pl.String,
}  # fmt: skip
SIZE = (1280, 720)
FPS = 30
AT = ["clip_id", "annotator", "track_key", "second"]


def read(path: Path, ontology: Ontology) -> Imported:
    """Bring the csv's people to a consensus. Raises `InputError` naming the file and what is wrong in it."""
    try:
        rows = pl.read_csv(path, schema=COLUMNS)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: {error}", f"Its columns are {', '.join(COLUMNS)}.") from None
    known = {action.name: action for action in ontology.actions}
    strange = rows.filter(~pl.col("action").is_in(list(known)))
    repairs = []
    if strange.height:
        # Nothing is dropped in silence: the dataset's import.json lists what was left out.
        named = strange["action"][0]
        repairs.append(
            Repair(f"actions that {ontology.name} has not, such as {named!r}", "left out", strange.height)
        )
        rows = rows.filter(pl.col("action").is_in(list(known)))
    rows = rows.select(
        clip_id="clip", annotator="who", track_key=pl.format("t{}", "person"), second="second",
        x1="left", y1="top", x2=pl.col("left") + pl.col("width"), y2=pl.col("top") + pl.col("height"),
        action=pl.col("action").replace_strict({name: one.id for name, one in known.items()}),
        group=pl.col("action").replace_strict({name: ontology.group_of(one.id).name for name, one in known.items()}),
    )  # fmt: skip
    boxes = rows.unique(AT, keep="first", maintain_order=True).with_columns(
        seed_track_id=pl.lit(None), edited=pl.lit(value=True), flags=pl.lit([], dtype=pl.List(pl.String))
    )
    labels = rows.group_by(*AT, "group", maintain_order=True).agg(action_ids=pl.col("action").unique().sort())
    lengths = rows.group_by("clip_id").agg(pl.max("second")).sort("clip_id")
    # A clip goes on for two seconds after the last label: AVA's labels have that much context.
    clips = [clip_row(clip, (last + 3) * FPS, *SIZE) for clip, last in lengths.rows()]
    return settle(f"Import of {path.name}", clips, boxes, labels, ontology, repairs)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("csv", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ontology", default="street")
    arguments = parser.parse_args()
    imported = read(arguments.csv, load_ontology(arguments.ontology))
    # There are no pictures, so only layouts without them can be written.
    print(write_import(arguments.folder, imported, ["coco", "parquet"]))


if __name__ == "__main__":
    main()
