"""A small world: batches whose tables are written by hand, with real pictures, ready to be released."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ava_core import decisions
from ava_core.base.schemas import (
    CLIPS,
    COMPLETED_JOBS,
    CONSENSUS_BOXES,
    CONSENSUS_LABELS,
    DISPUTED,
    PROPOSALS,
    RAW_BOXES,
    RAW_LABELS,
    SOURCE_VIDEOS,
    Schema,
)
from ava_core.dataset.export.batch import write_batch
from ava_core.dataset.export.inputs import load_batch
from ava_core.dataset.export.options import ReleaseOptions
from ava_core.dataset.export.release import Release, write_release
from ava_core.quality.consensus.provenance import basis, provenance
from tests.support.home import Home

ONTOLOGY = """\
name: tiny
version: 1
retired: [3]
groups:
  - name: pose
    kind: exclusive
    actions:
      - {id: 1, name: stand}
      - {id: 2, name: walk}
  - name: object
    kind: multi
    max_active: 2
    actions:
      - {id: 4, name: carry}
      - {id: 5, name: phone}
"""

WIDTH, HEIGHT, BAR = 64, 48, 6
FRAMES = 210
"""7 s: seconds 2 to 5 have their context."""


@dataclass(frozen=True)
class Shape:
    """What a world's clip is: its size in pixels, the height of its black bars, how many frames it has."""

    width: int = WIDTH
    height: int = HEIGHT
    bar: int = BAR
    frames: int = FRAMES


ANNOTATORS = ("ann", "ben")
PERSONS = pl.DataFrame(
    schema={"clip_id": pl.String, "annotator": pl.String, "track_key": pl.String, "person_id": pl.Int32}
)


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class World(Home):
    """A home of batches that can be released; `clip` is the video that every clip shows, of that shape."""

    def __init__(self, folder: Path, clip: Path, storage_url: str = "", shape: Shape = Shape()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        ontology = folder / "tiny.yaml"
        ontology.write_text(ONTOLOGY)
        super().__init__(folder, ontology=str(ontology), storage_url=storage_url)
        self.clip, self.shape = clip, shape

    @property
    def releases(self) -> Path:
        return self.home / "storage" / "releases"

    def add_batch(
        self,
        name: str,
        sources: Sequence[str] = ("cam",),
        *,
        approve: bool = True,
        dataset: bool = True,
        contents: dict[str, str] | None = None,
        options: dict[str, Any] | None = None,
        index: int = 0,
        actions: Sequence[tuple[str, int]] = (("pose", 1), ("object", 4)),
    ) -> list[str]:
        """A batch with a clip per source: person 1 at seconds 2…5, person 2 at 3…4; returns clip ids.

        `contents`: what a source's hash is made from, its id otherwise; `actions` are person 1's; person 2 walks.
        """
        self.register_batch(name, options)
        ids = [f"{name}_{source}" for source in sources]
        clips = [f"{source}_{index:03d}" for source in ids]
        content = {source: (contents or {}).get(source, source) for source in ids}
        self.write_rows(name, "source_videos", SOURCE_VIDEOS, [_source(name, s, content[s]) for s in ids])
        self.write_rows(name, "clips", CLIPS, [self._clip(name, s, content[s], index) for s in ids])
        places = [(clip, second, person) for clip in clips for second, person in _PLACES]
        boxes = [
            {"clip_id": c, "second": s, "person_id": p, **_box(s, p, self.shape.bar)} for c, s, p in places
        ]
        self.write_rows(name, "dense_proposals", PROPOSALS, [
            {**box, "track_id": box["person_id"], "score": 1.0 - box["person_id"] / 20, "interpolated": False}
            for box in boxes
        ])  # fmt: skip
        said = {1: list(actions), 2: [("pose", 2)]}
        labels = [
            {"clip_id": c, "second": s, "person_id": p, "group": g, "action_id": a}
            for c, s, p in places
            for g, a in said[p]
        ]
        voted = {"votes": 2, "voters": 2, "rule": "majority"}
        agreed = {**voted, "agreement_iou": 1.0, "posterior": None}
        self._consensus(name, "consensus_boxes", CONSENSUS_BOXES, [{**box, **agreed} for box in boxes])
        self._consensus(name, "consensus_labels", CONSENSUS_LABELS, [{**label, **agreed} for label in labels])
        self._consensus(name, "disputed", DISPUTED, [])
        self._annotated(name, clips, boxes, labels)
        if approve:
            decisions.approve(self.store, name, clips, "chief")
        self.form(name)
        if approve and dataset:
            self.write_batch(name)
        return clips

    def form(self, name: str) -> None:
        """Note that the consensus, as it was written by hand, was formed from what holds now."""
        at = self.at(name)
        completed, now = at.table("raw_annotations", "completed_jobs"), decisions.standing(self.store, name)
        approved = now.state.approved_on(decisions.readings_in(completed))
        no_words = now.state.adjudications.clear()
        self.write_tables(name, {
            ("consensus_labels", "basis"): basis(completed, now.state, at.ontology),
            ("consensus_labels", "provenance"): provenance(
                completed, at.ontology, approved=approved, excluded=now.state.excluded, adjudications=no_words
            ),
        })  # fmt: skip

    def dispute(self, batch: str, clip_id: str, second: int) -> None:
        """Put a second under dispute."""
        row = {"clip_id": clip_id, "second": second, "reason": "half of them see somebody"}
        self._consensus(batch, "disputed", DISPUTED, [row])

    def write_batch(self, name: str) -> Path:
        """The batch's own dataset, as the asset `ava_csv` makes it."""
        at = self.at(name)
        written = write_batch(at, load_batch(at))
        self.write_tables(name, {("ava_csv", ""): written.rows})
        return written.folder

    def release(self, name: str = "", **options: Any) -> Release:
        return write_release(ReleaseOptions(name=name, **options), self.settings, self.storage, self.store)

    def left_behind(self) -> list[str]:
        """Everything in the folder of releases."""
        return sorted(path.name for path in self.releases.iterdir()) if self.releases.exists() else []

    def _clip(self, batch: str, source: str, content: str, index: int) -> dict[str, Any]:
        target = self.storage.asset_dir(batch, "clips") / "files" / f"{source}_{index:03d}.mp4"
        # A box that players pass over makes files of different content: what a source holds tells them apart.
        own = content.encode()
        data = self.clip.read_bytes() + struct.pack(">I4s", 8 + len(own), b"free") + own
        self.storage.write_bytes(target, data)
        shape = self.shape
        return {
            "clip_id": f"{source}_{index:03d}", "source_id": source, "batch": batch, "index": index, "start_s": 30.0,
            "duration_s": shape.frames / 30, "frames": shape.frames, "width": shape.width, "height": shape.height,
            "scale_x": 1.0, "scale_y": 1.0, "pad_x": 0, "pad_y": shape.bar,
            "content_width": shape.width, "content_height": shape.height - 2 * shape.bar,
            "path": str(target.relative_to(self.storage.root)), "sha256": hashlib.sha256(data).hexdigest(),
        }  # fmt: skip

    def _annotated(self, batch: str, clips: list[str], boxes: list[Any], labels: list[Any]) -> None:
        """Both annotators said exactly what came out."""
        jobs = self.add_jobs(
            batch,
            [{"clip_id": clip, "annotator": name} for clip in clips for name in ANNOTATORS],
            self.shape.frames,
        )
        job_of = {(job["clip_id"], job["annotator"]): job["job_id"] for job in jobs.iter_rows(named=True)}

        def by(clip: str, annotator: str, person: int) -> dict[str, Any]:
            where = {"clip_id": clip, "annotator": annotator, "job_id": job_of[clip, annotator], "version": 1}
            return {**where, "track_key": f"t{person}"}

        raw_boxes = [
            {**b, **by(b["clip_id"], name, b["person_id"]), "edited": name == "ann", "flags": []}
            for b in boxes for name in ANNOTATORS
        ]  # fmt: skip
        said: dict[tuple[str, int, int, str], list[int]] = {}
        for label in labels:
            at = (label["clip_id"], label["second"], label["person_id"], label["group"])
            said.setdefault(at, []).append(label["action_id"])
        raw_labels = [
            {**by(clip, name, person), "second": second, "group": group, "action_ids": ids}
            for (clip, second, person, group), ids in said.items() for name in ANNOTATORS
        ]  # fmt: skip
        self.write_rows(batch, "raw_annotations", RAW_BOXES, raw_boxes, "raw_boxes")
        self.write_rows(batch, "raw_annotations", RAW_LABELS, raw_labels, "raw_labels")
        done = [{"clip_id": c, "annotator": a, "job_id": j, "version": 1} for (c, a), j in job_of.items()]
        self.write_rows(batch, "raw_annotations", COMPLETED_JOBS, done, "completed_jobs")
        persons = [
            {"clip_id": c, "annotator": a, "track_key": f"t{p}", "person_id": p}
            for c, a in job_of
            for p in (1, 2)
        ]
        self._consensus(batch, "persons", PERSONS.schema, persons)

    def _consensus(self, batch: str, table: str, schema: Schema, rows: list[Any]) -> None:
        self.write_rows(batch, "consensus_labels", schema, rows, table)


_PLACES = [(2, 1), (3, 1), (4, 1), (5, 1), (3, 2), (4, 2)]


def _box(second: int, person: int, bar: int) -> dict[str, float]:
    left = 4.0 * second + 20.0 * (person - 1)
    return {"x1": left, "y1": bar + 3.0, "x2": left + 10.0, "y2": bar + 30.0}


def _source(batch: str, source_id: str, content: str) -> dict[str, Any]:
    return {
        "source_id": source_id, "batch": batch, "original_name": f"street/{source_id}.mp4",
        "path": f"{source_id}.mp4", "sha256": _sha(content), "size_bytes": 1, "status": "ok", "reason": "",
    }  # fmt: skip


def write_seven_seconds(path: Path) -> Path:
    """A clip of 210 frames, 64×48, 30 fps, with black bars of 6 px above and below."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(FRAMES):
            picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            picture[BAR:-BAR] = 60 + number // 2
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path
