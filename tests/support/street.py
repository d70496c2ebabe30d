"""The batch `street` as its annotators leave it: what the console's pages show in tests."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import polars as pl

from ava_assets.running.services import free_port
from ava_core.base.schemas import BOX_COLUMNS, CLIPS, SOURCE_VIDEOS, TRACKS, conform
from ava_core.base.settings import Settings, load_settings
from ava_core.base.storage import Storage
from ava_core.dataset.formats.ava import names
from ava_core.ontology import load_ontology
from ava_core.store import makings
from tests.support.home import Home
from tests.support.planted_work import good_annotators, plant

BATCH = "street"
PASSWORD = "a long enough password"
PEOPLE = {"vera": "viewer", "rita": "reviewer", "adam": "admin"}
CLIPS_PLANTED, SECONDS = 4, 6
WIDTH, HEIGHT = 1280, 720
PARAMS = {
    "batch": BATCH, "clip_id": "clip_0000", "release": "v1", "other": "v1", "run_id": "nothing", "job_id": "10",
    "practice_id": "1",
}  # fmt: skip
"""What stands in the address of each page."""

SEEN = {
    "/": "Clips by stage",
    "/batches": "Batches",
    "/batches/{batch}": "b.mp4: quarantined, it cannot be read",
    "/batches/{batch}/clips/{clip_id}": "from street_a, second 0.0, 6.0 s long",
    "/runs/{run_id}": "Dagster is not responding",
    "/tasks": "Clips shared by two annotators",
    "/progress": "Jobs by annotator and state",
    "/work": "You have not signed in as an annotator.",
    "/work/practice/{practice_id}": "You have not signed in as an annotator.",
    "/work/{job_id}": "You have not signed in as an annotator.",
    "/readings/{batch}/{job_id}": "It has not been read yet.",
    "/quality": "Approve in bulk by thresholds",
    "/quality/{batch}/agreement": "Agreement between annotators",
    "/quality/{batch}/annotators": "Scorecards",
    "/quality/{batch}/adjudication": "most doubtful first",
    "/quality/{batch}/audit": "a simple random sample of approved answers",
    "/quality/{batch}/gold": "Accuracy on gold clips",
    "/quality/{batch}/clips/{clip_id}": "3 of 3 jobs done",
    "/dataset": "Ready for release",
    "/dataset/{release}": "AVA_dataset.csv",
    "/dataset/{release}/compare/{other}": "What changed from",
    "/metrics": "Open work",
    "/ontology": "The form in CVAT",
    "/audit": "Audit log",
    "/system": "Locations",
    "/people": "Add a person",
    "/account": "All your sessions end",
}
"""What is seen on each page once it is there."""


def plant_street(folder: Path) -> None:
    """A home with everything that the pages read: planted work, small real videos; nobody has decided anything."""
    home = Home(folder, ontology="street")
    home.add_users(PEOPLE, PASSWORD)
    home.register_batch(BATCH)
    work = plant(
        good_annotators(3, 1),
        seed=1,
        clips=CLIPS_PLANTED,
        seconds=SECONDS,
        people=3,
        ontology=load_ontology("street"),
    )
    home.write_tables(BATCH, {
        ("source_videos", ""): _sources(),
        ("clips", ""): _clips(home.storage, work.clip_ids),
        ("tracks", ""): _tracks(work.true_boxes),
    })  # fmt: skip
    for asset in ("source_videos", "clips", "tracks"):
        makings.note(home.store, BATCH, asset)
    home.add_work(BATCH, work, frames=SECONDS * 30)
    _write_release(home.storage)
    home.close()


def copy_street(template: Path, folder: Path) -> Settings:
    """A copy of a planted home, to do with as one likes."""
    shutil.copytree(template, folder)
    # Nothing answers there: what runs on this machine by itself is no part of a test.
    ports = {name: free_port() for name in ("dagster_port", "cvat_port", "console_port")}
    return load_settings(home=folder, ontology="street", **ports)


def _sources() -> pl.DataFrame:
    good = {
        "source_id": "street_a",
        "original_name": "a.mp4",
        "status": "ok",
        "reason": "",
        "duration_s": 24.0,
    }
    bad = {
        "source_id": "street_b",
        "original_name": "b.mp4",
        "status": "quarantined",
        "reason": "it cannot be read",
    }
    rows = [{name: {**one, "batch": BATCH}.get(name) for name in SOURCE_VIDEOS} for one in (good, bad)]
    return conform(pl.DataFrame(rows, schema=dict(SOURCE_VIDEOS)), SOURCE_VIDEOS, "sources")


def _clips(storage: Storage, clip_ids: list[str]) -> pl.DataFrame:
    rows = []
    for index, clip_id in enumerate(clip_ids):
        path = f"batches/{BATCH}/clips/files/{clip_id}.mp4"
        with storage.writing(storage.path(path)) as file:
            _video(file, index)
        keyframe = storage.asset_dir(BATCH, "clips") / "keyframes" / clip_id / f"{SECONDS // 2:04d}.jpg"
        storage.write_bytes(keyframe, _jpeg())
        rows.append({
            "clip_id": clip_id, "source_id": "street_a", "batch": BATCH, "index": index, "start_s": index * 6.0,
            "duration_s": float(SECONDS), "frames": SECONDS * 30, "width": WIDTH, "height": HEIGHT, "scale_x": 1.0,
            "scale_y": 1.0, "pad_x": 0, "pad_y": 0, "content_width": WIDTH, "content_height": HEIGHT, "path": path,
            "sha256": "0" * 64,
        })  # fmt: skip
    return conform(pl.DataFrame(rows), CLIPS, "clips")


def _video(file: Path, shade: int) -> None:
    with av.open(str(file), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "g": "30"})
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        stream.time_base = Fraction(1, 30)
        for number in range(SECONDS * 30):
            picture = np.full((90, 160, 3), 60 + 20 * shade, np.uint8)
            picture[:, : 1 + number % 160] += 40
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _jpeg() -> bytes:
    import cv2

    return bytes(cv2.imencode(".jpg", np.full((90, 160, 3), 90, np.uint8))[1])


def _tracks(boxes: pl.DataFrame) -> pl.DataFrame:
    rows = boxes.with_columns(
        frame=pl.col("second") * 30,
        track_id=pl.col("person_id"),
        score=pl.lit(0.9),
        interpolated=pl.lit(value=False),
    )
    return conform(rows.select(*TRACKS), TRACKS, "tracks").filter(
        pl.all_horizontal(pl.col(BOX_COLUMNS).is_not_nan())
    )


def _write_release(storage: Storage) -> None:
    folder = storage.path("releases", "v1")
    record = {"name": "v1", "made_at": "2026-01-06T10:00:00+00:00", "batches": {BATCH: {"clips": 4}}}
    storage.write_bytes(folder / names.RECORD, json.dumps(record).encode())
    storage.write_bytes(folder / names.CARD, b"# Release v1\n\nFour clips.\n")
    storage.write_bytes(folder / names.ALL_ROWS, b"clip_0000,0902,0.1,0.1,0.2,0.2,1,1\n")
