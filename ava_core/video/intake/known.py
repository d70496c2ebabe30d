"""Whether a video is known already: what was taken in is noted by its content."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import polars as pl

from ava_core.base.schemas import USABLE
from ava_core.batch import BatchContext
from ava_core.store import taken_in

Known: TypeAlias = Callable[[str], str]
"""Says, in words, where a usable video of this content (its SHA-256) was taken in; "" where none was."""


def nowhere(sha256: str) -> str:
    """Nothing is known."""
    return ""


def known_sources(at: BatchContext) -> Known:
    """Looks among the source videos of other batches; those of which an earlier version took no note are noted."""
    for batch in taken_in.not_noted(at.store):
        path = at.storage.table_path(batch, taken_in.SOURCE_VIDEOS)
        if path.exists():
            note_sources(BatchContext(batch, at.settings, store=at.store), at.storage.read_table(path))
    return partial(taken_in.where, at.store, except_batch=at.batch)


def note_sources(at: BatchContext, source_videos: pl.DataFrame) -> None:
    """Note what a batch took in (`schemas.SOURCE_VIDEOS`), for others to know it by its content."""
    taken_in.note(at.store, at.batch, source_videos.select("source_id", "sha256", USABLE).rows())
