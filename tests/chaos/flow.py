"""A batch's whole way with people who try again: added, annotated, approved, until its dataset is there."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
from sqlalchemy.exc import DBAPIError

from ava_core import decisions
from ava_core.annotation.gateway import CvatGateway
from ava_core.base.errors import AvaError
from ava_core.base.storage import Storage
from ava_core.demo.annotators import SimulatedAnnotator, demo_annotators
from ava_core.demo.client import AnnotatorClient
from ava_core.demo.editing import Form, edit_tracks
from ava_core.demo.perception import perceive
from ava_core.demo.truth import ClipTruth, SceneTruth, truth_in_clips
from ava_core.ontology import load_ontology
from ava_core.ontology.form import LABEL
from ava_core.operations.needs import CONSENSUS_ASSETS, READING_ASSETS, in_words, needs, reading_state
from ava_core.store import Store, annotators, batch_needs, batches, made_of, open_store
from tests.chaos.platform import Platform

BATCH = "street"
STEP_SECONDS = 420.0
"""Longest that a step may take: Dagster's own waits for a start add up to five minutes."""
PAUSE_SECONDS = 0.5
OPTIONS = {"annotators_per_clip": "2", "clip_seconds": "15"}

Found = TypeVar("Found")


class StuckError(Exception):
    """A step did not come to its end; the message is what the platform says to a person, if anything."""


class Flow:
    """The way, a method a step; `step` is what it waits for."""

    def __init__(self, platform: Platform, archive: Path, scenes: SceneTruth) -> None:
        self.platform, self.archive, self.scenes = platform, archive, scenes
        self.settings = platform.settings
        self.ontology = load_ontology(self.settings.ontology)
        self.step = "start"
        self._wanted: dict[int, list[dict[str, Any]]] = {}

    @property
    def store(self) -> Store:
        return open_store(self.settings)

    @property
    def storage(self) -> Storage:
        return Storage(self.settings.resolved_storage_url)

    def begin(self) -> None:
        """Start, and make the annotators' accounts; nothing disturbs this."""
        self.crowd = demo_annotators(["first-secret-word", "second-secret-word"])
        self._patiently("start", self._sign_up)

    def run(self, draw: random.Random | None = None) -> None:
        """The whole way. `draw`: kills the command that adds the batch now and then."""
        self._patiently("add the batch", lambda: self._add(draw))
        self._patiently("make its tasks", lambda: "cvat_tasks" in made_of.of_batch(self.store, BATCH))
        self._patiently("annotate", self._annotate)
        self._patiently("read and measure", lambda: self._made(READING_ASSETS, 4))
        self._patiently("approve", self._approve)
        self._patiently("form the dataset", lambda: self._made(CONSENSUS_ASSETS, 4) and self._settled())
        self.step = "over"

    def digest(self) -> str:
        """Of the dataset's csv, byte for byte."""
        folder = self.storage.asset_dir(BATCH, "ava_csv") / "dataset"
        files = sorted(file for file in Path(str(folder)).rglob("*.csv"))
        assert files, f"no csv in {folder}"
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]

    def _patiently(self, step: str, attempt: Callable[[], object]) -> None:
        """Try again until it is done, as a person does; start `ava up` again where it is gone."""
        self.step, deadline, last = step, time.monotonic() + STEP_SECONDS, ""
        while True:
            self.platform.keep_up()
            try:
                if attempt():
                    return
            except (AvaError, DBAPIError, httpx.HTTPError, OSError) as error:
                last = str(error).splitlines()[0]
            if time.monotonic() > deadline:
                raise StuckError(self._said() or f"{step}: {last or 'nothing came of it'}")
            time.sleep(PAUSE_SECONDS)

    def _said(self) -> str:
        row = batch_needs.known(self.store).get(BATCH)
        return in_words(row, time.time()) if row else ""

    def _sign_up(self) -> bool:
        with CvatGateway(self.settings) as gateway:
            gateway.ensure_organisation()
            for one in self.crowd:
                number = gateway.register_annotator(one.username, one.password, f"{one.username}@example.org")
                annotators.put(self.store, one.username, cvat_user_id=number)
        return True

    def _add(self, draw: random.Random | None) -> bool:
        if BATCH in batches.names(self.store):
            assert batches.get(self.store, BATCH).options == OPTIONS
            return True
        options = [part for name, value in OPTIONS.items() for part in ("--option", f"{name}={value}")]
        command = self.platform.ava("batch", "add", str(self.archive), "--name", BATCH, *options)
        if draw is not None and draw.random() < 0.5:
            time.sleep(draw.uniform(0.2, 1.5))
            command.kill()
        command.wait(120)
        return False

    def _annotate(self) -> bool:
        clips = self.storage.read_table(self.storage.table_path(BATCH, "clips"))
        sources = self.storage.read_table(self.storage.table_path(BATCH, "source_videos"))
        truth = truth_in_clips(self.scenes, clips, sources, self.ontology)
        for one in self.crowd:
            self._work(one, truth)
        return True

    def _work(self, one: SimulatedAnnotator, truth: ClipTruth) -> None:
        """Every job as a whole: what is saved twice is the same twice."""
        organisation = self.settings.cvat_organisation
        url = self.settings.resolved_cvat_url
        with AnnotatorClient(url, organisation, one.username, one.password) as client:
            for job in client.own_jobs():
                if job["state"] == "completed":
                    continue
                number = job["id"]
                if number not in self._wanted:
                    self._wanted[number] = self._drawn(client, one, job, truth)
                client._send(
                    "PUT", f"/api/jobs/{number}/annotations",
                    json={"version": 0, "tags": [], "shapes": [], "tracks": self._wanted[number]},
                )  # fmt: skip
                client.set_state(number, "completed")

    def _drawn(
        self, client: AnnotatorClient, one: SimulatedAnnotator, job: dict[str, Any], truth: ClipTruth
    ) -> list[dict[str, Any]]:
        """The job's tracks as this annotator leaves them."""
        clip, number = Path(client.media_name(job["id"])).stem, job["id"]
        before = client.tracks(number)
        [label] = [label for label in client.labels(number) if label["name"] == LABEL]
        form = Form(label["id"], {spec["name"]: spec["id"] for spec in label["attributes"]}, self.ontology)
        view = perceive(truth, clip, self.ontology, one.profile, one.username, 0)
        frames = job["stop_frame"] - job["start_frame"] + 1
        edits = edit_tracks(before, view, one.profile, form, frames, (0, one.username, clip))
        changed = {track["id"]: track for track in (*edits.update, *edits.delete)}
        gone = {track["id"] for track in edits.delete}
        kept = [changed.get(track["id"], track) for track in before if track["id"] not in gone]
        return [_without_ids(track) for track in (*kept, *edits.create)]

    def _made(self, assets: tuple[str, ...], jobs: int) -> bool:
        """Whether these assets are made of all completed work."""
        made, state = made_of.of_batch(self.store, BATCH), reading_state(self.store, BATCH)
        work = self.storage.table_path(BATCH, "raw_annotations", "completed_jobs")
        return (
            bool(state)
            and all(made.get(asset, "").startswith(state) for asset in assets)
            and self.storage.read_table(work).height == jobs
        )

    def _approve(self) -> bool:
        clips = self.storage.read_table(self.storage.table_path(BATCH, "clips"))["clip_id"].to_list()
        approved = decisions.decision_state(self.store, BATCH).approved
        if approved != set(clips):
            decisions.approve(self.store, BATCH, clips, "chaos")
        return True

    def _settled(self) -> bool:
        return BATCH not in needs(self.store, self.settings)


def _without_ids(track: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in track.items() if name != "id"} | {
        "shapes": [{k: v for k, v in shape.items() if k != "id"} for shape in track["shapes"]]
    }
