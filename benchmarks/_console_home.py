"""A home as some months of work leave it: 200 batches with all their tables, jobs, decisions, releases.

The work of one ordinary batch and of one big one is planted and measured as the assets do it; every other batch is
a copy under its own names. What stands in a table of the storage stands in the database as well. Planting all of
it anew takes a minute or two, so nothing is kept between two runs.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import polars as pl
from sqlalchemy import insert

from ava_core.annotation.rules import broken_rules, load_rules
from ava_core.base.schemas import CLIP_FPS, CLIPS, RAW_BOXES, RAW_LABELS, SOURCE_VIDEOS, conform, empty
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.dataset.formats.ava.rows import annotation_rows
from ava_core.ontology import Ontology
from ava_core.quality.agreement.build import match_work
from ava_core.quality.agreement.measure import measure_work
from ava_core.quality.consensus.form import form_from_work
from ava_core.quality.review.audits import start_audit
from ava_core.store.tables import Project
from ava_core.video.media.frames import jpeg
from ava_core.video.proposals.keyframes import keyframe_proposals
from benchmarks._console_releases import write_releases
from benchmarks._console_rows import write_annotations_table, write_audit_log, write_people, write_rows
from benchmarks._console_work import (
    AUDITED,
    BATCH_MARK,
    BIG_CREW,
    CREW,
    HEIGHT,
    PEOPLE,
    SECONDS,
    WIDTH,
    Size,
    Tables,
    Work,
    big_work,
    completed_jobs,
    cvat_jobs,
    marked_work,
    names_of,
    renamed,
    tracks_of,
)
from tests.support.home import Home
from tests.support.planted_work import good_annotators, plant
from tests.support.videos import picture_of, write_video


def make_home(home: Home, size: Size) -> None:
    """Plant everything into an empty home."""
    settings, store, storage, ontology = home.settings, home.store, home.storage, home.ontology
    ordinary = marked_work(plant(
        good_annotators(CREW, 1), seed=1, clips=size.clips, seconds=SECONDS, people=PEOPLE, ontology=ontology
    ))  # fmt: skip
    works = {stage: Work(ordinary, CREW, stage) for stage in ("released", "review", "open")}
    big = Work(big_work(size, ontology), BIG_CREW, "review")
    made = {stage: _tables(work, ontology) for stage, work in works.items()} | {"big": _tables(big, ontology)}
    write_people(home)
    files = {stage: _files(tables) for stage, tables in made.items() if stage != "big"}
    with store.session() as session:
        session.execute(insert(Project), [{"project_id": 1, "name": settings.cvat_project}])
        for number, name in enumerate(size.names):
            stage = size.stage(number)
            work = big if name == size.big else works[stage]
            names = names_of(work, number)
            if work is big:
                home.write_tables(name, {key: renamed(table, names) for key, table in made["big"].items()})
            else:
                for (asset, table), content in files[stage].items():
                    storage.write_bytes(storage.table_path(name, asset, table), _copied(content, names))
            write_rows(session, settings, work, number, names)
    write_annotations_table(store, size.annotation_rows)
    write_audit_log(store, size)
    blind = {name: renamed(made["big"]["consensus_labels", name], names_of(big, size.batches - 1))
             for name in ("consensus_boxes", "consensus_labels", "disputed")}  # fmt: skip
    at = BatchContext(size.big, settings, store=store, ontology=ontology)
    start_audit(at, blind, size=AUDITED, seed=0, actor="reviewer_0")
    _media(storage, size, names_of(big, size.batches - 1), big.clips)
    write_releases(settings, storage, store, size, ontology, made["released"])


def _files(tables: Tables) -> dict[tuple[str, str], bytes]:
    """The content of a parquet file of each table, not compressed: see `_copied`."""
    found = {}
    for key, table in tables.items():
        file = io.BytesIO()
        table.write_parquet(file, compression="uncompressed")
        found[key] = file.getvalue()
    return found


def _copied(file: bytes, names: Mapping[str, str]) -> bytes:
    """A parquet file with names in the place of marks that are as long: thousands are made in seconds."""
    for mark, name in names.items():
        if len(mark) != len(name):
            raise ValueError(f"{name} is not as long as {mark}")
        file = file.replace(mark.encode(), name.encode())
    return file


def _tables(work: Work, ontology: Ontology) -> Tables:
    """What the assets of a batch leave behind."""
    done = pl.col("clip_id").is_in(work.done)
    boxes, labels, completed = (
        table.filter(done)
        for table in (work.planted.raw_boxes, work.planted.raw_labels, completed_jobs(work))
    )
    clips, tracks = _clips(work.clips), tracks_of(work.planted.true_boxes)
    matched = match_work(boxes, labels, completed, ontology)
    formed = form_from_work(matched, approved=work.approved)
    raw = {
        "raw_boxes": boxes, "raw_labels": labels, "completed_jobs": completed,
        "rule_findings": broken_rules(boxes, labels, load_rules("", ontology), ontology, {}),
        "expert_boxes": empty(RAW_BOXES), "expert_labels": empty(RAW_LABELS),
        "expert_clips": empty({"clip_id": pl.String, "annotator": pl.String}),
    }  # fmt: skip
    found = {
        ("source_videos", ""): _sources(work.clips),
        ("clips", ""): clips,
        ("tracks", ""): tracks,
        ("dense_proposals", ""): keyframe_proposals(clips, tracks),
        ("cvat_tasks", ""): cvat_jobs(work),
        **{("raw_annotations", name): table for name, table in raw.items()},
        **{("agreement", name): table for name, table in measure_work(matched, gold=work.gold).items()},
    }
    if work.approved:
        rows = annotation_rows(
            formed["consensus_boxes"], formed["consensus_labels"], clips, formed["disputed"]
        )
        found |= {("consensus_labels", name): table for name, table in formed.items()}
        found[("ava_csv", "")] = rows
    return found


def _source(clip: str) -> str:
    return clip.rsplit("_", 1)[0]


def _sources(clips: list[str]) -> pl.DataFrame:
    """One video for some clips, and one that cannot be read."""
    rows = [
        {"source_id": source, "batch": BATCH_MARK, "original_name": f"{source.rsplit('_')[-1]}.mp4", "status": "ok",
         "path": f"batches/{BATCH_MARK}/source_videos/files/{source}.mp4", "reason": "", "codec": "h264",
         "sha256": f"{number:064x}", "size_bytes": 50_000_000, "container": "mov", "pixel_format": "yuv420p",
         "width": 1920, "height": 1080, "rotation": 0, "fps": 25.0, "variable_rate": False, "duration_s": 360.0}
        for number, source in enumerate(sorted({_source(clip) for clip in clips}))
    ]  # fmt: skip
    broken = {
        "source_id": f"{BATCH_MARK}_broken",
        "original_name": "broken.mp4",
        "status": "quarantined",
        "reason": "it holds no picture that can be decoded",
    }
    rows.append(dict.fromkeys(SOURCE_VIDEOS) | {"batch": BATCH_MARK, "path": "", **broken})
    return conform(pl.DataFrame(rows, infer_schema_length=None), SOURCE_VIDEOS, "source videos")


def _clips(clips: list[str]) -> pl.DataFrame:
    rows = [
        {"clip_id": clip, "source_id": _source(clip), "batch": BATCH_MARK, "index": int(clip[-3:]),
         "start_s": float(SECONDS * int(clip[-3:])), "duration_s": float(SECONDS), "frames": SECONDS * CLIP_FPS,
         "width": WIDTH, "height": HEIGHT, "scale_x": 2 / 3, "scale_y": 2 / 3, "pad_x": 0, "pad_y": 0,
         "content_width": WIDTH, "content_height": HEIGHT,
         "path": f"batches/{BATCH_MARK}/clips/files/{clip}.mp4", "sha256": f"{number:064x}"}
        for number, clip in enumerate(clips)
    ]  # fmt: skip
    return conform(pl.DataFrame(rows), CLIPS, "clips")


def _media(storage: Storage, size: Size, names: Mapping[str, str], clips: list[str]) -> None:
    """Clips that play, all of them the same video, and keyframes of those that the batch's page shows."""
    batch = names[BATCH_MARK]
    ids = [clip.replace(BATCH_MARK, batch) for clip in clips]
    files = storage.local(storage.path("batches", batch, "clips", "files"))
    files.mkdir(parents=True)
    video = write_video(files / f"{ids[0]}.mp4", size=(640, 360), fps=CLIP_FPS, seconds=float(SECONDS))
    for clip in ids[1:]:
        (files / f"{clip}.mp4").hardlink_to(video)
    for number, clip in enumerate(ids[: size.pictures]):
        noise = np.random.default_rng(number).integers(0, 60, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
        picture = picture_of(number, WIDTH, HEIGHT) + noise.repeat(8, axis=0).repeat(8, axis=1) // 2
        folder = storage.asset_dir(batch, "clips") / "keyframes" / clip
        storage.write_bytes(folder / f"{SECONDS // 2:04d}.jpg", jpeg(picture, 85))
