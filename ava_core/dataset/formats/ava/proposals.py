"""AVA's proposals: `{"<video>,<timestamp with four digits>": float array (N, 5)}`, `x1 y1 x2 y2 score` in [0, 1]."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.pickles import dumps_for_every_numpy
from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, BOX_COLUMNS
from ava_core.dataset.formats.ava.rows import normalised


def placed_proposals(proposals: pl.DataFrame, clips: pl.DataFrame) -> pl.DataFrame:
    """`clip_id, second, x1…y2` as shares of the picture, `score, timestamp`; the best of a second first."""
    placed = normalised(proposals.select("clip_id", "second", *BOX_COLUMNS, "score"), clips)
    return placed.with_columns(pl.col("score").clip(0.0, 1.0).round(4)).sort(
        "clip_id", "timestamp", "score", *BOX_COLUMNS, descending=[False, False, True, *[False] * 4]
    )


def write_proposals(path: Path, placed: pl.DataFrame, *, offset: int = AVA_TIMESTAMP_OFFSET) -> None:
    """Write placed proposals as AVA's pickle; keys count seconds from `offset`."""
    stamp = (pl.col("second").cast(pl.Int32) + offset).cast(pl.String).str.zfill(4)
    keys = placed.select(key=pl.concat_str("clip_id", pl.lit(","), stamp))["key"]
    first = np.flatnonzero((keys != keys.shift(1)).fill_null(value=True).to_numpy())
    values = placed.select(*BOX_COLUMNS, "score").to_numpy()
    groups = np.split(values, first[1:]) if len(first) else []
    write_ava_pickle(path, dict(zip(keys.gather(first).to_list(), groups, strict=True)))


def write_ava_pickle(path: Path, boxes: Mapping[str, npt.NDArray[np.float64]]) -> None:
    """Write boxes by key so that they load under numpy 1 and numpy 2 alike."""
    content = {key: np.ascontiguousarray(value, np.float64) for key, value in boxes.items()}
    path.write_bytes(dumps_for_every_numpy(content))
