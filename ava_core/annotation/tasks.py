"""Making a batch's tasks: once, whatever happens in between.

A task's identity is its name and its batch within the platform's project, which survive on the server. The name is
the clip's id, and for an annotator who was added later the clip's id and that annotator's name; the batch stands where
CVAT has a task's subset, which tasks that were made by earlier versions leave empty. What the server has is looked up
before anything is made, so a run that was killed, or whose answers were lost, goes on where it stopped; a task
without usable media is replaced. A task that anybody has work in is never removed.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

import polars as pl

from ava_core.annotation.assignment import AssignmentPlan, plan_assignment
from ava_core.annotation.forms import project_for_tasks
from ava_core.annotation.gateway import CvatGateway, ProjectInfo
from ava_core.annotation.pool import GatewayPool
from ava_core.annotation.prefill import prefill_tracks, to_api
from ava_core.annotation.session import tried_again
from ava_core.annotation.sync import as_seen
from ava_core.base.errors import AssignmentError, CvatError, UnusableClipError
from ava_core.base.lock import alone
from ava_core.base.progress import Progress, ProgressSink, ignore_progress
from ava_core.base.schemas import CVAT_JOBS, SET_ASIDE
from ava_core.batch import BatchContext
from ava_core.store import annotators, batches, tasks
from ava_core.store.tables import MISSING, Job, Task

EXTRA_MARK = "+"
"""Between the clip's id and the annotator's name in the name of a task that was added for that annotator."""

AGAIN_MARK = "#"
"""Between that and a number where the annotator's first one went to somebody else; no user name has this sign."""


@dataclass(frozen=True)
class PlannedTask:
    """A task to make: its name on the server, its row of `schemas.CLIPS`, and its annotators.

    `found`: it was seen on the server, so its annotators may have left since.
    """

    name: str
    clip: dict[str, Any]
    annotators: tuple[str, ...]
    found: bool = False


def create_tasks(
    at: BatchContext, clips: pl.DataFrame, tracks: pl.DataFrame, sink: ProgressSink = ignore_progress
) -> pl.DataFrame:
    """Create a task per clip and a job per annotator, with tracks pre-drawn; returns `schemas.CVAT_JOBS`.

    A clip with several annotators gets replica jobs; its parent job stays unassigned, for adjudication. Clips that
    already have a task keep it and its annotators. A clip that the server cannot use gets no task until the next call;
    `cvat_tasks/set_aside.parquet` (`schemas.SET_ASIDE`) gives the reason. Raises `AssignmentError` if there are no
    annotators, and `UnusableClipError` if no clip has a task in the end.
    """
    aside: list[tuple[str, str]] = []
    with one_at_a_time(at):
        new = new_clips(at, clips)
        if new:
            plan = plan_batch(at, clips)
            wanted = [PlannedTask(clip["clip_id"], clip, plan.annotators[clip["clip_id"]]) for clip in new]
            with GatewayPool(at.settings) as pool:
                workshop = Workshop(at, tracks, pool)
                wanted += workshop.extras_on_server(new)
                aside = workshop.make_all(wanted, sink)
        at.storage.write_table(
            at.storage.table_path(at.batch, "cvat_tasks", "set_aside"),
            pl.DataFrame(aside, schema=dict(SET_ASIDE), orient="row"),
        )
    jobs = job_table(at)
    if aside and jobs.is_empty():
        raise UnusableClipError(
            f"No clip of {at.batch} can have a task. {aside[0][0]}: {aside[0][1]}.", "Cut the clip again."
        )
    return jobs


def add_annotator(at: BatchContext, clip: dict[str, Any], annotator: str, tracks: pl.DataFrame) -> None:
    """Give a clip that has its task one annotator more, in a task of its own: CVAT adds no replica to a task."""
    with one_at_a_time(at), GatewayPool(at.settings) as pool:
        workshop = Workshop(at, tracks, pool)
        name = workshop.free_name(clip["clip_id"], annotator)
        for _, reason in workshop.make_all([PlannedTask(name, clip, (annotator,))]):
            raise UnusableClipError(f"{reason}.", "Cut the clip again.")


def one_at_a_time(at: BatchContext) -> AbstractContextManager[None]:
    """Two runs that make tasks of a batch at once would each find none on the server, and make all twice."""
    return alone(at.settings.home_dir / "locks" / f"tasks_{at.batch}.lock")


def new_clips(at: BatchContext, clips: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows of `schemas.CLIPS` that have no task yet."""
    known = {task.clip_id for task in tasks.tasks_of(at.store, at.batch)}
    return [clip for clip in clips.sort("clip_id").to_dicts() if clip["clip_id"] not in known]


def plan_batch(at: BatchContext, clips: pl.DataFrame) -> AssignmentPlan:
    """Who would get which clip of a batch now.

    Planned over all its clips, also those that are made: a run that goes on deals the rest as the first one did.
    Where one person is chosen alone, or is the only annotator, they get every clip. Raises `AssignmentError` where
    `settings.annotators` names somebody who gets no work.
    """
    settings, people = at.settings, annotators.available(at.store)
    wanted = {name.strip() for name in settings.annotators.split(",") if name.strip()}
    if unknown := sorted(wanted - {person.username for person in people}):
        raise AssignmentError(
            f"{unknown[0]!r} is chosen for this batch but cannot get work: unknown, paused, inactive, or "
            f"practice not passed.",
            "Choose others on the Tasks page (or AVA_ANNOTATORS), or activate this annotator.",
        )
    people = [person for person in people if not wanted or person.username in wanted]
    # Somebody chosen alone, or the only annotator there ever was, does everything; else one is missing.
    alone = len(people) == 1 and (bool(wanted) or len(annotators.everyone(at.store)) == 1)
    return plan_assignment(
        clips["clip_id"].to_list(),
        [person.username for person in people],
        overlap=0.0 if alone else settings.overlap,
        k=settings.annotators_per_clip,
        seed=settings.seed,
        capacity={person.username: person.capacity for person in people if person.capacity is not None},
        pair_floor=settings.pair_floor,
    )


def job_table(at: BatchContext) -> pl.DataFrame:
    """`schemas.CVAT_JOBS` of a batch, as the database has it."""
    projects = {task.task_id: task.project_id for task in tasks.tasks_of(at.store, at.batch)}
    rows = [
        {
            "batch": at.batch, "clip_id": job.clip_id, "project_id": projects[job.task_id], "task_id": job.task_id,
            "job_id": job.job_id, "job_type": job.job_type, "annotator": job.annotator, "frames": job.frames,
        }
        for job in tasks.jobs_of(at.store, at.batch)
        if job.of_annotator or job.state != MISSING
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=dict(CVAT_JOBS))


class Workshop:
    """Makes a batch's tasks in the platform's project, which is made where it does not exist."""

    def __init__(self, at: BatchContext, tracks: pl.DataFrame, pool: GatewayPool) -> None:
        self.at, self.tracks, self.pool = at, tracks, pool
        with pool.gateway() as gateway:
            gateway.ensure_organisation()
            self.project: ProjectInfo = project_for_tasks(at, gateway)
            self.members = gateway.members()

    def extras_on_server(self, clips: list[dict[str, Any]]) -> list[PlannedTask]:
        """Tasks that were added for annotators once and that the database does not know (any more)."""
        by_id = {clip["clip_id"]: clip for clip in clips}
        with self.pool.gateway() as gateway:
            names = [
                task["name"].partition(EXTRA_MARK)
                for task in gateway.tasks_of_project(self.project.project_id)
                if self._is_ours(task)
            ]
        return [
            PlannedTask(
                clip_id + EXTRA_MARK + rest, by_id[clip_id], (rest.partition(AGAIN_MARK)[0],), found=True
            )
            for clip_id, _, rest in names
            if rest and clip_id in by_id
        ]

    def free_name(self, clip_id: str, annotator: str) -> str:
        """The name of an annotator's added task: one that nobody else has got the task of meanwhile."""
        first = f"{clip_id}{EXTRA_MARK}{annotator}"
        with self.pool.gateway() as gateway:
            for name in chain([first], (f"{first}{AGAIN_MARK}{number}" for number in count(2))):
                found = filter(self._is_ours, gateway.tasks_named(self.project.project_id, name))
                if all(_is_for(annotator, job) for task in found for job in gateway.jobs_of_task(task["id"])):
                    return name
        raise AssertionError("not reached")

    def make_all(
        self, wanted: list[PlannedTask], sink: ProgressSink = ignore_progress
    ) -> list[tuple[str, str]]:
        """Make the tasks, several at a time; gives the clips that the server cannot use, each with the reason.

        Raises `InputError` where a clip's id is another batch's.
        A batch in the archive gets none, and an `InputError` says so.
        """
        batches.check_active(self.at.store, [self.at.batch])
        tasks.claim_clips(self.at.store, self.at.batch, [task.clip["clip_id"] for task in wanted])
        for name in sorted({name for task in wanted if not task.found for name in task.annotators}):
            self._member(name)
        progress = Progress("make tasks", len(wanted), "tasks", sink)
        aside = []
        for task, reason in zip(wanted, self.pool.map(self._make_surely, wanted), strict=True):
            if reason:
                aside.append((task.clip["clip_id"], reason))
            progress.advance()
        progress.finish()
        return aside

    def _member(self, name: str) -> int:
        """The user id of a member of the organisation."""
        if name not in self.members:
            raise CvatError(
                f"{name!r} is not a member of organisation {self.at.settings.cvat_organisation!r} on CVAT.",
                "Invite them there, or deactivate the annotator here.",
            )
        return self.members[name]

    def _make_surely(self, wanted: PlannedTask) -> str:
        """Make one task; where the server fails on the way, look again at what it has, and go on from there.

        Gives the reason where the server cannot use the clip, else "".
        """
        with self.pool.gateway() as gateway:
            try:
                tried_again(lambda: self._make(gateway, wanted))
            except UnusableClipError as error:
                return error.message.rstrip(".")
        return ""

    def _make(self, gateway: CvatGateway, wanted: PlannedTask) -> None:
        """One task with its jobs, their assignees and their tracks; then it is noted all at once."""
        clip, names = wanted.clip, wanted.annotators
        task = self._task(gateway, wanted)
        drawn = prefill_tracks(self.tracks.filter(pl.col("clip_id") == clip["clip_id"]), clip["frames"])
        jobs = [
            self._job(gateway, clip, task, job, name, drawn)
            for job, name in _dealt(gateway.jobs_of_task(task["id"]), names)
        ]
        noted = Task(
            task_id=task["id"], project_id=self.project.project_id, name=task["name"], batch=self.at.batch,
            clip_id=clip["clip_id"],
        )  # fmt: skip
        tasks.put_task(self.at.store, noted, jobs)

    def _task(self, gateway: CvatGateway, wanted: PlannedTask) -> dict[str, Any]:
        """The task of that name: one that the server has, else a new one. Unusable and doubled ones are removed."""
        clip, project_id = wanted.clip, self.project.project_id
        replicas = len(wanted.annotators) if len(wanted.annotators) > 1 else 0
        found = [task for task in gateway.tasks_named(project_id, wanted.name) if self._is_ours(task)]
        jobs = {task["id"]: gateway.jobs_of_task(task["id"]) for task in found}
        begun = {number for number, own in jobs.items() if _is_dealt(own)}
        # Work that people have is taken up as it is, also where it would be dealt otherwise today.
        usable = [
            task for task in found
            if task.get("size") == clip["frames"]
            and (task["id"] in begun or task["jobs"]["count"] == replicas + 1)
        ]  # fmt: skip
        usable.sort(key=lambda task: (-_completed(jobs[task["id"]]), task["id"] not in begun, task["id"]))
        for task in found:
            if task in usable[:1]:
                continue
            if task["id"] in begun:
                raise CvatError(
                    f"CVAT's task {task['id']}, named {wanted.name!r}, is assigned but does not match the "
                    f"clip, or exists twice.",
                    "Nothing was removed. Rename the task there: its work is kept, and the clip gets a new "
                    "task.",
                )
            gateway.remove_task(task["id"])
        if usable:
            return usable[0]
        path = self.at.storage.path(clip["path"])
        if not path.exists():
            raise UnusableClipError(f"{path.name} is missing.", "Cut the clip again.")
        with self.at.storage.fetched(path) as video:
            task = gateway.create_task(
                project_id, wanted.name, video, replicas=replicas, subset=self.at.batch
            )
        if task.get("size") != clip["frames"]:
            gateway.remove_task(task["id"])
            raise UnusableClipError(
                f"CVAT counts {task.get('size')} frames in {clip['clip_id']}, the clip has {clip['frames']}.",
                "Its frames would be misnumbered; cut the clip again.",
            )
        return task

    def _is_ours(self, task: dict[str, Any]) -> bool:
        """Whether the server's task is one of this batch: a name alone may be another batch's, or platform's."""
        return task.get("subset") in (self.at.batch, "", None)

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
                    job["id"], to_api(drawn, self.at.ontology, self.project.label_id, self.project.specs)
                )
            if job["assignee"] is None:
                job = gateway.set_job(job["id"], assignee=self._member(name))
        return Job(
            **as_seen(Job(job_id=job["id"], annotator=name), job), task_id=task["id"], batch=self.at.batch,
            clip_id=clip["clip_id"], job_type=job["type"], frames=clip["frames"], predrawn=drawn,
        )  # fmt: skip


def _dealt(jobs: list[dict[str, Any]], names: tuple[str, ...]) -> list[tuple[dict[str, Any], str]]:
    """Each job with its annotator; "" for the parent of replicas. Jobs that have an assignee keep it.

    Replicas that nobody is left for are not among them. Raises `CvatError` where work has no author.
    """
    own = [job for job in jobs if job["type"] == "consensus_replica"] or jobs[:1]
    dealt = {job["id"]: job["assignee"]["username"] for job in own if job["assignee"]}
    free = [job for job in own if job["id"] not in dealt]
    for job in free:
        if _is_dealt([job]):
            raise CvatError(
                f"CVAT's job {job['id']} was started ({job['stage']}, {job['state']}) but is not assigned "
                f"to anyone.",
                "Nothing was changed. Assign it there to the annotator who did the work, then run this "
                "again.",
            )
    left = [name for name in names if name not in dealt.values()]
    dealt |= {job["id"]: name for job, name in zip(free, left, strict=False)}
    parents = [job["id"] for job in jobs if job not in own]
    return [(job, dealt.get(job["id"], "")) for job in jobs if job["id"] in dealt or job["id"] in parents]


def _completed(jobs: list[dict[str, Any]]) -> int:
    """How many of these jobs are completed."""
    return sum(job["state"] == "completed" for job in jobs)


def _is_for(annotator: str, job: dict[str, Any]) -> bool:
    """Whether a job is the annotator's, or nobody's who has begun it."""
    if job["assignee"]:
        return bool(job["assignee"]["username"] == annotator)
    return not _is_dealt([job])


def _is_dealt(jobs: list[dict[str, Any]]) -> bool:
    """Whether anybody may have work in these jobs."""
    return any(job["assignee"] or job["state"] != "new" or job["stage"] != "annotation" for job in jobs)
