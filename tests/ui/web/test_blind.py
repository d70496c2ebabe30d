"""Annotators are blind: only their own work is open to them, and what it says never depends on others' work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import polars as pl
import pytest
from nicegui import core
from starlette.routing import Mount, Route

from ava_core.annotation.labelling.desk import Desk
from ava_core.store import annotators
from ava_ui import addresses
from tests.support.annotation_server import PASSWORD
from tests.support.annotation_site import AnnotationSite, desk_as
from tests.support.reads import reading
from tests.support.site import Site, opened

OPEN = {
    addresses.WORK, addresses.LABEL, addresses.PRACTISE, addresses.LOGIN, addresses.LOGOUT, "/favicon.ico",
    *(f"{part}/{call}" for part in (addresses.LABELLING, addresses.PRACTISING)
      for call in ("sheet", "save", "state", "active")),
}  # fmt: skip
"""All that an annotator may ask for, but for what pages are made of; of clips only those of their own jobs."""

DRAWN_ANEW = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|__nicegui\w*|prod_js=\w+|(?<=v=)[0-9.]+")
"""Numbers that the console gives each drawing of a page."""


def addresses_of(routes: list[Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Methods and paths of all routes, with what is mounted."""
    for route in routes:
        if isinstance(route, Mount):
            yield from addresses_of(route.routes or [], before + route.path)
            yield "GET", f"{before}{route.path}/any"
        elif router := getattr(route, "original_router", None):  # as FastAPI keeps what was included
            yield from addresses_of(router.routes, before)
        elif isinstance(route, Route):
            yield from ((method, before + route.path) for method in sorted(route.methods or ()))


def filled(path: str, job_id: int, clip: str) -> str:
    known = {"batch": "b", "clip_id": clip, "job_id": str(job_id)}
    return re.sub(r"{(\w+)(:\w+)?}", lambda part: known.get(part[1], "1"), path)


async def as_annotator(site: Site, name: str) -> httpx.AsyncClient:
    annotators.put(site.console.store, name)
    answer = await site.http.post(addresses.LOGIN, data={"username": name, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return site.http


def two_of_one_clip(jobs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Two people's jobs of the same clip."""
    shared = jobs.filter(pl.col("annotator") != "").sort("clip_id", "job_id")
    shared = shared.filter(pl.len().over("clip_id") == 2)
    return shared[:1], shared[1:2]


async def test_of_all_addresses_only_own_work_is_open(annotation_site: AnnotationSite) -> None:
    annotation_site.keep_tables()
    jobs = annotation_site.create().filter(pl.col("annotator") != "")
    mine, _ = two_of_one_clip(jobs)
    name = mine["annotator"][0]
    own = jobs.filter(annotator=name)["clip_id"]
    job_id, clip = jobs.filter(~pl.col("clip_id").is_in(own.implode())).select("job_id", "clip_id").row(0)
    async with opened(annotation_site.settings) as site:
        http = await as_annotator(site, name)
        found = sorted(set(addresses_of(core.app.routes)))
        assert {addresses.PEOPLE, addresses.REVIEW_SHOWN, addresses.RELEASE_ZIP} <= {
            path for _, path in found
        }
        open_here = set()
        for method, path in found:
            address = filled(path, job_id, clip)
            if path.startswith(("/_nicegui", addresses.LABELLING_SCRIPTS)) or path == addresses.LOGOUT:
                continue
            answer = await http.request(method, address)
            if path == addresses.OVERVIEW:
                assert answer.headers["location"] == addresses.WORK
            elif answer.status_code != 403:
                open_here.add(path)
                assert not re.search(rf"\b{clip}\b", answer.text), address
        assert open_here == OPEN - {addresses.LOGOUT}


async def test_what_an_annotator_sees_and_waits_for_is_the_same_whatever_others_said(
    annotation_site: AnnotationSite,
) -> None:
    platform = annotation_site
    platform.keep_tables()
    jobs = platform.create()
    mine, others = two_of_one_clip(jobs)
    [(job_id, name, clip)] = mine.select("job_id", "annotator", "clip_id").rows()
    [(other_job, other)] = others.select("job_id", "annotator").rows()
    async with opened(platform.settings) as site:
        http = await as_annotator(site, name)

        async def seen() -> dict[str, Any]:
            what: dict[str, Any] = {}
            for address in (
                addresses.WORK, addresses.label(job_id), addresses.label(other_job),
                f"{addresses.labelling(job_id)}/sheet", f"{addresses.labelling(other_job)}/sheet",
                addresses.clip_video("b", clip),
            ):  # fmt: skip
                # What is read for an answer is what it takes time for: it tells no more than the answer does.
                with reading(site.console.store) as database, asking() as server:
                    answer = await http.get(address)
                body = DRAWN_ANEW.sub("", answer.text)
                said = (answer.status_code, answer.headers.get("etag"), body)
                what[address] = (*said, database.rows, server)
            return what

        await seen()  # what is kept from then on is there
        before = await seen()
        *_, rows, asked = before[f"{addresses.labelling(job_id)}/sheet"]
        assert rows, "the database was asked"
        assert asked, "the annotation server was asked"
        assert clip in before[addresses.WORK][2]
        with desk_as(platform, other_job, other) as desk:
            answer_everything(desk)
        assert await seen() == before, "after another answered"
        platform.look()
        read = platform.read()
        assert read["raw_labels"].height
        for table in ("raw_labels", "raw_boxes", "completed_jobs"):
            platform.write_tables("b", {("raw_annotations", table): read[table]})
        assert await seen() == before, "after that was read"


@contextmanager
def asking() -> Iterator[list[tuple[str, str, int]]]:
    """What the annotation server is asked for in the block: method, address, and the size of its answer."""
    import urllib3

    asked: list[tuple[str, str, int]] = []
    ask = urllib3.PoolManager.urlopen

    def noted(pool: urllib3.PoolManager, method: str, url: str, **given: Any) -> urllib3.BaseHTTPResponse:
        answer = ask(pool, method, url, **given)
        asked.append((method, url, len(answer.data)))
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(urllib3.PoolManager, "urlopen", noted)
        yield asked


def answer_everything(desk: Desk) -> None:
    [track] = desk.open()["tracks"]
    said = {group.name: [[0, [group.actions[0].id]]] for group in desk.ontology.groups}
    assert desk.save([{"key": "t", "base": track["hash"], **track, "said": said}])["stored"]
    desk.set_state("completed")
