"""A dataset's folder, read back: rows, frames, excluded seconds, predicted boxes, names of actions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.schemas import BOX_COLUMNS, Schema
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.labels import read_pbtxt
from ava_core.dataset.formats.ava.names import SPLITS
from ava_core.dataset.formats.ava.rows import ROWS


def read_rows(folder: Path) -> pl.DataFrame:
    """Rows of all splits: `ROWS`, and `split`. Raises `InputError` where there is no dataset, or a row is broken.

    Boxes are shares of the picture, `timestamp` is the AVA second.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     csv = Path(folder, "annotations", "ava_val_v2.2.csv")
    ...     csv.parent.mkdir()
    ...     _ = csv.write_text("gate_000,0904,0.100,0.200,0.300,0.900,12,1\\n")
    ...     read_rows(Path(folder)).select("split", "timestamp", "x2", "action_id").rows()
    [('val', 904, 0.3, 12)]
    """
    found = [
        _read(path, ROWS).with_columns(split=pl.lit(split))
        for split in SPLITS
        if (path := folder / names.rows_csv(split)).is_file()
    ]
    if not found:
        raise InputError(f"{folder} holds no {names.rows_csv('<split>')}.", "Give the folder of a dataset.")
    return pl.concat(found)


def frames_of(folder: Path, split: str) -> dict[str, int]:
    """Frames of every video of a split, from its frame list; none where there is no list."""
    path = folder / names.frame_list(split)
    if not path.is_file():
        return {}
    listed = pl.read_csv(path, separator=" ", quote_char=None, columns=[0])
    return dict(listed.group_by(listed.columns, maintain_order=True).len().rows())


def excluded_of(folder: Path) -> pl.DataFrame:
    """Excluded seconds of all splits: `video_id, timestamp`."""
    schema: Schema = {"video_id": pl.String, "timestamp": pl.Int32}
    return _all_splits(folder, names.excluded_csv, schema)


def predicted_of(folder: Path) -> pl.DataFrame:
    """Predicted boxes of all splits: `video_id, timestamp, x1, y1, x2, y2, score`."""
    schema: Schema = {
        "video_id": pl.String,
        "timestamp": pl.Int32,
        **dict.fromkeys(BOX_COLUMNS, pl.Float64),
        "empty": pl.String,
        "score": pl.Float64,
    }
    return _all_splits(folder, names.predicted_csv, schema).drop("empty")


def action_names(folder: Path) -> dict[int, str]:
    """Names of actions by id, from the label map; none where there is no label map."""
    path = folder / names.LABEL_MAP
    return read_pbtxt(path.read_text("utf-8"), str(path)) if path.is_file() else {}


def _all_splits(folder: Path, name: Callable[[str], str], schema: Schema) -> pl.DataFrame:
    """The rows of a csv of every split; a file that is not there, or empty, has none."""
    paths = [folder / name(split) for split in SPLITS]
    return pl.concat([pl.DataFrame(schema=dict(schema))] + [
        _read(path, schema) for path in paths if path.is_file()
    ])  # fmt: skip


def _read(path: Path, schema: Schema) -> pl.DataFrame:
    if not path.stat().st_size:
        return pl.DataFrame(schema=dict(schema))
    try:
        return pl.read_csv(path, has_header=False, schema=dict(schema))
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path} cannot be read: {reason}.", "`ava validate` says which lines are broken."
        ) from None
