"""What the console answers to the page for labelling: sentences where a job cannot be shown."""

from __future__ import annotations

import polars as pl

from ava_core.store import users
from tests.support.annotation_server import PASSWORD
from tests.support.annotation_site import AnnotationSite
from tests.support.site import opened


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
        assert f"The clip of job {job_id} is missing from the platform" in answer.text
        assert "Tell an admin; nothing is lost." in answer.text
        annotation_site.keep_tables()
        assert (await site.http.get(sheet)).json()["clip"]["frames"] == 60
