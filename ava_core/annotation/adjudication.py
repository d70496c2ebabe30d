"""Adjudication in CVAT: the consensus goes into a clip's parent job, an expert mends it there, and it is read back.

Only a clip with replicas has a parent job of its own; the work of a clip's only annotator is never written over.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import polars as pl

from ava_core import decisions
from ava_core.annotation.forms import form_of
from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.prefill import to_api
from ava_core.annotation.reader import Reader
from ava_core.annotation.reading import read_shapes
from ava_core.base.errors import DecisionError
from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS, RAW_BOXES, RAW_LABELS, conform
from ava_core.batch import BatchContext
from ava_core.store import readings, tasks
from ava_core.store.tables import MISSING, Decision, Job


def send_to_expert(
    at: BatchContext,
    clip_id: str,
    expert: str,
    consensus: Mapping[str, pl.DataFrame],
    *,
    actor: str,
    comment: str = "",
) -> Decision:
    """Write a clip's consensus into its parent job, give the job to `expert`, and note it as a decision.

    `consensus`: tables of `consensus.form.form_consensus` that hold the clip, approved or not. Raises `DecisionError`
    where the clip has no parent job, or the expert is no member or has already begun.
    """
    job = _parent(at, clip_id)
    tracks = consensus_tracks(consensus, clip_id, job.frames)
    with CvatGateway(at.settings) as gateway:
        number = gateway.members().get(expert)
        if number is None:
            raise DecisionError(
                f"{expert!r} is not a member of organisation {at.settings.cvat_organisation!r} on CVAT.",
                "Invite them there.",
            )
        if gateway.job(job.job_id)["state"] == "in progress":
            raise DecisionError(
                f"The expert has already started {clip_id}.",
                "Wait until the job is completed, then send the clip again.",
            )
        project = form_of(at.store, gateway, tasks.project_of(at.store, job.task_id))
        gateway.put_tracks(job.job_id, to_api(tracks, at.ontology, project.label_id, project.specs))
        gateway.set_job(job.job_id, assignee=number, stage="annotation", state="new")
    tasks.update_jobs(at.store, [{"job_id": job.job_id, "predrawn": tracks, "state": "new"}])
    return decisions.note_expert(at.store, at.batch, clip_id, expert, job.job_id, actor, comment)


def consensus_tracks(
    consensus: Mapping[str, pl.DataFrame], clip_id: str, frames: int
) -> list[dict[str, Any]]:
    """The consensus of a clip as tracks: `{"seed_track": person, "shapes": [{"frame", "box", "outside", "labels"}]}`.

    A keyframe at every second where the person is; hidden from the frame after the last second of a stretch.
    """
    at = pl.col("clip_id") == clip_id
    boxes = consensus["consensus_boxes"].filter(at).sort("person_id", "second")
    labels: dict[tuple[int, int], dict[str, list[int]]] = {}
    said = consensus["consensus_labels"].filter(at).select("person_id", "second", "group", "action_id")
    for person, second, group, action in said.rows():
        labels.setdefault((person, second), {}).setdefault(group, []).append(action)
    tracks = []
    rows = boxes.select("person_id", "second", *BOX_COLUMNS).rows()
    for person, own in groupby(rows, key=lambda row: int(row[0])):
        shapes: list[dict[str, Any]] = []
        for _, second, *box in own:
            frame = second * CLIP_FPS
            # A person who was away for a second or more is hidden in between.
            if shapes and frame - shapes[-1]["frame"] > CLIP_FPS:
                shapes.append(_end(shapes[-1]))
            said_here = labels.get((person, second), {})
            shapes.append({"frame": frame, "box": box, "outside": False, "labels": said_here})
        if shapes[-1]["frame"] + 1 < frames:
            shapes.append(_end(shapes[-1]))
        tracks.append({"seed_track": person, "shapes": shapes})
    return tracks


def _end(shape: dict[str, Any]) -> dict[str, Any]:
    return {"frame": shape["frame"] + 1, "box": shape["box"], "outside": True}


def read_experts(at: BatchContext, clips: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Experts' completed work, the version of each clip that counts: `expert_boxes`, `expert_labels`, `expert_clips`.

    The first two as `schemas.RAW_BOXES` and `RAW_LABELS`; `expert_clips`: `clip_id, annotator`. With it
    `job_findings` (`schemas.JOB_FINDINGS`) of these jobs.
    """
    sent = decisions.decision_state(at.store, at.batch).experts
    jobs = [job for job in tasks.completed_parents(at.store, at.batch) if job.clip_id in sent]
    reader = Reader(at)
    reader.read(jobs, {job.job_id: sent[job.clip_id] for job in jobs})
    last = readings.latest(at.store, [job.job_id for job in jobs])
    shapes = readings.shapes_of_all(at.store, [reading.reading_id for reading in last.values()])
    by_id = {clip["clip_id"]: clip for clip in clips.to_dicts()}
    boxes: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    read = [job for job in jobs if job.job_id in last]
    drawn = tasks.predrawn(at.store, [job.job_id for job in read])
    for job in read:
        reading, clip = last[job.job_id], by_id[job.clip_id]
        whose = {
            "clip_id": job.clip_id, "annotator": sent[job.clip_id], "job_id": job.job_id, "version": reading.version,
        }  # fmt: skip
        size = {name: clip[name] for name in ("frames", "width", "height")}
        own_boxes, own_labels = read_shapes(
            shapes[reading.reading_id], at.ontology, **size, predrawn=drawn[job.job_id]
        )
        boxes += [whose | row for row in own_boxes]
        labels += [whose | row for row in own_labels]
    return {
        "expert_boxes": conform(pl.DataFrame(boxes, schema=dict(RAW_BOXES)), RAW_BOXES, "expert boxes"),
        "expert_labels": conform(pl.DataFrame(labels, schema=dict(RAW_LABELS)), RAW_LABELS, "expert labels"),
        "expert_clips": pl.DataFrame(
            [(job.clip_id, sent[job.clip_id]) for job in read],
            schema={"clip_id": pl.String, "annotator": pl.String},
            orient="row",
        ),
        "job_findings": reader.findings(jobs),
    }


def _parent(at: BatchContext, clip_id: str) -> Job:
    own = tasks.jobs_of(at.store, at.batch, clip_id)
    if not own:
        raise DecisionError(
            f"Batch {at.batch} has no task for clip {clip_id!r}.", "List batches with `ava batch list`."
        )
    parents = [job for job in own if not job.of_annotator and job.state != MISSING]
    if not parents:
        raise DecisionError(
            f"{clip_id} has only one job, by one annotator.",
            "Adjudicate its labels with `ava qc adjudicate`, or give the clip to a second annotator.",
        )
    return parents[-1]
