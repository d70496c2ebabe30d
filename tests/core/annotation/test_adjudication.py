"""Adjudication on a real HTTP server: the consensus drawn in the parent job, mended there, read back."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ava_core import decisions
from ava_core.annotation.adjudication import read_experts, send_to_expert
from ava_core.annotation.sync import completed_work
from ava_core.base.errors import DecisionError
from ava_core.quality.consensus.expert import RULE, with_expert_work
from ava_core.quality.consensus.form import form_consensus

SHARED = pl.col("job_type") == "consensus_replica"


def done(site: Any) -> tuple[str, int, dict[str, pl.DataFrame]]:
    """All annotators complete their jobs as they are; returns the shared clip, its parent job, raw tables."""
    jobs = site.create()
    clip = jobs.filter(SHARED)["clip_id"][0]
    parent = jobs.filter(pl.col("clip_id") == clip, pl.col("annotator") == "")["job_id"][0]
    with site.gateway() as gateway:
        for job_id in jobs.filter(pl.col("annotator") != "")["job_id"]:
            gateway.set_job(job_id, state="completed")
    site.look()
    return clip, parent, site.read()


def consensus(raw: dict[str, pl.DataFrame], site: Any, clip: str) -> dict[str, pl.DataFrame]:
    tables = (raw[name] for name in ("raw_boxes", "raw_labels", "completed_jobs"))
    return form_consensus(*tables, site.ontology, approved=[clip])


def send(site: Any, clip: str, raw: dict[str, pl.DataFrame], expert: str = "chloe") -> None:
    send_to_expert(site.context, clip, expert, consensus(raw, site, clip), actor="ann")


def test_the_expert_finds_the_consensus_and_what_is_mended_comes_back(site: Any) -> None:
    clip, parent, raw = done(site)
    formed = consensus(raw, site, clip)
    assert formed["consensus_boxes"].height == 2
    send(site, clip, raw)
    with site.server.api() as api:
        job = api.get(f"/api/jobs/{parent}").json()
        [track] = api.get(f"/api/jobs/{parent}/annotations").json()["tracks"]
    assert (job["assignee"]["username"], job["state"]) == ("chloe", "new")
    assert [s["frame"] for s in track["shapes"] if not s["outside"]] == [0, 30]

    before = completed_work(site.store)["b"].digest
    action = site.ontology.groups[0].actions[1]
    with site.gateway() as gateway:
        specs = gateway.ensure_project(site.settings.cvat_project, site.ontology).specs
        for shape in track["shapes"]:
            shape["points"] = [p + 3.0 for p in shape["points"]]
            shape["attributes"] = [{"spec_id": specs[site.ontology.groups[0].name], "value": action.name}]
        gateway.put_tracks(parent, [track])
        gateway.set_job(parent, state="completed")
    site.look()
    assert completed_work(site.store)["b"].digest != before, "an expert's work wakes what follows"

    experts = read_experts(site.context, site.clips)
    assert experts["expert_clips"].rows() == [(clip, "chloe")]
    assert experts["expert_boxes"]["edited"].to_list() == [True, True]
    tables = with_expert_work(
        formed, experts["expert_boxes"], experts["expert_labels"], experts["expert_clips"]["clip_id"], [clip]
    )
    labels = tables["consensus_labels"]
    assert set(labels.select("person_id", "action_id", "rule").rows()) == {(1, action.id, RULE)}
    assert site.read()["completed_jobs"].equals(raw["completed_jobs"]), "the expert is no annotator"


def test_taking_it_back_lets_the_consensus_hold_again(site: Any) -> None:
    clip, parent, raw = done(site)
    send(site, clip, raw)
    with site.gateway() as gateway:
        gateway.set_job(parent, state="completed")
    site.look()
    decisions.note_expert(site.store, "b", clip, "", 0, "ann")
    assert read_experts(site.context, site.clips)["expert_clips"].is_empty()


def test_begun_work_is_not_written_over(site: Any) -> None:
    clip, parent, raw = done(site)
    with site.gateway() as gateway:
        gateway.set_job(parent, state="in progress")
    with pytest.raises(DecisionError, match="already started"):
        send(site, clip, raw)


def test_a_clip_of_one_annotator_has_no_place_for_an_expert(site: Any) -> None:
    clip, _, raw = done(site)
    [single] = set(site.clips["clip_id"]) - {clip}
    with pytest.raises(DecisionError, match="one annotator"):
        send(site, single, raw)
    with pytest.raises(DecisionError, match="not a member"):
        send(site, clip, raw, expert="stranger")
