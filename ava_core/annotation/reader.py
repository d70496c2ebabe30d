"""Reads jobs from the annotation server, one by one: what goes wrong with one is said of that one, the rest go on.

Nothing is written to the server. Ids mean what they meant when the job's task was made (`forms`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import polars as pl

from ava_core.annotation.forms import form_of
from ava_core.annotation.gateway import CvatGateway, ProjectInfo
from ava_core.annotation.pages import job_page
from ava_core.annotation.pool import GatewayPool
from ava_core.annotation.reading import content_hash, extent, shapes_from_api
from ava_core.annotation.session import TRANSIENT, CvatLostError, CvatMissingError
from ava_core.annotation.shapes import Shape
from ava_core.annotation.sync import as_seen
from ava_core.base.errors import CvatError, CvatLoginError, CvatUnreachableError, UnreadableJobError
from ava_core.base.progress import Progress, ProgressSink, ignore_progress
from ava_core.base.schemas import JOB_FINDINGS, JobFinding
from ava_core.batch import BatchContext
from ava_core.store import readings, tasks
from ava_core.store.tables import DONE_STATE, Job

KEPT_AT_ONCE: Final = 100
"""Readings that are written together: a crash loses no more than these, and they are only read again."""
READ_TRIES: Final = 3
"""Readings of a job that changes while it is read; it is taken up again when it was looked at the next time."""

EXTENT: Final = ("people at seconds", "answers")
"""What `reading.extent` counts."""
LEAST_JUDGED: Final = 10
"""Of fewer than these a person may well take all away: a clip with one false track is emptied by good work."""

Found = TypeVar("Found")


class Reader:
    """Reads a batch's jobs; afterwards it knows what could not be read as it is."""

    def __init__(self, at: BatchContext, sink: ProgressSink = ignore_progress) -> None:
        self.at, self.sink = at, sink
        self._unread: dict[int, CvatError] = {}
        self._forms: dict[int, ProjectInfo] = {}
        self._projects: dict[int, int] = {}

    def read(self, jobs: Sequence[Job], authors: Mapping[int, str] | None = None) -> None:
        """Keep a version of every completed job whose present state was not read yet.

        `authors`: whose work a job is, by its id; its annotator's where it is not told. One that has lost more of what
        it said than AVA_READING_MAY_LOSE is kept, and does not count. Raises `CvatError` where the server does not
        answer at all, or fails for every job.
        """
        store = self.at.store
        last = readings.latest(store, [job.job_id for job in jobs], held=True)
        new = [
            job for job in jobs
            if job.state == DONE_STATE
            and (job.job_id not in last or last[job.job_id].server_updated_at != job.server_updated_at)
        ]  # fmt: skip
        if not new:
            return
        self._know_projects()
        progress = Progress("read jobs", len(new), "jobs", self.sink)
        with GatewayPool(self.at.settings) as pool:
            for start in range(0, len(new), KEPT_AT_ONCE):
                some = new[start : start + KEPT_AT_ONCE]
                read = [one for one in pool.map(lambda job: self._read(pool, job), some) if one]
                for one in read:
                    one["annotator"] = (authors or {}).get(one["job_id"], one["annotator"])
                readings.append_all(store, self._held_to_the_last(read, some))
                progress.advance(len(some))
        failed = [error for error in self._unread.values() if isinstance(error, TRANSIENT)]
        if len(failed) == len(new):
            raise failed[0]
        tasks.note_retrieval(store, {job.task_id for job in new if job.job_id not in self._unread})
        progress.finish()

    def look_into(self, jobs: Sequence[Job]) -> dict[int, list[Shape]]:
        """What jobs say now, done or not, by job; nothing is kept, and those that cannot be read are left out."""
        self._know_projects()
        with GatewayPool(self.at.settings) as pool:
            found = pool.map(lambda job: self._tried(pool, job, self._content), jobs)
            return {job.job_id: shapes for job, shapes in zip(jobs, found, strict=True) if shapes is not None}

    def findings(self, jobs: Sequence[Job], more: Sequence[dict[str, Any]] = ()) -> pl.DataFrame:
        """`schemas.JOB_FINDINGS` of jobs: those that could not be read, those held back, and `more`."""
        newest = readings.latest(self.at.store, [job.job_id for job in jobs], held=True)
        by_id = {job.job_id: job for job in jobs}
        rows = [
            finding(self.at, by_id[number], "unreadable", error.message, error.cure)
            for number, error in self._unread.items() if number in by_id
        ]  # fmt: skip
        for number, reading in newest.items():
            if reading.held and not reading.judged_by:
                take_up = f"`ava reading take-up {number} {reading.version}`"
                cure = f"{take_up} if this is intended; otherwise, take up an earlier version."
                rows.append(
                    finding(self.at, by_id[number], "held_back", reading.held, cure, version=reading.version)
                )
        table = pl.DataFrame([*rows, *more], schema=dict(JOB_FINDINGS))
        return table.sort("clip_id", "annotator", "job_id", "kind", "detail")

    def _know_projects(self) -> None:
        own = tasks.tasks_of(self.at.store, self.at.batch)
        self._projects = {task.task_id: task.project_id for task in own}

    def _read(self, pool: GatewayPool, job: Job) -> dict[str, Any] | None:
        """A completed job's content, as `readings.append_all` takes it; `None` where there is none to be had."""
        return self._tried(pool, job, self._settled)

    def _tried(self, pool: GatewayPool, job: Job, read: Callable[[CvatGateway, Job], Found]) -> Found | None:
        """`read(gateway, job)`, or `None` and a note of why not; raises where the server itself is away."""
        try:
            with pool.gateway() as gateway:
                return read(gateway, job)
        except CvatLoginError:
            raise
        except CvatMissingError:
            error = UnreadableJobError(
                "It no longer exists on CVAT.", "No action needed if someone removed it on purpose."
            )
            self._unread[job.job_id] = error
        except CvatError as error:
            if isinstance(error, CvatUnreachableError) and not isinstance(error, CvatLostError):
                raise
            self._unread[job.job_id] = error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            said = f"CVAT's answer has an unexpected form ({type(error).__name__}: {error})."
            self._unread[job.job_id] = UnreadableJobError(said[:300], "Open the job there and save it again.")
        return None

    def _settled(self, gateway: CvatGateway, job: Job) -> dict[str, Any] | None:
        """The job is looked at after its content: a reading belongs to a moment at which the work was done."""
        expected = job.server_updated_at
        for _ in range(READ_TRIES):
            shapes = self._content(gateway, job)
            now = gateway.job(job.job_id)
            seen = as_seen(job, now)
            if seen["server_updated_at"] == expected:
                return {
                    "job_id": job.job_id, "task_id": job.task_id, "annotator": job.annotator,
                    "server_updated_at": expected, "content_hash": content_hash(shapes), "shapes": shapes,
                }  # fmt: skip
            expected = seen["server_updated_at"]
            tasks.update_jobs(self.at.store, [seen])
            if seen["state"] != DONE_STATE:
                return None
        return None

    def _content(self, gateway: CvatGateway, job: Job) -> list[Shape]:
        form = self._form(gateway, self._projects[job.task_id])
        names = {number: name for name, number in form.specs.items()}
        return shapes_from_api(gateway.annotations(job.job_id), names, form.label_id)

    def _form(self, gateway: CvatGateway, project_id: int) -> ProjectInfo:
        if project_id not in self._forms:
            self._forms[project_id] = form_of(self.at.store, gateway, project_id)
        return self._forms[project_id]

    def _held_to_the_last(self, read: list[dict[str, Any]], jobs: Sequence[Job]) -> list[dict[str, Any]]:
        """The readings; those that have lost too much against the version that counts say so in `held`."""
        counting = readings.latest(self.at.store, [one["job_id"] for one in read])
        before = readings.shapes_of_all(self.at.store, [reading.reading_id for reading in counting.values()])
        frames = {job.job_id: job.frames for job in jobs}
        for one in read:
            if known := counting.get(one["job_id"]):
                length = frames[one["job_id"]]
                had = extent(before[known.reading_id], self.at.ontology, length)
                has = extent(one["shapes"], self.at.ontology, length)
                one["held"] = _loss(had, has, known.version, self.at.settings.reading_may_lose)
        return read


def finding(
    at: BatchContext, job: Job, kind: JobFinding, detail: str, cure: str, *, version: int | None = None
) -> dict[str, Any]:
    """A row of `schemas.JOB_FINDINGS`."""
    return {
        "kind": kind, "clip_id": job.clip_id, "annotator": job.annotator, "job_id": job.job_id, "version": version,
        "detail": detail, "cure": cure, "link": job_page(at.settings, job.task_id, job.job_id),
    }  # fmt: skip


def _loss(had: tuple[int, int], has: tuple[int, int], version: int, may_lose: float) -> str:
    """A sentence where too much is gone, else ""."""
    for what, before, now in zip(EXTENT, had, has, strict=True):
        if before >= LEAST_JUDGED and now < (1 - may_lose) * before:
            return f"It has {now} {what}, where version {version} has {before}."
    return ""
