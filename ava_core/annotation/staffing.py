"""Changing who annotates what after the tasks are made: another annotator, one more, or the same one again.

Every change leaves the work that was done where it is, under the name of who did it, and is blind: no annotator
gets two copies of a clip.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.reading import box_at
from ava_core.annotation.reconcile import look_at_clip
from ava_core.annotation.sync import as_seen
from ava_core.annotation.tasks import add_annotator
from ava_core.base.errors import AssignmentError, InputError
from ava_core.base.schemas import CLIP_FPS
from ava_core.base.settings import Settings
from ava_core.base.text import plural
from ava_core.batch import BatchContext
from ava_core.decisions import decision_state, decisions_of
from ava_core.store import Store, annotators, audit_log, practice, readings, tasks
from ava_core.store.imported_work import is_imported
from ava_core.store.tables import MISSING, Job

GONE_CURE: Final = "Create its task again on the Progress page."

NO_BOX: Final = (10.0, 10.0, 110.0, 60.0)
"""Where an issue stands on a frame without boxes, in pixels: the corner, where it hides nothing."""


def reassign(settings: Settings, store: Store, job_id: int, annotator: str, actor: str) -> None:
    """Give a job that nobody has begun to another annotator.

    Raises `AssignmentError` where it is begun (give the clip an extra annotator instead), or where the annotator
    has the clip already or gets no work now.
    """
    job = _job(store, job_id)
    _check_free(store, job.batch, job.clip_id, annotator)
    with CvatGateway(settings) as gateway:
        now = gateway.job(job_id)
        if now["state"] != "new" or now["stage"] != "annotation":
            raise AssignmentError(
                f"{job.annotator} has started job {job_id} ({now['stage']}, {now['state']}), and a job "
                f"keeps its author.",
                f"Add an annotator to the clip with `ava assign top-up {job.batch} {job.clip_id}`.",
            )
        number = _member(gateway, annotator)
        seen = gateway.set_job(job_id, assignee=number)
    tasks.update_jobs(store, [as_seen(job, seen)])
    audit_log.note(store, actor, "reassign", job.clip_id, job=job_id, before=job.annotator, after=annotator)


def top_up(at: BatchContext, clip_id: str, actor: str, annotator: str = "") -> str:
    """Give a clip that has its task one annotator more; returns who.

    `annotator`: "" for the one with the fewest jobs in the batch among those who have not got the clip. Raises
    `AssignmentError` where there is none. Asked again for the same annotator, it goes on where it stopped.
    """
    batch, store = at.batch, at.store
    clips = at.table("clips").filter(pl.col("clip_id") == clip_id)
    look_at_clip(at, clip_id)
    if clips.is_empty() or not tasks.jobs_of(store, batch, clip_id):
        raise InputError(
            f"Batch {batch} has no task for clip {clip_id!r}.", "List batches with `ava batch list`."
        )
    chosen = annotator or _least_loaded(at, clip_id)
    _check_free(store, batch, clip_id, chosen)
    add_annotator(at, clips.row(0, named=True), chosen, at.table("tracks"))
    audit_log.note(store, actor, "top_up", clip_id, annotator=chosen)
    return chosen


def requeue(at: BatchContext, clip_id: str, actor: str, *, second: int = 0) -> list[int]:
    """Hand a rejected clip back to its annotators, with the reviewer's comment as an issue at `second`.

    Returns the jobs that were handed back: all that were completed. Done again, it opens no second issue. Raises
    `InputError` where the clip is not rejected, or all work on it was imported.
    """
    comment = _rejection(at, clip_id)
    jobs = tasks.completed_jobs(at.store, at.batch, clip_id)
    done = [job.job_id for job in jobs if not is_imported(job.job_id)]
    if jobs and not done:
        raise InputError(
            f"All work on clip {clip_id} was imported: nobody here can go on with it.",
            f"`ava assign top-up {at.batch} {clip_id}` gives it to an annotator.",
        )
    return hand_back(at.settings, at.store, done, actor, comment=comment, second=second)


def hand_back(
    settings: Settings,
    store: Store,
    job_ids: Sequence[int],
    actor: str,
    *,
    comment: str = "",
    second: int = 0,
) -> list[int]:
    """Hand jobs back to their annotators to go on with; `comment` becomes an issue at `second`, "" opens none.

    Returns the jobs, whose work stays as it is. Done again, it opens no second issue.
    """
    jobs = [_job(store, job_id) for job_id in job_ids]
    last = readings.latest(store, [job.job_id for job in jobs])
    frame = second * CLIP_FPS
    for job in jobs:
        if frame >= job.frames:
            raise InputError(f"Clip {job.clip_id} has no second {second}.", f"It has {job.frames} frames.")
    with CvatGateway(settings) as gateway:
        for job in jobs:
            if comment:
                known = last.get(job.job_id)
                box = _boxes_around(store, known.reading_id, frame) if known else NO_BOX
                gateway.ensure_issue(job.job_id, frame, comment, box)
            seen = gateway.set_job(job.job_id, stage="annotation", state="rejected")
            tasks.update_jobs(store, [as_seen(job, seen)])
            audit_log.note(
                store, actor, "requeue", job.clip_id, job=job.job_id, second=second, comment=comment
            )
    return [job.job_id for job in jobs]


def _rejection(at: BatchContext, clip_id: str) -> str:
    """The reviewer's comment of the rejection that holds."""
    judged = [d for d in decisions_of(at.store, at.batch) if d.subject == clip_id and "qc_status" in d.after]
    if not judged or judged[-1].action != "reject":
        raise InputError(
            f"Clip {clip_id!r} of batch {at.batch} is not rejected.", "Reject it with a comment first."
        )
    return judged[-1].comment


def _boxes_around(store: Store, reading_id: int, frame: int) -> tuple[float, ...]:
    """The rectangle around all boxes that a reading has at a frame."""
    by_track: dict[int, list[dict[str, Any]]] = {}
    for shape in readings.shapes_of(store, reading_id):
        by_track.setdefault(shape["track_id"], []).append(shape)
    boxes = [box for box in (box_at(track, frame) for track in by_track.values()) if box is not None]
    if not boxes:
        return NO_BOX
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def _job(store: Store, job_id: int) -> Job:
    with store.session() as session:
        job = session.get(Job, job_id)
    if job is None or not job.of_annotator:
        raise InputError(f"There is no annotator's job {job_id}.", "See the batch's table `cvat_tasks`.")
    if is_imported(job_id):
        raise AssignmentError(
            f"Job {job_id} of clip {job.clip_id} was imported, and is on no annotation server.",
            f"`ava assign top-up {job.batch} {job.clip_id}` gives the clip to an annotator.",
        )
    if job.state == MISSING:
        raise AssignmentError(f"Job {job_id} of clip {job.clip_id} was removed on CVAT.", GONE_CURE)
    return job


def _member(gateway: CvatGateway, annotator: str) -> int:
    number = gateway.members().get(annotator)
    if number is None:
        raise AssignmentError(
            f"{annotator!r} is not a member of the organisation on CVAT.", "Invite them there."
        )
    return number


def _check_free(store: Store, batch: str, clip_id: str, annotator: str) -> None:
    person = next((one for one in annotators.available(store) if one.username == annotator), None)
    if person is None:
        raise AssignmentError(
            f"{annotator!r} cannot get work: unknown, paused, inactive, or practice not passed.",
            "List annotators with `ava annotator list`.",
        )
    jobs = [job for job in tasks.jobs_of(store, batch) if job.annotator == annotator]
    own = [job for job in jobs if job.clip_id == clip_id]
    if own and all(job.state == MISSING for job in own):
        raise AssignmentError(
            f"{annotator!r} had clip {clip_id} in task {own[0].task_id}, which was removed on CVAT.",
            GONE_CURE,
        )
    if own:
        raise AssignmentError(f"{annotator!r} has clip {clip_id} already.", "Choose another annotator.")
    if annotator in experts_of(store, batch, clip_id):
        raise AssignmentError(
            f"{annotator!r} is the expert of clip {clip_id} and has seen the others' answers.",
            "Choose another annotator.",
        )
    if annotator in practice.practised(store, batch, clip_id):
        raise AssignmentError(
            f"{annotator!r} has practised on clip {clip_id} and knows the answers.",
            "Choose another annotator.",
        )
    if person.capacity is not None and len(jobs) >= person.capacity:
        raise AssignmentError(
            f"{annotator!r} already has {plural(len(jobs), 'clip')} of batch {batch}, their limit.",
            "Raise it (`ava annotator add NAME --capacity N`), or choose another annotator.",
        )


def experts_of(store: Store, batch: str, clip_id: str) -> set[str]:
    """Whose work on a clip stands over the others': the expert who adjudicated it, the one whose work is gold."""
    state = decision_state(store, batch)
    return {state.gold.get(clip_id, ""), state.experts.get(clip_id, "")} - {""}


def _least_loaded(at: BatchContext, clip_id: str) -> str:
    jobs = tasks.jobs_of(at.store, at.batch)
    busy = {job.annotator for job in jobs if job.clip_id == clip_id}
    busy |= experts_of(at.store, at.batch, clip_id) | practice.practised(at.store, at.batch, clip_id)
    load = Counter(job.annotator for job in jobs)
    free = [
        person.username
        for person in annotators.available(at.store)
        if person.username not in busy
        and (person.capacity is None or load[person.username] < person.capacity)
    ]
    if not free:
        raise AssignmentError(
            f"No other annotator is available for {clip_id}.", "Add an annotator: `ava annotator add NAME`."
        )
    return min(free, key=lambda name: (load[name], name))
