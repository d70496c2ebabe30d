"""A platform's home: settings, files and database in a folder of the test's own, and how work is planted in it.

Every home of the tests is one of these. `AnnotationSite` adds a running annotation server, `DagsterSite` the graph,
`World` batches that can be released, `street` the batch that the console's pages show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from argon2 import PasswordHasher

from ava_core.base.schemas import CVAT_JOBS, Schema, conform
from ava_core.base.settings import Settings, load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.ontology import Ontology, load_ontology
from ava_core.quality.agreement.measure import measure_agreement
from ava_core.store import Store, annotators, batches, open_store, tasks, users
from ava_core.store.tables import Job, Task
from tests.support.planted_work import Planted

DONE_AT = "2026-01-05T10:00:00.000000Z"
"""When the server saw the last change of a planted job."""
REPETITIONS = 20
"""Of the bootstrap: intervals are not what homes are planted for."""

Tables = Mapping[tuple[str, str], pl.DataFrame]
"""By asset and table; "" is the table that is named after the asset."""


@contextmanager
def passwords_that_cost_little() -> Iterator[None]:
    """Hash so that a sign-in takes no time, nor memory: what a guess must cost is a matter of the store's own tests."""
    little = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "_hasher", lambda: little)
        yield


class Home:
    """Settings, files and database of one platform; `given` are settings."""

    def __init__(self, folder: Path, **given: Any) -> None:
        self.settings: Settings = load_settings(home=folder, **given)
        self.storage = Storage(self.settings.resolved_storage_url)
        self.store: Store = open_store(self.settings)
        self._task_ids = count(1)

    @property
    def home(self) -> Path:
        """Its folder."""
        return self.settings.home_dir

    @property
    def ontology(self) -> Ontology:
        """The one that the settings name."""
        return load_ontology(self.settings.ontology)

    def at(self, batch: str) -> BatchContext:
        """A batch with everything that belongs to it."""
        return BatchContext(batch, self.settings, storage=self.storage, store=self.store)

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    def add_users(self, roles: Mapping[str, str], password: str) -> None:
        """People of the console, by name and role."""
        with passwords_that_cost_little():
            for name, role in roles.items():
                users.add(self.store, name, password, role)

    def add_annotators(self, names: Iterable[str]) -> None:
        """People who annotate."""
        for name in names:
            annotators.put(self.store, name)

    def register_batch(self, name: str, options: Mapping[str, Any] | None = None) -> None:
        """A batch whose zip came through the inbox."""
        batches.add(self.store, name, str(self.settings.inbox_dir / f"{name}.zip"), dict(options or {}))

    def write_tables(self, batch: str, tables: Tables) -> None:
        """Put tables where the graph has them."""
        for (asset, name), table in tables.items():
            self.storage.write_table(self.storage.table_path(batch, asset, name), table)

    def write_rows(
        self, batch: str, asset: str, schema: Schema, rows: Sequence[Mapping[str, Any]], table: str = ""
    ) -> None:
        """Put a table written by hand where the graph has it: columns that `rows` lack are null."""
        known = [{name: row.get(name) for name in schema} for row in rows]
        self.write_tables(batch, {(asset, table): pl.DataFrame(known, schema=dict(schema))})

    def add_jobs(self, batch: str, jobs: Iterable[Mapping[str, Any]], frames: int) -> pl.DataFrame:
        """Completed jobs with a task for each clip, in the database and as the asset's table, which is returned.

        `jobs`: `clip_id`, `annotator`, `job_id` (the task's number and a digit where left out).
        """
        tasks.put_project(self.store, 1, self.settings.cvat_project)
        by_clip: dict[str, list[Mapping[str, Any]]] = {}
        for job in jobs:
            by_clip.setdefault(job["clip_id"], []).append(job)
        rows = []
        for clip_id, own in by_clip.items():
            task = next(self._task_ids)
            rows += [
                {"batch": batch, "clip_id": clip_id, "project_id": 1, "task_id": task, "annotator": job["annotator"],
                 "job_id": job.get("job_id", task * 10 + n), "job_type": "consensus_replica", "frames": frames}
                for n, job in enumerate(own)
            ]  # fmt: skip
            done = [
                Job(**{name: value for name, value in row.items() if name != "project_id"}, stage="annotation",
                    state="completed", server_updated_at=DONE_AT)
                for row in rows[-len(own):]
            ]  # fmt: skip
            tasks.put_task(
                self.store, Task(task_id=task, project_id=1, name=clip_id, batch=batch, clip_id=clip_id), done
            )
        table = conform(pl.DataFrame(rows), CVAT_JOBS, "jobs")
        self.write_tables(batch, {("cvat_tasks", ""): table})
        return table

    def add_work(self, batch: str, work: Planted, frames: int) -> None:
        """A batch that all annotators of planted work have completed: jobs, readings and agreement."""
        self.add_annotators(sorted(work.completed["annotator"].unique()))
        self.add_jobs(batch, work.completed.to_dicts(), frames)
        raw = {"raw_boxes": work.raw_boxes, "raw_labels": work.raw_labels, "completed_jobs": work.completed}
        measured = measure_agreement(*work.work, repetitions=REPETITIONS)
        self.write_tables(
            batch,
            {("raw_annotations", name): table for name, table in raw.items()}
            | {("agreement", name): table for name, table in measured.items()},
        )
