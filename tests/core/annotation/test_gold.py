"""Gold clips: dealt to everyone, once, looking like any other work."""

from __future__ import annotations

from typing import Any

import pytest

from ava_core import decisions
from ava_core.annotation.gold import deal_gold, plan_gold
from ava_core.annotation.staffing import top_up
from ava_core.base.errors import AssignmentError, DecisionError
from ava_core.store import tasks


@pytest.fixture
def golden(site: Any) -> tuple[Any, str, str]:
    """The site, a gold clip that one person did, and that person, its expert."""
    jobs = site.create()
    site.keep_tables()
    [single] = [
        c for c in site.clips["clip_id"] if jobs.filter(clip_id=c, job_type="consensus_replica").is_empty()
    ]
    job = jobs.filter(clip_id=single).row(0, named=True)
    with site.gateway() as gateway:
        gateway.set_job(job["job_id"], state="completed")
    site.look()
    decisions.mark_gold(site.store, "b", single, job["annotator"], "ann")
    return site, single, job["annotator"]


def deal(site: Any, each: int = 1) -> list[tuple[str, str]]:
    return deal_gold(site.context, "ann", each=each)


def test_everyone_but_the_expert_gets_it_once(golden: tuple[Any, str, str]) -> None:
    site, clip, expert = golden
    others = {"maria", "tomas", "chloe"} - {expert}
    assert set(deal(site)) == {(clip, name) for name in others}
    assert deal(site) == [], "nothing is dealt twice"
    jobs = [job for job in tasks.jobs_of(site.store, "b") if job.clip_id == clip]
    assert sorted(job.annotator for job in jobs) == sorted([*others, expert])


def test_nothing_tells_that_a_clip_is_gold(golden: tuple[Any, str, str]) -> None:
    """What its annotator sees of the job is what is seen of any other."""
    site, clip, _ = golden
    [(_, person), *_] = deal(site)
    number = next(
        j.job_id for j in tasks.jobs_of(site.store, "b") if (j.clip_id, j.annotator) == (clip, person)
    )
    with site.server.api(person) as api:
        jobs = api.get("/api/jobs", params={"org": "ava"}).json()["results"]
        [own] = [job for job in jobs if job["id"] == number]
        name = api.get(f"/api/jobs/{number}/data/meta", params={"org": "ava"}).json()["frames"][0]["name"]
    assert own["task_name"] is None
    assert "gold" not in str(own).lower()
    assert name == f"{clip}.mp4"


def test_an_expert_who_adjudicated_in_the_parent_job_makes_gold_and_is_not_dealt_it(site: Any) -> None:
    jobs = site.create()
    site.keep_tables()
    parent = jobs.filter(annotator="").row(0, named=True)
    clip = parent["clip_id"]
    busy = set(jobs.filter(clip_id=clip)["annotator"])
    [expert] = {"maria", "tomas", "chloe"} - busy
    decisions.note_expert(site.store, "b", clip, expert, parent["job_id"], "ann")
    with pytest.raises(DecisionError, match="has not completed"):
        decisions.mark_gold(site.store, "b", clip, expert, "ann")
    with site.gateway() as gateway:
        gateway.set_job(parent["job_id"], state="completed")
    site.look()
    decisions.mark_gold(site.store, "b", clip, expert, "ann")
    assert decisions.decision_state(site.store, "b").gold == {clip: expert}
    assert plan_gold(site.context, each=1) == [], "the others have it, the expert must not"
    with pytest.raises(AssignmentError, match="is the expert"):
        top_up(site.context, clip, "ann", expert)
    with pytest.raises(AssignmentError, match="No other annotator is available"):
        top_up(site.context, clip, "ann")


def test_a_batch_without_gold_says_how_to_make_some(site: Any) -> None:
    site.create()
    with pytest.raises(AssignmentError, match="ava qc gold"):
        plan_gold(site.context, each=1)
