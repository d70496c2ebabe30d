"""A platform with jobs on the page for labelling, and a console at which their annotators sign in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import polars as pl
from playwright.sync_api import Browser

from ava_assets.running.services import free_port
from tests.support.annotation_server import PASSWORD, RunningServer
from tests.support.annotation_site import AnnotationSite
from tests.support.browser import Visitor
from tests.support.processes import console


@dataclass(frozen=True)
class LabellingSite:
    """The console's address, and the job that its annotator has."""

    url: str
    job_id: int
    name: str


def sign_in(server: RunningServer, name: str) -> str:
    """A token of the annotation server."""
    with server.api(name) as api:
        answer = api.post("/api/auth/login", json={"username": name, "password": PASSWORD})
        return str(answer.raise_for_status().json()["key"])


@contextmanager
def labelling(site: AnnotationSite) -> Iterator[LabellingSite]:
    """Make the site's tasks, and run a console; what is given is the first job and its annotator."""
    settings = site.settings.model_copy(update={"console_port": free_port()})
    site.add_users(
        {"adam": "admin"}, PASSWORD
    )  # before there is one, the door asks for the first admin alone
    site.keep_tables()
    job_id, name = (
        site.create().filter(pl.col("annotator") != "").sort("job_id").select("job_id", "annotator").row(0)
    )
    with console(settings) as url:
        yield LabellingSite(url, job_id, name)


def signed_in(browser: Browser, place: LabellingSite, *, dark: bool = False) -> Visitor:
    """The annotator, signed in at the console with the account of the annotation server."""
    return Visitor(browser, place.url, place.name, password=PASSWORD, dark=dark)
