"""Reading a dataset folder back: rows, frames, excluded seconds."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ava_core.errors import InputError
from ava_core.export.splits import SPLITS
from ava_core.tables import BOX_COLUMNS, Schema

ROWS: Schema = {
    "video_id": pl.String,
    "timestamp": pl.Int32,
    **dict.fromkeys(BOX_COLUMNS, pl.Float64),
    "action_id": pl.Int32,
    "person_id": pl.Int32,
}
"""`rows.ROW_COLUMNS` with their types."""


def read_rows(folder: Path) -> pl.DataFrame:
    """Rows of all splits: `ROWS`, and `split`. Raises `InputError` where there is no dataset, or a row is broken."""
    found = [
        read_annotations(path).with_columns(split=pl.lit(split))
        for split in SPLITS
        if (path := folder / "annotations" / f"ava_{split}_v2.2.csv").is_file()
    ]
    if not found:
        raise InputError(
            f"{folder} holds no annotations/ava_<split>_v2.2.csv.", "Give the folder of a dataset."
        )
    return pl.concat(found)


def read_annotations(path: Path) -> pl.DataFrame:
    """Rows of one annotation csv: `ROWS`. Raises `InputError` naming the file."""
    try:
        return pl.read_csv(path, has_header=False, schema=dict(ROWS))
    except pl.exceptions.NoDataError:
        return pl.DataFrame(schema=dict(ROWS))
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path} cannot be read: {reason}.", "`ava validate` says which lines are broken."
        ) from None


def frames_of(folder: Path, split: str) -> dict[str, int]:
    """Frames of every video of a split, from its frame list; none where there is no list."""
    path = folder / "frame_lists" / f"{split}.csv"
    if not path.is_file():
        return {}
    listed = pl.read_csv(path, separator=" ", quote_char=None, columns=[0], new_columns=["video_id"])
    return dict(listed.group_by("video_id", maintain_order=True).len().rows())


def excluded_of(folder: Path, split: str) -> pl.DataFrame:
    """Excluded seconds of a split: `video_id, timestamp`."""
    schema = {"video_id": pl.String, "timestamp": pl.Int32}
    path = folder / "annotations" / f"ava_{split}_excluded_timestamps_v2.2.csv"
    if not path.is_file() or not path.stat().st_size:
        return pl.DataFrame(schema=schema)
    return pl.read_csv(path, has_header=False, schema=schema)
