"""A platform's home beside a running annotation server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import SecretStr

from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.labelling.desk import Desk, job_of
from ava_core.annotation.retrieve import read_completed
from ava_core.annotation.sync import look_at_jobs
from ava_core.annotation.tasks import create_tasks
from ava_core.base.schemas import CLIPS, TRACKS
from ava_core.batch import BatchContext
from ava_core.store import tasks
from tests.support.annotation_server import PASSWORD, RunningServer
from tests.support.home import Home

PEOPLE = ("maria", "tomas", "chloe")


class AnnotationSite(Home):
    """Batch `b` with clips of 60 frames and a track in each, and three annotators who are known to the server."""

    def __init__(self, server: RunningServer, folder: Path, clip: Path, clips: int = 2, **given: Any) -> None:
        usual = {
            "ontology": "street", "cvat_url": server.url, "cvat_username": server.username,
            "cvat_password": server.password, "annotators_per_clip": 2, "overlap": 0.5,
        }  # fmt: skip
        super().__init__(folder, **usual | given)
        self.server = server
        server.add_annotators(*PEOPLE)
        self.add_annotators(PEOPLE)
        self.register_batch("b")
        rows = []
        for number in range(clips):
            path = self.storage.path("clips", f"c{number}.mp4")
            with self.storage.writing(path) as target:
                shutil.copyfile(clip, target)
            rows.append({"clip_id": f"c{number}", "source_id": "s", "batch": "b", "index": number,
                         "frames": 60, "width": 96, "height": 64, "path": f"clips/c{number}.mp4"})  # fmt: skip
        self.clips = pl.DataFrame(rows, schema=dict(CLIPS))
        boxes = [
            (f"c{n}", f, 1, float(f), 20.0, f + 12.0, 44.0, 0.9, False)
            for n in range(clips)
            for f in range(0, 46, 3)
        ]
        self.tracks = pl.DataFrame(boxes, schema=dict(TRACKS), orient="row")

    @property
    def context(self) -> BatchContext:
        """The batch."""
        return self.at("b")

    def keep_tables(self) -> None:
        """Write the tables where the graph has them."""
        self.write_tables("b", {("clips", ""): self.clips, ("tracks", ""): self.tracks})

    def create(self) -> pl.DataFrame:
        """Make the tasks."""
        return create_tasks(self.context, self.clips, self.tracks)

    def gateway(self) -> CvatGateway:
        """A session of the platform."""
        return CvatGateway(self.settings)

    def read(self) -> dict[str, pl.DataFrame]:
        """Read completed work."""
        return read_completed(self.context, self.clips)

    def forget(self) -> None:
        """Lose the database's tasks and jobs; the server keeps them."""
        with self.store.session() as session:
            for row in (*tasks.jobs_of(self.store, "b"), *tasks.tasks_of(self.store, "b")):
                session.delete(row)

    def look(self) -> None:
        """Bring the database in step with the server."""
        with self.gateway() as gateway:
            look_at_jobs(gateway, self.store)

    def server_tasks(self) -> list[str]:
        """Names of the tasks on the server."""
        with self.server.api() as api:
            return sorted(task["name"] for task in api.get("/api/tasks?page_size=500").json()["results"])


@contextmanager
def desk_as(site: AnnotationSite, job_id: int, name: str) -> Iterator[Desk]:
    """A job at the desk of the annotator of that name."""
    own = {"cvat_username": name, "cvat_password": SecretStr(PASSWORD), "cvat_token": None}
    with CvatGateway(site.settings.model_copy(update=own)) as gateway:
        yield Desk(gateway, site.store, job_of(site.store, job_id), site.ontology, name)
