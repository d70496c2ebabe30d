"""An imported dataset as a batch: it is measured, reviewed, given to annotators and released like any other.

What its annotators said becomes readings of completed jobs, its persons become tracks. So everything that follows is
what follows for work that was done here; `imports.import_record` says that it was not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from ava_core import __version__
from ava_core.annotation.retrieve import read_completed
from ava_core.annotation.shapes import content_hash
from ava_core.annotation.tasks import job_table
from ava_core.base.errors import InputError
from ava_core.base.names import check_batch_name
from ava_core.base.schemas import CLIP_FPS, CLIPS, PROPOSALS, SOURCE_VIDEOS, TRACKS, conform
from ava_core.base.settings import Settings
from ava_core.batch import BatchContext, open_batch
from ava_core.dataset.export.batch import write_batch
from ava_core.dataset.export.imports import ImportRecord, keep_record
from ava_core.dataset.export.inputs import load_batch
from ava_core.dataset.formats.dataset import VIDEO_ID
from ava_core.dataset.formats.repairs import Repair
from ava_core.dataset.importing.imported import Imported
from ava_core.dataset.importing.media import bring_media
from ava_core.dataset.importing.shapes import said_in, shapes_by_job
from ava_core.decisions import approve, decision_state
from ava_core.quality.agreement.measure import measure_agreement
from ava_core.quality.consensus.batch import consensus_of_batch
from ava_core.store import Store, batches, imported_work, made_of, readings
from ava_core.video.given import Manifest, mark_given

GIVEN: Final = ("source_videos", "clips", "tracks", "dense_proposals")
"""Assets that come with a dataset: there is nothing here to make them from."""


@dataclass(frozen=True)
class ImportedBatch:
    """Of a batch that was imported: its clips, those with pictures at hand, its rows, and what did not fit."""

    at: BatchContext
    clips: int
    with_pictures: int
    labels: int
    repairs: Sequence[Repair]


def import_batch(
    settings: Settings,
    store: Store,
    name: str,
    imported: Imported,
    place: Path,
    actor: str,
    *,
    ontology: str = "",
    media: Path | None = None,
) -> ImportedBatch:
    """Make a batch of an import: its work counts as completed, and is approved by `actor`.

    `place`: what was imported, `ontology`: the name or file that it was read with, where it is not the setting's,
    `media`: where pictures or videos lie, named by the ids of the dataset's videos; by default `place`. Raises
    `InputError` where the name or an id is taken, or the size of the pictures is not known.
    """
    check_batch_name(name)
    dataset = imported.dataset
    _refuse_unfit(imported, store, name)
    boxes, labels, repairs = said_in(imported)
    used = set(boxes["clip_id"])
    options = {"clip_fit": "keep"} | ({"ontology": ontology} if ontology else {})
    at = BatchContext(name, settings.with_options(options), store=store, ontology=dataset.ontology)
    if at.folder("source_videos").exists():
        raise InputError(f"{at.folder('source_videos').parent} exists already.", "Choose another name.")
    clips = [
        {**clip, "batch": name, "sha256": hashlib.sha256(clip["clip_id"].encode()).hexdigest()}
        for clip in dataset.clips.sort("clip_id").to_dicts() if clip["clip_id"] in used
    ]  # fmt: skip
    before = pl.DataFrame(clips, schema=dict(CLIPS))
    repairs = [*repairs, *bring_media(at, clips, media or (place if place.is_dir() else place.parent))]
    table = pl.DataFrame(clips, schema=dict(CLIPS))
    boxes, proposals = (_resized(one, before, table) for one in (boxes, dataset.proposals))
    record = ImportRecord(
        place=str(place),
        repairs=[asdict(each) for each in (*imported.repairs, *repairs)],
        splits={} if imported.work else {video: dataset.split_of[video] for video in sorted(used)},
        unusable=imported.unusable.to_dicts(),
    )
    tracks = _tracks(boxes)
    _write_given(at, record, {
        "source_videos": _source_videos(name, clips, place), "clips": table, "tracks": tracks,
        "dense_proposals": conform(proposals, PROPOSALS, "proposals"),
    })  # fmt: skip
    _note_work(at, place, options, boxes, labels, table)
    approve(store, name, sorted(used), actor, f"imported from {place.name}")
    _follow(at, table)
    at = open_batch(settings, name, storage=at.storage, store=store)
    return ImportedBatch(at, len(clips), table.filter(pl.col("path") != "").height, labels.height, repairs)


def _refuse_unfit(imported: Imported, store: Store, name: str) -> None:
    """Raise `InputError` before anything is written."""
    clips = imported.dataset.clips
    if name in batches.names(store):
        raise InputError(f"Batch {name} exists already.", "Choose another name: --batch.")
    if not imported.sized:
        raise InputError(
            "No picture tells how large the videos are, which boxes of tasks and of agreement are measured in.",
            "Say it, --size 1280x720, or name the folder of their pictures or videos: --media.",
        )
    for clip in clips["clip_id"]:
        if not VIDEO_ID.fullmatch(clip):
            raise InputError(
                f"{clip!r} cannot be a video id.", "Rename the video: letters, digits, '_' and '-'."
            )
    if imported.dataset.rows.is_empty():
        raise InputError("No labelled person is left.", "See what was left out: the repairs are listed.")
    imported_work.refuse_taken(store, clips["clip_id"].to_list())


def _resized(boxes: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Boxes in pixels of clips as they are, once their pictures were looked at."""
    sizes = before.select("clip_id", "content_width", "content_height").join(
        after.select("clip_id", to_width="content_width", to_height="content_height"), on="clip_id"
    )
    across = pl.col("to_width") / pl.col("content_width")
    down = pl.col("to_height") / pl.col("content_height")
    joined = boxes.join(sizes, on="clip_id", maintain_order="left")
    return joined.with_columns(
        *(pl.col(side) * across for side in ("x1", "x2")), *(pl.col(side) * down for side in ("y1", "y2"))
    ).select(boxes.columns)


def _tracks(boxes: pl.DataFrame) -> pl.DataFrame:
    """`schemas.TRACKS` of the persons of a clip's first annotator; the others drew the same people."""
    first = boxes.filter(pl.col("annotator") == pl.col("annotator").min().over("clip_id"))
    table = first.with_columns(
        frame=pl.col("second") * CLIP_FPS, track_id=pl.col("track_key").rank("dense").over("clip_id"),
        score=pl.lit(1.0), interpolated=pl.lit(value=False),
    ).select(pl.col(name).cast(kind) for name, kind in TRACKS.items())  # fmt: skip
    return table.sort("clip_id", "track_id", "frame")


def _source_videos(batch: str, clips: Sequence[Mapping[str, Any]], place: Path) -> pl.DataFrame:
    """A row a video: nothing is known of the file that it was cut from."""
    rows = [
        dict.fromkeys(SOURCE_VIDEOS) | {
            "source_id": clip["source_id"], "batch": batch, "original_name": f"{place.name}: {clip['clip_id']}",
            "path": clip["path"], "sha256": clip["sha256"], "size_bytes": 0, "width": clip["content_width"],
            "height": clip["content_height"], "fps": float(CLIP_FPS), "duration_s": clip["duration_s"],
            "frames": clip["frames"], "status": "ok", "reason": "",
        }
        for clip in clips
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=dict(SOURCE_VIDEOS))


def _write_given(at: BatchContext, record: ImportRecord, tables: Mapping[str, pl.DataFrame]) -> None:
    for asset, table in tables.items():
        at.storage.write_table(at.storage.table_path(at.batch, asset), table)
    mark_given(at, Manifest(batch=at.batch, ava_version=__version__, settings={}, given=list(GIVEN)))
    keep_record(at.storage, at.batch, record)


def _note_work(
    at: BatchContext,
    place: Path,
    options: Mapping[str, Any],
    boxes: pl.DataFrame,
    labels: pl.DataFrame,
    clips: pl.DataFrame,
) -> None:
    """Register the batch, and keep what its annotators said as readings."""
    batches.add(at.store, at.batch, str(place), dict(options))
    for asset in (*GIVEN, "cvat_tasks"):
        made_of.note(at.store, at.batch, asset)
    frames = dict(clips.select("clip_id", "frames").iter_rows())
    crews = boxes.group_by("clip_id").agg(pl.col("annotator").unique())
    jobs = imported_work.put_work(at.store, at.batch, frames, dict(crews.iter_rows()))
    given = []
    for key, shapes in shapes_by_job(boxes, labels, at.ontology, frames):
        job = jobs[key]
        given.append({
            "job_id": job.job_id, "task_id": job.task_id, "annotator": job.annotator,
            "server_updated_at": job.server_updated_at, "content_hash": content_hash(shapes), "shapes": shapes,
        })  # fmt: skip
    readings.append_all(at.store, given)
    at.storage.write_table(at.storage.table_path(at.batch, "cvat_tasks"), job_table(at))


def _follow(at: BatchContext, clips: pl.DataFrame) -> None:
    """Make at once what the platform makes of completed and approved work; it makes the same anew when it runs."""
    raw = read_completed(at, clips)
    work = raw["raw_boxes"], raw["raw_labels"], raw["completed_jobs"]
    agreed = measure_agreement(*work, at.ontology, seed=at.settings.seed)
    consensus = consensus_of_batch(raw, at.ontology, decision_state(at.store, at.batch))
    for asset, tables in (("raw_annotations", raw), ("agreement", agreed), ("consensus_labels", consensus)):
        for name, table in tables.items():
            at.storage.write_table(at.storage.table_path(at.batch, asset, name), table)
    written = write_batch(at, load_batch(at))
    at.storage.write_table(at.storage.table_path(at.batch, "ava_csv"), written.rows)
