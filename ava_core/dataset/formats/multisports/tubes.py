"""Tubes: one person doing one action without a break, as boxes at every frame."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, BOX_COLUMNS, CLIP_FPS

Tube = npt.NDArray[np.float64]
"""`(N, 5)`: frame from 1, `x1 y1 x2 y2`."""


def tubes(rows: pl.DataFrame) -> Iterator[tuple[str, int, Tube]]:
    """Video, action and tube of every run of whole seconds, from `rows.ROW_COLUMNS`; boxes keep their unit.

    Between two keyframes the box moves linearly. An action at a single second gives a tube of one frame.
    """
    at = ["video_id", "person_id", "action_id"]
    ordered = rows.sort(*at, "timestamp")
    breaks = (pl.col("timestamp").diff() != 1).fill_null(value=True).over(at)
    runs = ordered.with_columns(run=breaks.cum_sum().over(at))
    for (video, _, action, _), run in runs.group_by([*at, "run"], maintain_order=True):
        seconds = run["timestamp"].to_numpy() - AVA_TIMESTAMP_OFFSET
        known = seconds * CLIP_FPS + 1
        frames = np.arange(known[0], known[-1] + 1)
        corners = [np.interp(frames, known, run[name].to_numpy()) for name in BOX_COLUMNS]
        yield str(video), int(str(action)), np.column_stack([frames, *corners])
