"""Tracks of a batch: clip by clip, each kept as soon as it is done."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import asdict
from typing import Any

import polars as pl

from ava_core import __version__
from ava_core.base.progress import Progress, ProgressSink, ignore_progress
from ava_core.base.schemas import SET_ASIDE, TRACKS
from ava_core.base.work.choice import make_runner
from ava_core.base.work.runner import Advance, untold
from ava_core.batch import BatchContext
from ava_core.video.detection.cache import load_or_detect
from ava_core.video.detection.registry import runs_on_gpu
from ava_core.video.given import given_table
from ava_core.video.proposals.exchange import TRACKING_JSONS, write_tracking_jsons
from ava_core.video.tracking.parameters import TrackerParameters
from ava_core.video.tracking.track import track_detections

CLIPS_WORTH_A_WORKER = 16
"""Clips, which take .1 s of CPU time each where detections are kept; a worker takes .7 s to start."""
FORMAT_VERSION = 3
"""Raise when tracking changes its results: older tracks are then made again."""


def track_clips(at: BatchContext, clips: pl.DataFrame, sink: ProgressSink = ignore_progress) -> pl.DataFrame:
    """Track all clips (`schemas.CLIPS`); returns `schemas.TRACKS`.

    Each clip's tracks lie in `batches/<batch>/tracks/clips/<clip_id>.parquet` with a note of what made them; a
    run that was killed redoes only the clips without a note, and those whose clip or parameters changed. Also
    writes `tracking_jsons.zip`, and `set_aside.parquet` (`schemas.SET_ASIDE`) with the clips that could not be
    tracked. Tracks that were made elsewhere without detections stay as they are.
    """
    given = given_table(at, "tracks")
    tracks = _track(at, clips, sink) if given is None else given.join(clips, on="clip_id", how="semi")
    with at.storage.writing(at.folder("tracks") / TRACKING_JSONS) as path:
        write_tracking_jsons(path, clips, tracks)
    return tracks


def _track(at: BatchContext, clips: pl.DataFrame, sink: ProgressSink) -> pl.DataFrame:
    units = clips.sort("clip_id").to_dicts()
    progress = Progress("track", len(units), "clips", sink)
    runner = make_runner(
        at.settings,
        len(units),
        worth=len(units) / CLIPS_WORTH_A_WORKER,
        on_gpu=runs_on_gpu(at.settings),
    )
    outcomes = runner.run(functools.partial(track_clip, at), units, progress.advance)
    progress.finish()
    failed = [(clip["clip_id"], one.reason) for clip, one in zip(units, outcomes, strict=True) if one.reason]
    at.storage.write_table(
        at.storage.table_path(at.batch, "tracks", "set_aside"),
        pl.DataFrame(failed, schema=dict(SET_ASIDE), orient="row"),
    )
    tables = [one.result for one in outcomes if one.result is not None]
    return pl.concat([pl.DataFrame(schema=dict(TRACKS)), *tables])


def track_provenance(at: BatchContext) -> dict[str, Any]:
    """Detector, tracker and parameters of a batch's tracks, with the number of clips made so."""
    notes: dict[str, dict[str, Any]] = {}
    folder = at.folder("tracks") / "clips"
    for path in sorted(folder.glob("*.json")) if folder.exists() else ():
        note = json.loads(path.read_bytes())
        made_by = {name: note[name] for name in ("detector", "tracker", "ava_version")}
        entry = notes.setdefault(json.dumps(made_by, sort_keys=True), made_by | {"clips": 0})
        entry["clips"] += 1
    return {"made_by": list(notes.values())}


def track_clip(at: BatchContext, clip: dict[str, Any], advance: Advance = untold) -> pl.DataFrame:
    """Track one clip (a row of `schemas.CLIPS`), or read what is done already; returns `schemas.TRACKS`.

    A unit of work: detects where no detections are kept. Raises what stops the clip.
    """
    try:
        return _track_or_reuse(at, clip)
    finally:
        advance()


def _track_or_reuse(at: BatchContext, clip: dict[str, Any]) -> pl.DataFrame:
    storage, tracker = at.storage, at.settings.tracker
    parameters = TrackerParameters(start_score=at.settings.detection_threshold)
    folder = at.folder("tracks") / "clips"
    table_path, note_path = folder / f"{clip['clip_id']}.parquet", folder / f"{clip['clip_id']}.json"
    found = load_or_detect(at, clip)
    made_by = {
        "detector": found.provenance,
        "tracker": {"name": tracker, "version": FORMAT_VERSION, **asdict(parameters)},
        "ava_version": __version__,
    }
    key = hashlib.sha256(json.dumps([made_by, clip["sha256"]], sort_keys=True).encode()).hexdigest()
    if note_path.exists() and json.loads(note_path.read_bytes())["key"] == key:
        return storage.read_table(table_path)
    tracks = track_detections(found.boxes, found.sampled, parameters=parameters, backend=tracker)
    storage.write_table(table_path, tracks)
    storage.write_bytes(note_path, json.dumps(made_by | {"key": key}).encode())
    return tracks
