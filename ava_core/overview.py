"""How far each batch is: counts along the stages, from the assets' tables and the database."""

from __future__ import annotations

import polars as pl

from ava_core.decisions import decision_state
from ava_core.storage import Storage
from ava_core.store import Store, tasks

STAGES = ("videos", "clips", "tracks", "tasks", "jobs done", "approved", "released rows")


def batch_counts(storage: Storage, store: Store, batch: str) -> dict[str, int | None]:
    """Counts of one batch by stage; `None` where that stage has not run."""
    sources = _table(storage, batch, "source_videos")
    clips = _table(storage, batch, "clips")
    tracks = _table(storage, batch, "tracks")
    rows = _table(storage, batch, "ava_csv")
    jobs = tasks.job_counts(store, batch)
    return {
        "videos": None if sources is None else sources.filter(pl.col("status") == "ok").height,
        "clips": None if clips is None else clips.height,
        "tracks": None if tracks is None else tracks.select("clip_id", "track_id").n_unique(),
        "tasks": jobs.tasks or None,
        "jobs done": jobs.completed if jobs.tasks else None,
        "approved": len(decision_state(store, batch).approved) or None,
        "released rows": None if rows is None else rows.height,
    }


def _table(storage: Storage, batch: str, asset: str) -> pl.DataFrame | None:
    path = storage.table_path(batch, asset)
    return storage.read_table(path) if path.exists() else None
