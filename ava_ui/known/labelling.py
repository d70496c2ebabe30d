"""What the page for labelling shows of a job, as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ava_core.annotation.labelling.desk import Desk
from ava_core.annotation.practice.desk import PracticeDesk
from ava_core.base.errors import InputError
from ava_core.base.schemas import CLIP_FPS
from ava_core.ontology import Ontology
from ava_core.store import examples, tasks
from ava_core.store.tables import Job
from ava_ui import addresses
from ava_ui.known.console import Console

Json = dict[str, Any]

EXAMPLES_SHOWN: Final = 3
"""Of an action, on the list of keys."""


def label_document(console: Console, job: Job, desk: Desk) -> Json:
    """The job as its desk opens it, with the clip, the vocabulary and the tracker's own boxes (`predrawn`).

    `next`: the address of the clip that this person labels next; "" after the last.
    """
    shown = _Shown(job.batch, job.clip_id, f"job {job.job_id}", desk.predrawn, desk.ontology, desk.user_name)
    following = tasks.next_of(console.store, desk.user_name, job.job_id)
    clip = addresses.clip_video(following.batch, following.clip_id) if following else ""
    return desk.open() | {"job": job.job_id, "next": clip} | _around(console, shown)


def practice_document(console: Console, desk: PracticeDesk) -> Json:
    """A practice clip, likewise."""
    clip = desk.clip
    name = f"practice clip {clip.practice_id}"
    shown = _Shown(clip.batch, clip.clip_id, name, clip.predrawn, desk.ontology, desk.user_name)
    return desk.open() | {"job": clip.practice_id} | _around(console, shown)


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
    return {
        "clip": {
            "id": shown.clip_id, "url": addresses.clip_video(shown.batch, shown.clip_id), "fps": CLIP_FPS,
            **{name: clip[name] for name in ("frames", "width", "height")},
        },
        "ontology": shown.ontology.name,
        "groups": _groups(shown.ontology, _examples(console, shown)),
        "predrawn": {
            str(track["seed_track"]): [[s["frame"], *s["box"], s["outside"]] for s in track["shapes"]]
            for track in shown.predrawn
        },
    }  # fmt: skip


def _examples(console: Console, shown: _Shown) -> dict[int, list[Json]]:
    """Pictures of each action's newest examples, without those that would tell this person an answer."""
    found: dict[int, list[Json]] = {}
    for one in reversed(examples.of_ontology(console.store, shown.ontology.name, shown.user_name)):
        own = found.setdefault(one.action_id, [])
        if (one.batch, one.clip_id) != (shown.batch, shown.clip_id) and len(own) < EXAMPLES_SHOWN:
            still = addresses.example(one.example_id, still=True)
            own.append({"loop": addresses.example(one.example_id), "still": still})
    return found


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
