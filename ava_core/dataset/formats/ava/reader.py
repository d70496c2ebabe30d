"""A dataset's folder, read back: rows, frames, excluded seconds, predicted boxes, names of actions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.schemas import BOX_COLUMNS, Schema
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.labels import read_pbtxt
from ava_core.dataset.formats.ava.names import SPLITS
from ava_core.dataset.formats.ava.rows import ROWS
from ava_core.dataset.formats.cells import read_bytes, read_cells

EMPTY: Final = "empty"
"""The seventh column of predicted boxes, where annotations have the action."""


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
        raise InputError(f"{folder} has no {names.rows_csv('<split>')}.", "Give the folder of a dataset.")
    return pl.concat(found)


def frames_of(folder: Path, split: str) -> dict[str, int]:
    """Frames of every video of a split, from its frame list; none where there is no list."""
    path = folder / names.frame_list(split)
    return listed_frames(path) if path.is_file() else {}


def listed_frames(path: Path) -> dict[str, int]:
    """Frames of every video of a frame list. Raises `InputError` where it cannot be read."""
    try:
        listed = pl.read_csv(
            path, separator=" ", quote_char=None, columns=[0], infer_schema=False, truncate_ragged_lines=True
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read: {reason}.", "Write or remove it.") from None
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
        EMPTY: pl.String,
        "score": pl.Float64,
    }
    return _all_splits(folder, names.predicted_csv, schema).drop(EMPTY)


def action_names(path: Path) -> dict[int, str]:
    """Names of actions by id, from a label map or that of a dataset's folder; none where there is no label map."""
    path = path / names.LABEL_MAP if path.is_dir() else path
    if not path.is_file():
        return {}
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text.", "Save it as such.") from None
    return read_pbtxt(text, str(path))


def _all_splits(folder: Path, name: Callable[[str], str], schema: Schema) -> pl.DataFrame:
    """The rows of a csv of every split; a file that is not there, or empty, has none."""
    paths = [folder / name(split) for split in SPLITS]
    return pl.concat([pl.DataFrame(schema=dict(schema))] + [
        _read(path, schema) for path in paths if path.is_file()
    ])  # fmt: skip


def _read(path: Path, schema: Schema) -> pl.DataFrame:
    """A csv without a header. Raises `InputError` naming the line that is not as it should be."""
    try:
        if not path.stat().st_size:
            return pl.DataFrame(schema=dict(schema))
        rows = pl.read_csv(path, has_header=False, schema=dict(schema))
    except (pl.exceptions.PolarsError, OSError) as error:
        _refuse_line(path, schema)
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path} cannot be read: {reason}.", "`ava validate` says which lines are broken."
        ) from None
    required = [name for name in schema if name != EMPTY]
    if sum(rows.select(required).null_count().row(0)):
        _refuse_line(path, schema)
        raise InputError(f"{path} has empty cells.", "`ava validate` says which lines are broken.")
    return rows


def _refuse_line(path: Path, schema: Schema) -> None:
    """Raise `InputError` for the first line that lacks a cell, has one too many, or one of another kind."""
    cells = read_cells(read_bytes(path), tuple(schema))
    typed = cells.with_columns(pl.col(n).cast(kind, strict=False) for n, kind in schema.items())
    required = [pl.col(name).is_null() for name in schema if name != EMPTY]
    bad = typed.filter(pl.any_horizontal(*required, pl.col("extra").is_not_null()))
    if bad.is_empty():
        return
    line = bad["line"][0]
    if line == 1 and bad["video_id"][0] in ("video_id", "video", "vid"):
        raise InputError(f"{path}:1: a header, which AVA's readers do not expect.", "Remove the line.")
    raise InputError(f"{path}:{line}: the row is not {','.join(schema)}.", "Fix or remove it.")
