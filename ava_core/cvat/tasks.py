"""Making a batch's tasks: once, whatever happens in between.

A task's identity is its name, the clip's id, within the platform's project: it survives on the server. What the
server has is looked up before anything is made, so a run that was killed, or whose answers were lost, goes on
where it stopped; a task without usable media is replaced.
"""

from __future__ import annotations

import queue
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from ava_core.assignment import plan_assignment
from ava_core.cvat.gateway import CvatGateway
from ava_core.cvat.prefill import prefill_tracks, to_api
from ava_core.errors import CvatError
from ava_core.ontology import Ontology
from ava_core.progress import Progress, ProgressSink, ignore_progress
from ava_core.settings import Settings
from ava_core.storage import Storage
from ava_core.store import Store, annotators, tasks
from ava_core.store.tables import Job, Task
from ava_core.tables import CVAT_JOBS

AT_ONCE: Final = 4
"""Clips in work at a time: uploads of one overlap the server's work on another."""


def create_tasks(
    batch: str,
    clips: pl.DataFrame,
    tracks: pl.DataFrame,
    storage: Storage,
    settings: Settings,
    store: Store,
    ontology: Ontology,
    sink: ProgressSink = ignore_progress,
) -> pl.DataFrame:
    """One task per clip, one job per annotator, tracks pre-drawn in every job; returns `tables.CVAT_JOBS`.

    A clip with several annotators has replica jobs for them; its parent job stays unassigned, for adjudication.
    Clips that have their task already keep it and its annotators. Raises `AssignmentError` without annotators.
    """
    known = {task.clip_id for task in tasks.tasks_of(store, batch)}
    new = [clip for clip in clips.sort("clip_id").to_dicts() if clip["clip_id"] not in known]
    if new:
        people = annotators.available(store)
        # Planned over all clips, also those that are made: a run that goes on deals the rest as the first one did.
        plan = plan_assignment(
            clips["clip_id"].to_list(),
            [person.username for person in people],
            overlap=settings.overlap,
            k=settings.annotators_per_clip,
            seed=settings.seed,
            capacity={person.username: person.capacity for person in people if person.capacity is not None},
        )
        progress = Progress("make tasks", len(new), "tasks", sink)
        workshop = _Workshop(batch, tracks, storage, settings, store, ontology)
        with workshop, ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in pool.map(lambda clip: workshop.make(clip, plan.annotators[clip["clip_id"]]), new):
                progress.advance()
        progress.finish()
    return job_table(store, batch)


def job_table(store: Store, batch: str) -> pl.DataFrame:
    """`tables.CVAT_JOBS` of a batch, as the database has it."""
    projects = {task.task_id: task.project_id for task in tasks.tasks_of(store, batch)}
    rows = [
        {
            "batch": batch, "clip_id": job.clip_id, "project_id": projects[job.task_id], "task_id": job.task_id,
            "job_id": job.job_id, "job_type": job.job_type, "annotator": job.annotator, "frames": job.frames,
        }
        for job in tasks.jobs_of(store, batch)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=dict(CVAT_JOBS))


@dataclass
class _Workshop:
    """Makes tasks with a few gateways, each used by one thread at a time."""

    batch: str
    tracks: pl.DataFrame
    storage: Storage
    settings: Settings
    store: Store
    ontology: Ontology

    def __enter__(self) -> _Workshop:
        self._gateways: queue.SimpleQueue[CvatGateway] = queue.SimpleQueue()
        with ExitStack() as stack:
            for _ in range(AT_ONCE):
                self._gateways.put(stack.enter_context(CvatGateway(self.settings)))
            gateway = self._gateways.get()
            gateway.ensure_organisation()
            self.project = gateway.ensure_project(self.settings.cvat_project, self.ontology)
            self.members = gateway.members()
            self._gateways.put(gateway)
            tasks.put_project(self.store, self.project.project_id, self.settings.cvat_project)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def make(self, clip: dict[str, Any], names: tuple[str, ...]) -> None:
        """Make one clip's task, its jobs, their assignees and their tracks; then note it all at once."""
        strangers = [name for name in names if name not in self.members]
        if strangers:
            raise CvatError(
                f"{strangers[0]!r} is no member of organisation {self.settings.cvat_organisation!r} on CVAT.",
                "Invite the person there, or deactivate the annotator here.",
            )
        gateway = self._gateways.get()
        try:
            task = self._task(gateway, clip, replicas=len(names) if len(names) > 1 else 0)
            drawn = prefill_tracks(self.tracks.filter(pl.col("clip_id") == clip["clip_id"]), clip["frames"])
            jobs = [
                self._job(gateway, clip, task, job, name, drawn)
                for job, name in _dealt(gateway.jobs_of_task(task["id"]), names)
            ]
        finally:
            self._gateways.put(gateway)
        noted = Task(
            task_id=task["id"], project_id=self.project.project_id, name=task["name"], batch=self.batch,
            clip_id=clip["clip_id"],
        )  # fmt: skip
        tasks.put_task(self.store, noted, jobs)

    def _task(self, gateway: CvatGateway, clip: dict[str, Any], *, replicas: int) -> dict[str, Any]:
        """The clip's task: one that the server has, else a new one. Unusable and doubled ones are removed."""
        found = gateway.tasks_named(self.project.project_id, clip["clip_id"])
        wanted_jobs = replicas + 1
        usable = [t for t in found if t.get("size") == clip["frames"] and t["jobs"]["count"] == wanted_jobs]
        for task in found:
            if task not in usable[:1]:
                gateway.remove_task(task["id"])
        if usable:
            return usable[0]
        with self.storage.fetched(self.storage.path(clip["path"])) as video:
            task = gateway.create_task(self.project.project_id, clip["clip_id"], video, replicas=replicas)
        if task.get("size") != clip["frames"]:
            gateway.remove_task(task["id"])
            raise CvatError(
                f"CVAT counts {task.get('size')} frames in {clip['clip_id']}, the clip has {clip['frames']}.",
                "Its frames would be misnumbered; cut the clip again.",
            )
        return task

    def _job(
        self,
        gateway: CvatGateway,
        clip: dict[str, Any],
        task: dict[str, Any],
        job: dict[str, Any],
        name: str,
        drawn: list[dict[str, Any]],
    ) -> Job:
        """Give a job its person and its tracks. Work that someone has begun is never written over."""
        if name and job["state"] == "new":
            if drawn and not gateway.annotations(job["id"])["tracks"]:
                gateway.put_tracks(
                    job["id"], to_api(drawn, self.ontology, self.project.label_id, self.project.specs)
                )
            if job["assignee"] is None:
                job = gateway.set_job(job["id"], assignee=self.members[name])
        return Job(
            job_id=job["id"], task_id=task["id"], batch=self.batch, clip_id=clip["clip_id"], job_type=job["type"],
            annotator=name, stage=job["stage"], state=job["state"], server_updated_at=job["updated_date"],
            frames=clip["frames"], predrawn=drawn,
        )  # fmt: skip


def _dealt(jobs: list[dict[str, Any]], names: tuple[str, ...]) -> list[tuple[dict[str, Any], str]]:
    """Each job with its annotator; "" for the parent of replicas. Jobs that have an assignee keep it."""
    own = [job for job in jobs if job["type"] == "consensus_replica"] if len(names) > 1 else jobs[:1]
    taken = {job["id"]: job["assignee"]["username"] for job in own if job["assignee"]}
    free = [name for name in names if name not in taken.values()]
    dealt = {job["id"]: taken.get(job["id"]) or free.pop(0) for job in own}
    return [(job, dealt.get(job["id"], "")) for job in jobs]
