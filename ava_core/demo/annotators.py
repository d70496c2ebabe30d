"""Simulated annotators: they sign in with accounts of their own and do their jobs through the annotation API.

What they know is what a person knows who looks at the pictures. Names of tracks, the database and the platform's
files are closed to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from ava_core.base.errors import CvatError
from ava_core.base.progress import Progress, ProgressSink, ignore_progress
from ava_core.demo.client import AnnotatorClient
from ava_core.demo.editing import Form, edit_tracks
from ava_core.demo.perception import PROFILES, Profile, perceive
from ava_core.demo.truth import ClipTruth
from ava_core.ontology import Ontology
from ava_core.ontology.form import LABEL

DONE: Final = "completed"


@dataclass(frozen=True)
class SimulatedAnnotator:
    """An account on the annotation server and how well its owner works."""

    username: str
    password: str
    profile: Profile


@dataclass(frozen=True)
class Work:
    """What one annotator did: jobs finished; tracks added, deleted; boxes drawn by hand."""

    annotator: str
    jobs: int
    added: int
    deleted: int
    drawn: int


def demo_annotators(passwords: Sequence[str]) -> list[SimulatedAnnotator]:
    """One account per password, named by profile (`careful_1`, `average_2`, `hasty_3`, `careful_4`, …)."""
    profiles = list(PROFILES.values())
    return [
        SimulatedAnnotator(
            f"{profiles[n % len(profiles)].name}_{n + 1}", password, profiles[n % len(profiles)]
        )
        for n, password in enumerate(passwords)
    ]


def simulate(
    annotator: SimulatedAnnotator,
    url: str,
    organisation: str,
    truth: ClipTruth,
    ontology: Ontology,
    seed: int = 0,
    sink: ProgressSink = ignore_progress,
) -> Work:
    """Do all open jobs of one annotator whose clip `truth` tells of; finished ones are left alone.

    The same seed gives the same work. A job that was broken off is taken up where it stands.
    """
    done: list[tuple[int, int, int]] = []
    with AnnotatorClient(url, organisation, annotator.username, annotator.password) as client:
        jobs = [job for job in client.own_jobs() if job["state"] != DONE and job["stage"] == "annotation"]
        progress = Progress(f"{annotator.username} annotates", len(jobs), "jobs", sink)
        for job in jobs:
            clip_id = PurePosixPath(client.media_name(job["id"])).stem
            if clip_id in truth.clips:
                done.append(_do_job(client, job, clip_id, annotator, truth, ontology, seed))
            progress.advance()
        progress.finish()
    added, deleted, drawn = (sum(one[n] for one in done) for n in range(3))
    return Work(annotator.username, len(done), added, deleted, drawn)


def _do_job(
    client: AnnotatorClient,
    job: dict[str, int],
    clip_id: str,
    annotator: SimulatedAnnotator,
    truth: ClipTruth,
    ontology: Ontology,
    seed: int,
) -> tuple[int, int, int]:
    """One job from opening to completion; returns tracks added and deleted, and boxes drawn."""
    number = job["id"]
    client.set_state(number, "in progress")
    client.picture(number, job["start_frame"])
    view = perceive(truth, clip_id, ontology, annotator.profile, annotator.username, seed)
    edits = edit_tracks(
        client.tracks(number),
        view,
        annotator.profile,
        _form(client, number, ontology),
        job["stop_frame"] - job["start_frame"] + 1,
        (seed, annotator.username, clip_id),
    )
    client.save(number, "delete", edits.delete)
    client.save(number, "update", edits.update)
    client.save(number, "create", edits.create)
    client.set_state(number, DONE)
    return len(edits.create), len(edits.delete), edits.drawn


def _form(client: AnnotatorClient, job_id: int, ontology: Ontology) -> Form:
    for label in client.labels(job_id):
        if label["name"] == LABEL:
            return Form(label["id"], {spec["name"]: spec["id"] for spec in label["attributes"]}, ontology)
    raise CvatError(f"Job {job_id} has no label {LABEL!r}.", "It was not made with this ontology.")
