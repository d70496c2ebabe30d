"""An annotator signs in with the annotation server's account and sees their own work alone."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core.annotation.working_time import active_times
from ava_core.store import annotators, open_store
from tests.support.annotation_server import PASSWORD as SERVER_PASSWORD
from tests.support.annotation_site import AnnotationSite
from tests.support.labelling_site import sign_in
from tests.support.site import opened


@pytest.mark.parametrize("by", ["password", "key"])
async def test_own_work_and_nothing_else(annotation_site: AnnotationSite, by: str) -> None:
    annotation_site.keep_tables()
    jobs = annotation_site.create().filter(pl.col("annotator") != "").sort("job_id")
    name = jobs["annotator"][0]
    mine = jobs.filter(pl.col("annotator") == name)
    others = jobs.filter(pl.col("annotator") != name)
    annotators.put(open_store(annotation_site.settings), name)
    secret = SERVER_PASSWORD if by == "password" else sign_in(annotation_site.server, name)
    async with opened(annotation_site.settings) as site:
        wrong = await site.http.post("/login", data={"username": name, "password": "not this one"})
        assert wrong.status_code == 403
        answer = await site.http.post("/login", data={"username": name, "password": secret})
        assert answer.status_code == 303, answer.text
        page = (await site.http.get("/work")).text
        assert mine["clip_id"][0] in page
        for other in set(others["annotator"]) - {name}:
            assert other not in page
        assert (await site.http.get("/people")).status_code == 403
        batch = "b"
        clip = f"/media/clip/{batch}/{mine['clip_id'][0]}"
        assert (await site.http.get(clip)).status_code != 403
        for unseen in set(others["clip_id"]) - set(mine["clip_id"]):
            assert (await site.http.get(f"/media/clip/{batch}/{unseen}")).status_code == 403
        left = others.filter(~pl.col("clip_id").is_in(mine["clip_id"].implode()))
        for job in (left if left.height else others)["job_id"].head(1):
            refused = await site.http.post(
                f"/labelling/{job}/active", json={"events": [{"track": "1", "seconds": 1, "answers": 0}]}
            )
            assert refused.status_code in (401, 409), refused.text
            assert active_times(annotation_site.store).is_empty()
            own = await site.http.post(
                f"/labelling/{mine['job_id'][0]}/active",
                json={"events": [{"track": "1", "seconds": 4, "answers": 2}]},
            )
            assert own.status_code == 200, own.text
            assert active_times(annotation_site.store).row(0)[0] == name
