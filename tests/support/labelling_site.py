"""A platform with one job on the page for labelling, and its annotator signed in at a console of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import polars as pl

from ava_assets.running.services import free_port
from tests.support.annotation_server import PASSWORD as SERVER_PASSWORD
from tests.support.annotation_server import RunningServer
from tests.support.annotation_site import AnnotationSite
from tests.support.processes import PROJECT
from tests.support.street import PASSWORD
from tests.support.waiting import wait_until

VISITOR = "vera"


@dataclass(frozen=True)
class LabellingSite:
    """The console's address, and the job that its annotator has."""

    url: str
    job_id: int
    name: str


def sign_in(server: RunningServer, name: str) -> str:
    """A token of the annotation server."""
    with server.api(name) as api:
        answer = api.post("/api/auth/login", json={"username": name, "password": SERVER_PASSWORD})
        return str(answer.raise_for_status().json()["key"])


@contextmanager
def labelling(site: AnnotationSite) -> Iterator[LabellingSite]:
    """Make the site's tasks, and run a console for the annotator of the first job."""
    port = free_port()
    settings = site.settings.model_copy(update={"console_port": port})
    site.add_users({VISITOR: "viewer"}, PASSWORD)
    site.keep_tables()
    job_id, name = (
        site.create().filter(pl.col("annotator") != "").sort("job_id").select("job_id", "annotator").row(0)
    )
    outside = ("AVA_", "PYTEST", "NICEGUI")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(outside)}
    environment |= settings.environment() | {"PYTHONPATH": str(PROJECT)}
    environment |= {"LABELLER_NAME": name, "LABELLER_ID": "0", "LABELLER_TOKEN": sign_in(site.server, name)}
    log = site.home / "console.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "tests.support.labelling_console"]
        process = subprocess.Popen(command, env=environment, cwd=site.home, stdout=output, stderr=output)
        url = f"http://127.0.0.1:{port}"

        def is_up() -> bool:
            try:
                return httpx.get(f"{url}/login", timeout=1, verify=False).status_code == 200
            except httpx.HTTPError:
                return process.poll() is not None

        try:
            wait_until(is_up, 120)
            assert process.poll() is None, log.read_text()
            yield LabellingSite(url, job_id, name)
        finally:
            process.terminate()
            process.wait(60)
