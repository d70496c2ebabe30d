"""What the console answers to the page for labelling: sentences where a job cannot be shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import polars as pl

from ava_core.annotation.labelling.desk import job_of
from ava_core.store import tasks, users
from ava_ui import addresses
from tests.support.annotation_server import PASSWORD
from tests.support.annotation_site import AnnotationSite, desk_as
from tests.support.site import opened


@dataclass
class OpenJob:
    """A job that its annotator has open in the browser: where the page asks, and the one track of it."""

    http: httpx.AsyncClient
    job_id: int
    name: str
    track: dict[str, Any]

    async def save(self, said: dict[str, Any]) -> httpx.Response:
        """What the page sends when something was said."""
        edit = {"key": "t", "base": self.track["hash"], **self.track, "said": said}
        edit.pop("hash")
        return await self.http.post(f"/labelling/{self.job_id}/save", json={"edits": [edit]})


@asynccontextmanager
async def opened_job(platform: AnnotationSite) -> AsyncIterator[OpenJob]:
    """The first job, opened by its annotator."""
    platform.keep_tables()
    jobs = platform.create().filter(pl.col("annotator") != "")
    job_id, name = jobs.sort("job_id").select("job_id", "annotator").row(0)
    async with opened(platform.settings) as site:
        users.add(site.console.store, "adam", PASSWORD, "admin")
        await site.http.post("/login", data={"username": name, "password": PASSWORD})
        [track] = (await site.http.get(f"/labelling/{job_id}/sheet")).json()["tracks"]
        yield OpenJob(site.http, job_id, name, track)


async def test_a_job_whose_clip_is_missing_says_so_and_keeps_the_work(
    annotation_site: AnnotationSite,
) -> None:
    jobs = annotation_site.create().filter(pl.col("annotator") != "")
    job_id, name = jobs.sort("job_id").select("job_id", "annotator").row(0)
    async with opened(annotation_site.settings) as site:
        users.add(site.console.store, "adam", PASSWORD, "admin")
        form = {"username": name, "password": PASSWORD}
        assert (await site.http.post("/login", data=form)).status_code == 303
        sheet = f"/labelling/{job_id}/sheet"
        answer = await site.http.get(sheet)  # no table of clips was ever written
        assert answer.status_code == 409
        assert f"The platform has no clip for job {job_id}" in answer.text
        assert "Tell an admin; nothing is lost." in answer.text
        annotation_site.keep_tables()
        assert (await site.http.get(sheet)).json()["clip"]["frames"] == 60


SAID = {"walking_behavior": [[0, [5]]]}


async def test_work_that_cannot_be_stored_is_refused_in_a_sentence(annotation_site: AnnotationSite) -> None:
    """The page keeps what it has on every one of these answers; on 503 and 401 it tries again by itself."""
    platform = annotation_site
    async with opened_job(platform) as job:
        with platform.gateway() as gateway, desk_as(platform, job.job_id, job.name) as desk:
            # finished, in another tab or on the server's own page
            desk.set_state("completed")
            answer = await job.save(SAID)
            assert (answer.status_code, "You have finished this job" in answer.text) == (409, True)
            assert (await job.http.get(f"/labelling/{job.job_id}/sheet")).json()["closed"]
            desk.set_state("in progress")

            # past annotation
            gateway.set_job(job.job_id, stage="validation")
            answer = await job.save(SAID)
            assert (answer.status_code, "already in review" in answer.text) == (409, True)
            gateway.set_job(job.job_id, stage="annotation")
            [now] = desk.open()["tracks"]
            assert now == job.track, "nothing was written meanwhile"
            assert (await job.save(SAID)).json()["conflicts"] == {}

            # given to somebody else
            other = next(name for name in ("maria", "tomas", "chloe") if name != job.name)
            gateway.set_job(job.job_id, assignee=gateway.members()[other])
            answer = await job.save({})
            assert (answer.status_code, "is not yours" in answer.text) == (409, True)
        with desk_as(platform, job.job_id, other) as theirs:
            assert theirs.open()["tracks"][0]["said"] == SAID

            # removed
            with platform.gateway() as gateway:
                gateway.remove_task(job_of(platform.store, job.job_id).task_id)
            answer = await job.save({})
            assert (answer.status_code, "was deleted on the annotation server" in answer.text) == (409, True)


async def test_a_session_that_ended_on_the_server_is_said_to_have_ended(
    annotation_site: AnnotationSite,
) -> None:
    async with opened_job(annotation_site) as job:
        annotation_site.server.api(job.name).post("/api/auth/logout").raise_for_status()
        assert (await job.save(SAID)).status_code == 401
        again = {"username": job.name, "password": PASSWORD}
        await job.http.post("/login", data=again)
        assert (await job.save(SAID)).json()["conflicts"] == {}


async def test_labels_that_were_changed_on_the_server_lose_nothing(annotation_site: AnnotationSite) -> None:
    async with opened_job(annotation_site) as job:
        with annotation_site.server.api() as api:
            [label] = api.get("/api/labels", params={"job_id": job.job_id}).json()["results"]
            for attribute in label["attributes"]:
                if attribute["name"] == "walking_behavior":
                    attribute |= {"name": "gait", "values": ["unset", "quick"], "default_value": "unset"}
            wanted = {name: label[name] for name in ("name", "attributes")}
            api.patch(f"/api/labels/{label['id']}", json=wanted).raise_for_status()

            # renamed, or with other values: what was said is said by number, and stays
            assert (await job.save(SAID)).json()["conflicts"] == {}
            [now] = (await job.http.get(f"/labelling/{job.job_id}/sheet")).json()["tracks"]
            assert now["said"] == SAID

            # made anew: the server has dropped every track, and takes none in the old form
            api.delete(f"/api/labels/{label['id']}").raise_for_status()
            assert (await job.save({})).json()["conflicts"] == {"t": None}
            job.track["id"], job.track["hash"] = None, ""
            answer = await job.save(SAID)
            assert (answer.status_code, "project's labels were changed" in answer.text) == (409, True)
            sheet = (await job.http.get(f"/labelling/{job.job_id}/sheet")).json()
            assert "All tracks of this job were deleted" in sheet["notes"][0]


async def test_the_page_learns_which_clip_comes_next_and_may_fetch_it(
    annotation_site: AnnotationSite,
) -> None:
    store = annotation_site.store
    async with opened_job(annotation_site) as job:
        sheet = f"/labelling/{job.job_id}/sheet"
        assert (await job.http.get(sheet)).json()["following"] is None
        here = job_of(store, job.job_id).clip_id
        more = next(one for one in tasks.open_jobs(store) if one.clip_id != here)
        with annotation_site.gateway() as gateway:
            gateway.set_job(more.job_id, assignee=gateway.members()[job.name])
        annotation_site.look()
        following = (await job.http.get(sheet)).json()["following"]
        assert following == {
            "job": more.job_id, "source": addresses.labelling(more.job_id), "page": addresses.label(more.job_id),
            "clip": addresses.clip_video("b", more.clip_id),
        }  # fmt: skip
        assert (await job.http.get(following["clip"])).status_code == 200
        with desk_as(annotation_site, more.job_id, job.name) as desk:
            desk.set_state("completed")  # the platform has not looked since
        assert (await job.http.get(sheet)).json()["following"] is None
