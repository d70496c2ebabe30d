"""What the page for labelling shows of a job, as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ava_core.annotation.labelling.desk import Desk
from ava_core.annotation.practice.desk import PracticeDesk
from ava_core.base.errors import InputError
from ava_core.base.schemas import CLIP_FPS
from ava_core.ontology import Ontology
from ava_core.store.tables import Job
from ava_ui import addresses
from ava_ui.known.console import Console
from ava_ui.known.guidance import pictures_of_actions

Json = dict[str, Any]


def label_document(console: Console, job: Job, desk: Desk) -> Json:
    """The job as its desk opens it, with the clip, the vocabulary and the tracker's own boxes (`predrawn`).

    `following`: what this person labels next, by its addresses: `source` of what is asked about it, `page`, `clip`;
    `None` after the last.
    """
    shown = _Shown(job.batch, job.clip_id, f"job {job.job_id}", desk.predrawn, desk.ontology, desk.user_name)
    following = desk.following()
    onward = following and {
        "job": following.job_id, "source": addresses.labelling(following.job_id),
        "page": addresses.label(following.job_id),
        "clip": addresses.clip_video(following.batch, following.clip_id),
    }  # fmt: skip
    return desk.open() | {"job": job.job_id, "following": onward} | _around(console, shown)


def practice_document(console: Console, desk: PracticeDesk) -> Json:
    """A practice clip, likewise."""
    clip = desk.clip
    name = f"practice clip {clip.practice_id}"
    shown = _Shown(clip.batch, clip.clip_id, name, clip.predrawn, desk.ontology, desk.user_name)
    return desk.open() | {"job": clip.practice_id, "following": None} | _around(console, shown)


@dataclass(frozen=True)
class _Shown:
    """What the page is about, whether it is work or practice."""

    batch: str
    clip_id: str
    name: str
    predrawn: list[Any]
    ontology: Ontology
    user_name: str


def _around(console: Console, shown: _Shown) -> Json:
    try:
        clip = console.tables.clip(shown.batch, shown.clip_id)
    except InputError as error:
        raise InputError(
            f"The platform has no clip for {shown.name}: {error.message}",
            "Tell an admin; nothing is lost.",
        ) from None
    about = (console, shown.ontology.name, shown.batch, shown.clip_id, shown.user_name)
    return {
        "clip": {
            "id": shown.clip_id, "url": addresses.clip_video(shown.batch, shown.clip_id), "fps": CLIP_FPS,
            **{name: clip[name] for name in ("frames", "width", "height")},
        },
        "ontology": shown.ontology.name,
        "groups": _groups(shown.ontology, pictures_of_actions(*about)),
        "predrawn": {
            str(track["seed_track"]): [[s["frame"], *s["box"], s["outside"]] for s in track["shapes"]]
            for track in shown.predrawn
        },
    }  # fmt: skip


def _groups(ontology: Ontology, shown: dict[int, list[Json]]) -> list[Json]:
    return [
        {
            "name": group.name, "kind": group.kind, "most": group.max_active,
            "actions": [
                {"id": a.id, "name": a.name, "hotkey": a.hotkey, "description": a.description,
                 "examples": shown.get(a.id, [])}
                for a in group.actions
            ],
        }
        for group in ontology.groups
    ]  # fmt: skip
