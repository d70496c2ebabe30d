"""What the page for labelling shows of a job, as JSON."""

from __future__ import annotations

from typing import Any

from ava_core.annotation.labelling.desk import Desk
from ava_core.base.errors import InputError
from ava_core.base.schemas import CLIP_FPS
from ava_core.ontology import Ontology
from ava_core.store import tasks
from ava_core.store.tables import Job
from ava_ui import addresses
from ava_ui.known.console import Console

Json = dict[str, Any]


def label_document(console: Console, job: Job, desk: Desk) -> Json:
    """The job as its desk opens it, with the clip, the vocabulary and the tracker's own boxes (`predrawn`)."""
    try:
        clip = console.tables.clip(job.batch, job.clip_id)
    except InputError as error:
        raise InputError(
            f"The clip of job {job.job_id} is missing from the platform: {error.message}",
            "Tell an admin; nothing of the job is lost.",
        ) from None
    return desk.open() | {
        "job": job.job_id,
        "clip": {
            "id": job.clip_id, "url": addresses.clip_video(job.batch, job.clip_id), "fps": CLIP_FPS,
            **{name: clip[name] for name in ("frames", "width", "height")},
        },
        "ontology": desk.ontology.name,
        "groups": _groups(desk.ontology),
        "predrawn": {
            str(track["seed_track"]): [[s["frame"], *s["box"], s["outside"]] for s in track["shapes"]]
            for track in tasks.predrawn(console.store, [job.job_id])[job.job_id]
        },
    }  # fmt: skip


def _groups(ontology: Ontology) -> list[Json]:
    return [
        {
            "name": group.name, "kind": group.kind, "most": group.max_active,
            "actions": [
                {"id": a.id, "name": a.name, "hotkey": a.hotkey, "description": a.description} for a in group.actions
            ],
        }
        for group in ontology.groups
    ]  # fmt: skip
